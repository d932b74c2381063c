"""The rise of the API's memory during a long stream."""

from __future__ import annotations

import statistics
import threading
import time

from bench.drain import drain
from bench.figures.bulk import url_of
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import Server, serving_api
from bench.stage import Stage

_WARM = 70_000
"""Observations of a warm-up answer of several batches, so that one-time imports and allocations do not count."""

_LOOK_S = 0.01


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Stream ``scale.streamed`` observations of the series that ``bulk.fill`` made, with a new process for each format."""
    return [_rise(stage, scale, name) for name in ("csv", "arrow")]


def _rise(stage: Stage, scale: Scale, name: str) -> Figure:
    with serving_api(stage.url) as api:
        drain(url_of(api.url, _WARM, name))
        before = statistics.median(_resident(api) for _ in range(5))
        highest = _highest(api, url_of(api.url, scale.streamed, name))
    # The rise may be zero, which has no ratio.
    rise = max(highest - before, 0.1)
    title = f"memory of the API while it streams {scale.streamed:,} observations as {name}"
    return limit(title, [rise], 64, unit="MiB rise", stretch=32)


def _highest(api: Server, url: str) -> float:
    highest = api.resident_mib()
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(_LOOK_S):
            highest = max(highest, api.resident_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        drain(url)
    finally:
        done.set()
        watcher.join()
    return highest


def _resident(api: Server) -> float:
    time.sleep(0.1)
    return api.resident_mib()
