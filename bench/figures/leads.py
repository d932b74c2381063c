"""Leads of forecasts: a year of one hourly series with six issues an interval, as each was known before its day."""

from __future__ import annotations

import time
import urllib.request
from urllib.parse import quote

import polars as pl

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from bench.figures.slices import values_of
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import Server
from bench.stage import DAY, VERSION, YEAR, Stage, add_series, as_query, copy_in, observations, settle, span

KEY = "invented:issues:0:load"
_ISSUES = 6
_MOST_MS = 200.0


async def measure(api: Server, scale: Scale) -> list[Figure]:
    """Measure the series that ``fill`` made: the last issue known by ten in the morning of the day before each interval."""
    url = f"{api.url}/v2/series/{quote(KEY)}/observations?{as_query(span(YEAR))}&days_ahead=1&before=10:00&layout=columns"
    assert len(values_of(url)) > YEAR - 48
    return [limit("lead read of a year", [_milliseconds(url) for _ in range(5 * scale.rounds)], _MOST_MS, unit="ms")]


def _milliseconds(url: str) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        answer.read()
    return (time.perf_counter() - started) * 1000


async def fill(stage: Stage) -> None:
    """Write a year of one series without the loader. Each interval is in six issues, which are a day apart."""
    (series_id,) = await add_series(stage, [KEY])
    await stage.store.catalog_writer.declare(
        sources=[SourceEntry("invented", "", "")],
        datasets=[DatasetEntry("invented", "issues", "", "America/New_York", "1h", (), is_forecast=True)],
        blocks=[],
    )
    for issue in range(_ISSUES):
        frame = observations(series_id, YEAR, seed=issue)
        # An issue of a day covers six days from it on, and is known at eight in the morning in New York.
        issued = pl.col("ts").dt.truncate("1d") - pl.duration(days=_ISSUES - 1 - issue) + pl.duration(hours=13)
        frame = frame.with_columns(issued.alias("known_at"))
        if issue < _ISSUES - 1:
            ended = frame.with_columns((pl.col("known_at") + DAY).alias("superseded_at"))
            await copy_in(stage, ended, table="observation_version", layout=VERSION)
        else:
            await copy_in(stage, frame)
    await settle(stage)
