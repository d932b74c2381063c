"""The list of changes: a page of it, and the time from a commit to the clients that follow it."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import urllib.request
from contextlib import AsyncExitStack
from datetime import datetime
from urllib.parse import urlsplit

from aurum.common.clock import SystemClock
from aurum.storage.testing.builders import file_load, together
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import Server, serving_api
from bench.stage import Stage

_LISTENERS = 200
_EVERY_S = 1.0
_SERIES, _HOURS = 50, 24
_ENTRIES = 200_000
"""Entries of the list: a month with a file every 13 seconds."""
_PAGES = 40
_QUERIES = (("", ""), (", by dataset", "&source=invented&dataset=numbers"), (", by series", "&series=invented:numbers:S1:*"))
_FILL = """
INSERT INTO change (recording_id, recorded_at, action, file_id, source, dataset, known_at, known_at_basis, series, new, revised,
                    first_ts, last_ts)
SELECT c.recording_id, c.recorded_at + number * interval '1 microsecond', c.action, c.file_id,
       CASE number % 10 WHEN 0 THEN c.source ELSE 'others' END, c.dataset, c.known_at, c.known_at_basis, c.series, c.new,
       c.revised, c.first_ts, c.last_ts
FROM (SELECT * FROM change ORDER BY position LIMIT 1) AS c, generate_series(1, $1) AS number ORDER BY number
"""


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Measure pages of a long list, then the push of one file a second to 200 listeners."""
    await _load(stage, 0)
    async with stage.store.pool.acquire() as connection:
        await connection.execute(_FILL, _ENTRIES)
        await connection.execute("ANALYZE change")
    with serving_api(stage.url, AURUM_LIMITS__SLOW_START="0") as api:
        pages = [
            limit(f"changes page, 100 of {_ENTRIES:,} entries{name}", _pages(api, query), 30.0, unit="ms", stretch=10.0)
            for name, query in (
                ("", ""),
                (", by dataset", "&source=invented&dataset=numbers"),
                (", by series", "&series=invented:numbers:S1:*"),
            )
        ]
        seconds = await _pushed(stage, api, files=max(10, round(10 * scale.rounds)))
    p99 = statistics.quantiles(seconds, n=100)[98]
    push = limit(f"p99 of push, {_LISTENERS} listeners, a file a second", [1_000 * p99], 1_000.0, unit="ms", stretch=200.0)
    return [*pages, push]


async def _load(stage: Stage, number: int) -> None:
    parts = [
        file_load([(hour, number, float(number)) for hour in range(_HOURS)], key=f"invented:numbers:S{series}:value")
        for series in range(_SERIES)
    ]
    await stage.store.loader.load(together(*parts))


def _pages(api: Server, query: str) -> list[float]:
    """Return the milliseconds of each of some pages that follow each other."""
    milliseconds: list[float] = []
    after = ""
    for _ in range(_PAGES):
        began = time.perf_counter()
        with urllib.request.urlopen(f"{api.url}/v2/changes?limit=100{after}{query}") as answer:
            body = answer.read()
        milliseconds.append(1_000 * (time.perf_counter() - began))
        after = f"&after={json.loads(body)['meta']['next']}"
    return milliseconds[1:]


async def _pushed(stage: Stage, api: Server, *, files: int) -> list[float]:
    """Return the seconds from the last statement of each load to the arrival of its event, of all listeners."""
    seconds: list[float] = []
    async with AsyncExitStack() as stack:
        followers = [await stack.enter_async_context(_Listener(api)) for _ in range(_LISTENERS)]
        reading = [asyncio.create_task(one.read(files, seconds)) for one in followers]
        for number in range(1, files + 1):
            began = time.perf_counter()
            await _load(stage, number)
            await asyncio.sleep(max(0.0, _EVERY_S - (time.perf_counter() - began)))
        await asyncio.gather(*reading)
    assert len(seconds) == files * _LISTENERS
    return seconds


class _Listener:
    """One stream over a socket of its own."""

    def __init__(self, api: Server) -> None:
        self._address = urlsplit(api.url)

    async def __aenter__(self) -> _Listener:
        self._reader, self._writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        self._writer.write(f"GET /v2/changes/events HTTP/1.1\r\nHost: {self._address.netloc}\r\n\r\n".encode())
        while not (line := await self._reader.readline()).startswith(b"id: "):
            assert line, "the stream has ended"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def read(self, events: int, seconds: list[float]) -> None:
        """Read a number of events, and add the age of each."""
        for _ in range(events):
            while not (line := await self._reader.readline()).startswith(b"data: "):
                assert line, "the stream has ended"
            recorded = datetime.fromisoformat(json.loads(line[6:])["recorded_at"])
            seconds.append((SystemClock().now() - recorded).total_seconds())
