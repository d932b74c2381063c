"""Load for a service on this machine, as callers make it. Needs nothing besides the workspace.

Reads the list of series, requests slices or exports of them for a limited time, and prints a summary. The exit code is 0 if all
limits were met, 1 if one was missed, 2 if the service cannot be used. It connects to 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from dataclasses import asdict, replace
from pathlib import Path

from bench.load.drive import Driver
from bench.load.mix import Mix, find_series
from bench.load.profiles import Profile, profiles
from bench.load.tally import Summary
from bench.load.wire import Connection, UnexpectedAnswer, fast_loop, loopback


async def run(profile: Profile, arguments: argparse.Namespace) -> Summary:
    """Run one profile against ``arguments.url``. Raises ``UnexpectedAnswer``, ``OSError``, ``ValueError``."""
    host, port, _ = loopback(arguments.url)
    headers = [f"X-API-Key: {arguments.key_file.read_text().strip()}"] if arguments.key_file else []
    scout = Connection(host, port)
    series = await find_series(scout, headers, arguments.series)
    scout.close()
    mix = Mix(
        series, profile.kind, random.Random(arguments.seed), headers, with_key=arguments.with_key,
        conditional=arguments.conditional,
    )  # fmt: skip
    return await Driver(lambda: Connection(host, port), mix, pause_s=arguments.pause).run(profile)


def table(profile: Profile, summary: Summary) -> str:
    """Return a summary as text."""
    ratio = "not reported by the service" if summary.hit_ratio is None else f"{summary.hit_ratio:.1%}"
    rows = {
        "profile": f"{profile.name}: {profile.says}",
        "requests": f"{summary.requests} in {summary.seconds} s",
        "throughput": f"{summary.rate} answers/s, {summary.megabytes} MB",
        "p50, p95, p99": f"{summary.p50_ms} ms, {summary.p95_ms} ms, {summary.p99_ms} ms",
        "errors": f"{summary.error_share:.2%}",
        "304": f"{summary.not_modified_share:.1%}",
        "hit ratio": ratio,
        "statuses": _counts(summary.statuses),
        "caches": _counts(summary.caches),
    }
    return "\n".join(f"{name:14} {value}" for name, value in rows.items())


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"


def main(argv: list[str]) -> int:
    """Run a profile and print its summary. Return the exit code."""
    arguments = _arguments(argv)
    profile = profiles()[arguments.profile]
    try:
        profile = profile.lasting(arguments.seconds) if arguments.seconds is not None else profile
        limits = replace(profile.limits, hit_ratio=arguments.hit_ratio)
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            summary = runner.run(run(profile, arguments))
    except (UnexpectedAnswer, OSError, ValueError) as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 2
    missed = summary.missed(limits)
    print(json.dumps(asdict(summary) | {"missed": missed}) if arguments.json else table(profile, summary))
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    listed = "\n".join(f"  {one.name:8} {one.says} ({one.seconds:.0f} s)" for one in profiles().values())
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        description=__doc__,
        epilog=f"profiles:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("profile", choices=list(profiles()))
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="URL of the service (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="duration instead of the profile's own; phases keep their proportions")
    parser.add_argument(
        "--series", type=_positive, default=200, metavar="N", help="most series to request (default: %(default)s)"
    )
    parser.add_argument(
        "--pause", type=float, default=1.0, metavar="S", help="mean pause of a user, seconds (default: %(default)s)"
    )
    parser.add_argument("--key-file", type=Path, help="file with an API key, which does not belong on a command line")
    parser.add_argument(
        "--with-key", type=_share, default=1.0, metavar="SHARE", help="share of requests with the key (default: %(default)s)"
    )
    parser.add_argument(
        "--conditional",
        type=_share,
        default=0.3,
        metavar="SHARE",
        help="share of requests with If-None-Match, if a tag is known (default: %(default)s)",
    )
    parser.add_argument("--hit-ratio", type=_share, metavar="SHARE", help="hit ratio that the cache must reach")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random requests (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(argv)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: write a number from 0 to 1")
    return share


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few: write a number of at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
