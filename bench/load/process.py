"""Saturation in a separate process, which ``measure`` starts.

    python -m bench.load.process HOST PORT PATH SECONDS CONNECTIONS REQUESTS [HEADER ...]

Ends after SECONDS or REQUESTS, whichever comes first. Prints one JSON object: answers a second, percentiles in milliseconds,
and the number of answers that were neither 2xx nor 304.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict

from bench.load.saturation import saturate
from bench.load.wire import fast_loop, get


def main(arguments: list[str]) -> None:
    """Run the load and print its result."""
    host, port, path, seconds, connections, most, *headers = arguments
    request = get(host, int(port), path, *headers)
    work = saturate(host, int(port), request, seconds=float(seconds), connections=int(connections), most=int(most))
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        print(json.dumps(asdict(runner.run(work))))


if __name__ == "__main__":
    main(sys.argv[1:])
