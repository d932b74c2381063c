"""``make fuzz``: damaged files and requests for a bounded time; failures are written to ``fuzz/failures``."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from fuzz import files, http

FAILURES = Path(__file__).parent / "failures"


def main() -> int:
    """Fuzz, print what happened, and return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="time in all; half for files, half for HTTP")
    parser.add_argument("--seed", type=int, default=None, help="repeats a run")
    parser.add_argument("--only", choices=("files", "http"), help="spend all the time on one of them")
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    share = arguments.seconds if arguments.only else arguments.seconds / 2
    print(f"make fuzz SEED={seed} SECONDS={arguments.seconds:g} repeats this run")
    failed = 0
    if arguments.only != "http":
        read = files.run(share, seed)
        print("files:", ", ".join(f"{count} {outcome}" for outcome, count in sorted(read.outcomes.items())))
        for number, (where, (document, text)) in enumerate(sorted(read.failures.items())):
            failed += 1
            path = _write(f"file-{seed}-{number}", document.content)
            print(f"FAILED {where}: {document.name!r}, content in {path}\n{text}")
    if arguments.only != "files":
        answered = http.run(share, seed)
        print("HTTP:", ", ".join(f"{count} x {status}" for status, count in sorted(answered.answers.items())))
        for number, (what, request) in enumerate(sorted(answered.failures.items())):
            failed += 1
            print(f"FAILED {what}: request in {_write(f'http-{seed}-{number}', request)}")
    print(f"{failed} failures")
    return 1 if failed else 0


def _write(name: str, content: bytes) -> Path:
    FAILURES.mkdir(exist_ok=True)
    path = FAILURES / name
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    sys.exit(main())
