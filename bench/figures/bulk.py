"""A million observations over HTTP, against COPY in this process; and what streaming costs in memory."""

from __future__ import annotations

import io
import threading
import time
import urllib.request
from urllib.parse import quote

import pyarrow as pa

from aurum.storage.postgres.copy import Collector
from bench.harness import Figure, limit, side_by_side, timed
from bench.stage import BULK, OBSERVATION, Stage, api_arguments, resident_mib, serving

_COLUMNS = "series_id, ts, value, quality, known_at"


async def measure(stage: Stage, *, rounds: int, series_id: int, count: int) -> list[Figure]:
    where = f"SELECT {_COLUMNS} FROM observation WHERE series_id = {series_id} ORDER BY ts"

    async def copy_binary() -> float:
        collector = Collector(OBSERVATION)

        async def take(data: bytes) -> None:
            collector.feed(data)

        async with stage.store.pool.acquire() as connection:
            watch = timed()
            await connection.copy_from_query(where, output=take, format="binary")
            frame = collector.take()
            sink = io.BytesIO()
            table = frame.to_arrow()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            return frame.height / watch()

    async def copy_csv() -> float:
        size = 0

        async def take(data: bytes) -> None:
            nonlocal size
            size += len(data)

        async with stage.store.pool.acquire() as connection:
            watch = timed()
            await connection.copy_from_query(where.replace("series_id, ts", "ts", 1), output=take, format="csv")
            return count / watch()

    with serving(api_arguments(), "/live", AURUM_DATABASE__URL=stage.url, AURUM_LOGGING__LEVEL="ERROR") as (api, process):
        url = f"{api}/v2/series/{quote(BULK)}/observations?format="

        def http(name: str):
            async def run() -> float:
                watch = timed()
                _drain(url + name)
                return count / watch()

            return run

        # First, while nothing has been streamed: memory that is kept for the next answer would hide what this one takes.
        _drain(url.replace("/observations?", "/observations?end=2025-01-02&") + "csv")
        memory = _memory(url + "csv", process)
        arrow = await side_by_side(
            f"{count:,} observations over HTTP as Arrow",
            http("arrow"),
            copy_binary,
            unit="rows/s",
            reference_name="COPY binary + decode + IPC",
            target=0.6,
            stretch=0.8,
            rounds=rounds,
        )
        csv = await side_by_side(
            f"{count:,} observations over HTTP as CSV",
            http("csv"),
            copy_csv,
            unit="rows/s",
            reference_name="raw COPY CSV",
            target=0.8,
            stretch=0.95,
            rounds=rounds,
        )
    return [arrow, csv, memory]


def _drain(url: str) -> int:
    size = 0
    with urllib.request.urlopen(url) as answer:
        while chunk := answer.read(1 << 20):
            size += len(chunk)
    return size


def _memory(url: str, process) -> Figure:
    before = resident_mib(process)
    highest = before
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.is_set():
            highest = max(highest, resident_mib(process))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _drain(url)
    done.set()
    watcher.join()
    return limit(
        "memory of the API while it streams them once more", max(highest - before, 0.01), 64, unit="MiB rise", stretch=32
    )
