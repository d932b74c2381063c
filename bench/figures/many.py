"""A day of very many series over HTTP as Arrow, chosen by filters, against a binary COPY of the same rows."""

from __future__ import annotations

import urllib.request
from datetime import timedelta

import polars as pl
import pyarrow as pa

from bench.drain import drain
from bench.harness import Figure, side_by_side, timed
from bench.scale import Scale
from bench.servers import serving_api
from bench.stage import DAY, HOUR, OBSERVATION, START, Stage, add_series, as_query, copy_in, observations, settle, span

_STORED = 14 * DAY
"""Length of each series: the requested day is in the middle."""
_SOURCE = "many"
_TOGETHER = 500


async def fill(stage: Stage, count: int) -> None:
    """Write hourly series of two weeks without the loader."""
    ids = await add_series(stage, [f"{_SOURCE}:hourly:{number}:lmp" for number in range(count)])
    for first in range(0, count, _TOGETHER):
        parts = [observations(series_id, _STORED // HOUR, seed=series_id) for series_id in ids[first : first + _TOGETHER]]
        await copy_in(stage, pl.concat(parts))
    await settle(stage)


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Measure the download of a day of all series that ``fill`` made."""
    day = span(24, START + timedelta(days=7))
    rows = scale.series * 24
    with serving_api(stage.url, AURUM_CACHE__ENABLED="false") as api:
        url = f"{api.url}/v2/observations?source={_SOURCE}&measure=lmp&{as_query(day)}&format=arrow"
        _check_complete(url, rows)

        async def download() -> float:
            watch = timed()
            drain(url)
            return rows / watch()

        async def copy() -> float:
            async def take(data: bytes) -> None:
                pass

            query = (
                f"SELECT {', '.join(f'o.{name}' for name in OBSERVATION.columns)} FROM observation AS o JOIN series AS s"
                f" USING (series_id) WHERE s.source = '{_SOURCE}' AND o.ts >= '{day.start}' AND o.ts < '{day.end}'"
                " ORDER BY o.series_id, o.ts"
            )
            async with stage.store.pool.acquire() as connection:
                watch = timed()
                await connection.copy_from_query(query, output=take, format="binary")
                return rows / watch()

        figure = await side_by_side(
            f"{scale.series:,} series × 24 h over HTTP as Arrow",
            download,
            copy,
            unit="rows/s",
            against="binary COPY of the same rows",
            rounds=scale.rounds,
            target=0.4,
        )
    return [figure]


def _check_complete(url: str, rows: int) -> None:
    with urllib.request.urlopen(url) as answer:
        assert pa.ipc.open_stream(answer.read()).read_all().num_rows == rows
