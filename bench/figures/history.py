"""Closed months in Parquet: the speed of archiving and of reads, and the cost of the second tier for hot rows."""

from __future__ import annotations

import itertools
import random
import statistics
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

from aurum.common.clock import SystemClock
from aurum.pipelines.history.archive import Archive, archive_closed
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.ports.history import ArchivedPart, ArchiveLog, Months
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.tiered import TieredSeriesReader
from bench.harness import Figure, Run, limit, side_by_side, timed
from bench.scale import Scale
from bench.stage import DAY, START, YEAR, Stage, add_hourly, span

_SLICES = 200
_MONTH_MS = 1_500.0
_ONE_MONTH = Months(date(2025, 3, 1), date(2025, 3, 1))


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Fill an empty stage with hourly series of a year, archive half of them, and measure. The other half stays hot."""
    ids = await add_hourly(stage, "archived:hourly", scale.short)
    hot_ids = await add_hourly(stage, "kept:hourly", scale.short)
    log = PostgresArchiveLog(stage.store.pool)
    hot = PostgresSeriesReader(stage.store.pool, SystemClock())
    with tempfile.TemporaryDirectory(prefix="aurum-history-") as folder:
        history = DuckdbHistory(history_files_at(folder), SystemClock())
        tiered = TieredSeriesReader(hot, history)
        figures = [await _moved(log, history, ids)]
        figures += await _months(log, history)
        figures.append(
            await side_by_side(
                "slice of 24 archived rows",
                _latency(tiered, ids),
                _latency(hot, hot_ids),
                unit="ms",
                against="24 hot rows",
                rounds=scale.rounds,
                less_is_better=True,
            )
        )
        figures.append(
            await side_by_side(
                "slice of 24 hot rows through both tiers",
                _latency(tiered, hot_ids),
                _latency(hot, hot_ids),
                unit="ms",
                against="the hot tier alone",
                rounds=scale.rounds,
                target=1 / 1.1,
                stretch=0.98,
                less_is_better=True,
            )
        )
        figures.append(await _bytes_a_row(stage, _size(Path(folder)) / (len(ids) * YEAR)))
        await history.close()
    return figures


async def _moved(log: ArchiveLog, history: DuckdbHistory, ids: Sequence[int]) -> Figure:
    """Measure archiving (take, write, read back, compare, log, delete) against only taking and writing the same rows."""
    watch = timed()
    month = await log.snapshot(ids, _ONE_MONTH)
    month.rows.write_parquet(BytesIO(), compression="zstd")
    reference = month.rows.height / watch()
    archive = Archive(log, history)
    moves = archive_closed(archive, now=SystemClock().now(), closed_after=timedelta(days=30), source="archived")
    rates = [report.rows / report.seconds async for report in moves]
    ours = statistics.median(rates)
    return Figure(
        "months archived",
        ours,
        reference,
        "rows/s",
        "the same rows to Parquet",
        ours / reference,
        ratios=[r / reference for r in rates],
    )


async def _months(log: ArchiveLog, history: DuckdbHistory) -> list[Figure]:
    parts = [part async for page in log.parts() for part in page]
    draw = random.Random(1)
    times = [await _read(history, draw.choice(parts)) for _ in range(_SLICES)]
    hundredths = statistics.quantiles(times[10:], n=100)
    return [
        limit("month of one archived series, p50", [hundredths[49]], _MONTH_MS, unit="ms"),
        limit("month of one archived series, p95", [hundredths[94]], _MONTH_MS, unit="ms"),
    ]


async def _read(history: DuckdbHistory, part: ArchivedPart) -> float:
    watch = timed()
    rows = await history.many([part], span=span(YEAR))
    took = watch() * 1000
    assert rows.height == part.rows
    return took


def _latency(reader: SeriesReader, ids: Sequence[int]) -> Run:
    draw = random.Random(len(ids))

    async def run() -> float:
        times: list[float] = []
        for _ in itertools.repeat(None, _SLICES):
            series_id, start = draw.choice(ids), START + DAY * draw.randrange(360)
            watch = timed()
            points = await reader.points(series_id, span=span(24, start))
            times.append(watch() * 1000)
            assert points.ts.size == 24
        return statistics.median(times)

    return run


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


async def _bytes_a_row(stage: Stage, ours: float) -> Figure:
    """Return the bytes of a row in history, against those of the hot rows in the table and its index."""
    async with stage.store.pool.acquire() as connection:
        await connection.execute("VACUUM FULL observation")
        size, rows = await connection.fetchrow(
            "SELECT pg_total_relation_size('observation'), (SELECT count(*) FROM observation)"
        )
    table = size / rows
    return Figure("bytes of an archived row", ours, table, "bytes", "a hot row", table / ours)
