"""A million observations over HTTP as Arrow and as CSV, against COPY inside this process."""

from __future__ import annotations

import io
import urllib.request
from datetime import timedelta
from urllib.parse import quote

import pyarrow as pa

from aurum.core.asof import Span
from aurum.storage.postgres.connection.copy import Collector
from bench.drain import drain
from bench.harness import Figure, Run, side_by_side, timed
from bench.scale import Scale
from bench.servers import serving_api
from bench.stage import OBSERVATION, START, Stage, add_series, as_query, copy_in, observations, settle

KEY = "invented:bulk:0:lmp"
_STEP = timedelta(minutes=5)


async def fill(stage: Stage, count: int) -> int:
    """Write one five-minute series of ``count`` observations without the loader. Return its id."""
    (series_id,) = await add_series(stage, [KEY], frequency="5min")
    await copy_in(stage, observations(series_id, count, seed=5, step=_STEP))
    await settle(stage)
    return series_id


def url_of(api: str, count: int, name: str) -> str:
    """Return the URL of the first ``count`` observations in a format."""
    requested = Span(START, START + _STEP * count)
    return f"{api}/v2/series/{quote(KEY)}/observations?{as_query(requested)}&format={name}"


async def measure(stage: Stage, scale: Scale, series_id: int) -> list[Figure]:
    """Measure downloads of the series ``series_id``, which ``fill`` made."""
    count = scale.bulk
    with serving_api(stage.url, AURUM_CACHE__ENABLED="false") as api:
        _check_complete(api.url, count)
        arrow = await side_by_side(
            f"{count:,} observations over HTTP as Arrow",
            _download(url_of(api.url, count, "arrow"), count),
            _copy_binary(stage, series_id, count),
            unit="rows/s",
            against="COPY binary, decode, IPC",
            rounds=scale.rounds,
            target=0.6,
            stretch=0.8,
        )
        csv = await side_by_side(
            f"{count:,} observations over HTTP as CSV",
            _download(url_of(api.url, count, "csv"), count),
            _copy_csv(stage, series_id, count),
            unit="rows/s",
            against="raw COPY CSV",
            rounds=scale.rounds,
            target=0.8,
            stretch=0.95,
        )
    return [arrow, csv]


def _download(url: str, count: int) -> Run:
    async def run() -> float:
        watch = timed()
        drain(url)
        return count / watch()

    return run


def _copy_binary(stage: Stage, series_id: int, count: int) -> Run:
    async def run() -> float:
        collector = Collector(OBSERVATION)

        async def take(data: bytes) -> None:
            collector.feed(data)

        async with stage.store.pool.acquire() as connection:
            watch = timed()
            query = _query(", ".join(OBSERVATION.columns), series_id, count)
            await connection.copy_from_query(query, output=take, format="binary")
            table = collector.take().to_arrow()
            with pa.ipc.new_stream(io.BytesIO(), table.schema) as writer:
                writer.write_table(table)
            return count / watch()

    return run


def _copy_csv(stage: Stage, series_id: int, count: int) -> Run:
    async def run() -> float:
        async def take(data: bytes) -> None:
            pass

        async with stage.store.pool.acquire() as connection:
            watch = timed()
            query = _query("ts, value, quality, known_at", series_id, count)
            await connection.copy_from_query(query, output=take, format="csv")
            return count / watch()

    return run


def _query(columns: str, series_id: int, count: int) -> str:
    return f"SELECT {columns} FROM observation WHERE series_id = {series_id} ORDER BY ts LIMIT {count}"


def _check_complete(api: str, count: int) -> None:
    """Check that both formats contain every observation."""
    with urllib.request.urlopen(url_of(api, count, "arrow")) as answer:
        assert pa.ipc.open_stream(answer.read()).read_all().num_rows == count
    with urllib.request.urlopen(url_of(api, count, "csv")) as answer:
        assert answer.read().count(b"\n") == count + 1
