"""A run of the archive over many series with few rows, back to 1913: its time, and the number of its files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from aurum.common.clock import SystemClock
from aurum.pipelines.history.archive import Archive, archive_closed
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.postgres.history.log import PostgresArchiveLog
from bench.harness import Figure, limit, timed
from bench.scale import Scale
from bench.stage import START, Stage, add_series, copy_in, prices, settle

_MOST_S, _MOST_FILES = 60.0, 100.0
_END = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Series of one source. ``weight``: those of ``_KINDS`` in all, times their length, are 2.3M points."""

    source: str
    weight: int
    step: str
    first: datetime

    def instants(self) -> pl.Series:
        return pl.datetime_range(self.first, _END, self.step, closed="left", time_unit="us", time_zone="UTC", eager=True)


_KINDS = (
    _Kind("fred", 60, "1mo", datetime(1913, 1, 1, tzinfo=UTC)),
    _Kind("eia", 100, "1mo", datetime(1973, 1, 1, tzinfo=UTC)),
    _Kind("gas", 40, "1w", datetime(1986, 1, 6, tzinfo=UTC)),
    _Kind("drought", 120, "1w", datetime(2000, 1, 4, tzinfo=UTC)),
    _Kind("ecb", 30, "1d", datetime(1999, 1, 1, tzinfo=UTC)),
    _Kind("nyiso", 150, "1h", datetime(2023, 8, 1, tzinfo=UTC)),
)


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Fill an empty stage with about ``scale.archived`` points, archive all of them, and count seconds and files."""
    points = await _fill(stage, scale.archived)
    with tempfile.TemporaryDirectory(prefix="aurum-sparse-") as folder:
        history = DuckdbHistory(history_files_at(folder), SystemClock())
        archive = Archive(PostgresArchiveLog(stage.store.pool), history)
        watch = timed()
        moves = archive_closed(archive, now=SystemClock().now(), closed_after=timedelta(days=30))
        moved = sum([report.rows async for report in moves])
        seconds = watch()
        assert moved == points
        files = _files(Path(folder))
        await history.close()
    name = f"{points / 1e6:.1f}M points archived"
    return [
        limit(name, [seconds], _MOST_S, unit="s"),
        limit(f"{name}, files", [float(files)], _MOST_FILES, unit="files"),
    ]


def _files(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.parquet"))


async def _fill(stage: Stage, wanted: int) -> int:
    instants = {kind: kind.instants() for kind in _KINDS}
    share = wanted / sum(kind.weight * instants[kind].len() for kind in _KINDS)
    points = 0
    for kind in _KINDS:
        count = max(1, round(kind.weight * share))
        ids = await add_series(stage, [f"{kind.source}:sparse:{number}:value" for number in range(count)])
        frame = pl.concat([_points(series_id, instants[kind]) for series_id in ids])
        await copy_in(stage, frame)
        points += frame.height
    await settle(stage)
    return points


def _points(series_id: int, ts: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"ts": ts, "value": prices(ts.len(), series_id)}).select(
        pl.lit(series_id, pl.Int32).alias("series_id"),
        "ts",
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
        pl.lit(START, pl.Datetime("us", "UTC")).alias("known_at"),
    )
