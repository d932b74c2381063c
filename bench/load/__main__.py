"""Load for a service on this machine, as its callers make it; needs nothing installed besides the workspace.

Finds series by itself, asks for slices or exports of them for a bounded time, and prints what came back. Ends with 0 when all
limits were kept, 1 when one was not, 2 when the service cannot be used at all. Talks to 127.0.0.1 only.
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
    """One profile against ``arguments.url``. Raises ``UnexpectedAnswer``, ``OSError``, ``ValueError``."""
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


def table(profile: Profile, found: Summary) -> str:
    """A summary to read."""
    ratio = "the service does not say" if found.hit_ratio is None else f"{found.hit_ratio:.1%}"
    rows = {
        "profile": f"{profile.name}: {profile.says}",
        "requests": f"{found.requests} in {found.seconds} s",
        "throughput": f"{found.rate} answers/s, {found.megabytes} MB",
        "p50, p95, p99": f"{found.p50_ms} ms, {found.p95_ms} ms, {found.p99_ms} ms",
        "errors": f"{found.error_share:.2%}",
        "304": f"{found.not_modified_share:.1%}",
        "hit ratio": ratio,
        "statuses": _counts(found.statuses),
        "caches": _counts(found.caches),
    }
    return "\n".join(f"{name:14} {value}" for name, value in rows.items())


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"


def main(given: list[str]) -> int:
    """Run, print, judge."""
    arguments = _arguments(given)
    profile = profiles()[arguments.profile]
    try:
        profile = profile.lasting(arguments.seconds) if arguments.seconds is not None else profile
        limits = replace(profile.limits, hit_ratio=arguments.hit_ratio)
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            found = runner.run(run(profile, arguments))
    except (UnexpectedAnswer, OSError, ValueError) as error:
        print(f"bench.load: {error}", file=sys.stderr)
        return 2
    missed = found.missed(limits)
    print(json.dumps(asdict(found) | {"missed": missed}) if arguments.json else table(profile, found))
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


def _arguments(given: list[str]) -> argparse.Namespace:
    says = "\n".join(f"  {one.name:8} {one.says} ({one.seconds:.0f} s)" for one in profiles().values())
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        description=__doc__,
        epilog=f"profiles:\n{says}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("profile", choices=list(profiles()))
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the service (%(default)s)")
    parser.add_argument("--seconds", type=float, help="instead of the profile's own; phases keep their proportions")
    parser.add_argument("--series", type=_above_nought, default=200, metavar="N", help="so many series at most (%(default)s)")
    parser.add_argument("--pause", type=float, default=1.0, metavar="S", help="a user's mean pause, seconds (%(default)s)")
    parser.add_argument("--key-file", type=Path, help="holds an API key, which does not belong on a command line")
    parser.add_argument("--with-key", type=_share, default=1.0, metavar="SHARE", help="of requests that bear it (%(default)s)")
    parser.add_argument(
        "--conditional", type=_share, default=0.3, metavar="SHARE", help="of If-None-Match where a tag is known (%(default)s)"
    )
    parser.add_argument("--hit-ratio", type=_share, metavar="SHARE", help="that the cache must reach")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(given)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"a share is between 0 and 1, not {text}")
    return share


def _above_nought(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {text}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
