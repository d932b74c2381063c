"""Scans of a day of many series in hourly sums: embedded ClickHouse, PostgreSQL, and DuckDB over Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from aurum.common.settings import ClickhouseSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.frames import HISTORY, UTC_US
from aurum.core.history import tally
from aurum.core.series.partials import PARTIALS
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.ports.history import ArchivedPart
from bench.harness import Figure, Run, side_by_side, timed
from bench.scale import Scale
from bench.stage import DAY, OBSERVATION, START, Stage, add_series, copy_in, observations, settle, span

_HOURS = 31 * 24
_DAY = span(24, START + 10 * DAY)
_SOURCE = "invented"
_TOGETHER = 200
"""Series in one COPY."""

# No query counts withdrawn values and NaN.
_DUCKDB = """
SELECT series_id, time_bucket(INTERVAL 1 HOUR, ts, TIMESTAMPTZ 'epoch') AS ts, sum(value) AS sum, count(*)::INTEGER AS count,
       min(value) AS min, max(value) AS max, max(quality) AS quality, max(known_at) AS known_at
FROM read_parquet($file)
WHERE ts >= $start AND ts < $end AND superseded_at IS NULL AND quality <> 9 AND NOT isnan(value)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_STORED = """
SELECT sum(data_compressed_bytes) AS bytes FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
"""
_CODECS: Sequence[str] = ("LZ4", "ZSTD", "ZSTD(6)", "Gorilla, ZSTD", "Delta, ZSTD", "FPC, ZSTD")


async def measure(stage: Stage, scale: Scale) -> tuple[list[Figure], list[str]]:
    """Fill all three with the same month and measure the same query. The notes state the bytes of values under each codec."""
    count = max(50, scale.short // 1_000)
    ids = await add_series(stage, [f"{_SOURCE}:wide:{number}:lmp" for number in range(count)])
    frames = [observations(series_id, _HOURS, seed=series_id) for series_id in ids]
    for first in range(0, count, _TOGETHER):
        await copy_in(stage, pl.concat(frames[first : first + _TOGETHER]), layout=OBSERVATION)
    await settle(stage)
    rows = pl.concat(frames).select(
        "series_id", "ts", "known_at", pl.lit(None, UTC_US).alias("superseded_at"), "value", "quality"
    )
    assert rows.schema == HISTORY
    with tempfile.TemporaryDirectory(prefix="aurum-bench-wide-") as folder:
        parquet = Path(folder) / "month.parquet"
        rows.write_parquet(parquet, compression="zstd")
        pool = await ClickhousePool.open(ClickhouseSettings(folder=Path(folder) / "clickhouse"), ResilienceSettings())
        store = ClickhouseHistory(pool)
        await store.write(rows, source=_SOURCE, archive_id=1)
        await store.upkeep()
        parts = [
            ArchivedPart(series_id, month, 1, _SOURCE, size, checksum)
            for series_id, month, size, checksum in tally(rows).iter_rows()
        ]
        figures = await _figures(stage, scale, pool, parts, ids, parquet)
        notes = [await _codecs(pool, rows.height)]
        await pool.close()
    return figures, notes


async def _figures(
    stage: Stage, scale: Scale, pool: ClickhousePool, parts: Sequence[ArchivedPart], ids: Sequence[int], parquet: Path
) -> list[Figure]:
    name = f"wide scan: {len(ids):,} series, a day of a month"
    ours, postgres, lake = _ours(pool, parts), _postgres(stage, ids), _duckdb(parquet)
    await _check_equal(pool, parts, stage, ids, parquet)
    size = len(ids) * _HOURS
    packed = _bytes_of(parquet) / size
    stored = float((await pool.read(_STORED, {"table": "observation_history"}))["bytes"][0]) / size
    async with stage.store.pool.acquire() as connection:
        table = await connection.fetchval("SELECT pg_total_relation_size('observation')") / size
    return [
        await side_by_side(
            name,
            ours,
            postgres,
            unit="ms",
            against="PostgreSQL",
            rounds=scale.rounds,
            target=1.0,
            stretch=2.0,
            less_is_better=True,
        ),
        await side_by_side(
            f"{name}, beside DuckDB",
            ours,
            lake,
            unit="ms",
            against="DuckDB over Parquet",
            rounds=scale.rounds,
            less_is_better=True,
        ),
        Figure("bytes a row in ClickHouse", stored, table, "bytes", "PostgreSQL with its index", table / stored, 8.0, 15.0),
        Figure(
            "bytes a row in ClickHouse, beside Parquet",
            stored,
            packed,
            "bytes",
            "Parquet with ZSTD",
            packed / stored,
        ),
    ]


def _ours(pool: ClickhousePool, parts: Sequence[ArchivedPart]) -> Run:
    async def run() -> float:
        watch = timed()
        await ClickhouseWideScans(pool).partials(parts, span=_DAY)
        return watch() * 1000

    return run


def _postgres(stage: Stage, ids: Sequence[int]) -> Run:
    async def run() -> float:
        watch = timed()
        await stage.store.partials.partials(ids, span=_DAY)
        return watch() * 1000

    return run


def _duckdb(parquet: Path) -> Run:
    async def run() -> float:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            watch = timed()
            _scan(connection, parquet)
            return watch() * 1000

    return run


def _scan(connection: duckdb.DuckDBPyConnection, parquet: Path) -> pl.DataFrame:
    ends = {"file": str(parquet), "start": _DAY.start, "end": _DAY.end}
    return pl.DataFrame(connection.sql(_DUCKDB, params=ends).to_arrow_table())


async def _check_equal(
    pool: ClickhousePool, parts: Sequence[ArchivedPart], stage: Stage, ids: Sequence[int], parquet: Path
) -> None:
    """Check that all three return the same buckets."""
    ours = await ClickhouseWideScans(pool).partials(parts, span=_DAY)
    assert ours.height == len(ids) * 24
    assert_frame_equal(ours, await stage.store.partials.partials(ids, span=_DAY))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        assert_frame_equal(ours, _scan(connection, parquet).cast(dict(PARTIALS)))


def _bytes_of(file: Path) -> int:
    return file.stat().st_size


async def _codecs(pool: ClickhousePool, size: int) -> str:
    """Return a note with the bytes of a value under each codec."""
    sizes: list[str] = []
    for number, codec in enumerate(_CODECS):
        table = f"codec_{number}"
        await pool.command(
            f"CREATE TABLE {table} (series_id Int32, ts DateTime64(6), value Float64 CODEC({codec}))"
            " ENGINE = MergeTree ORDER BY (series_id, ts) SETTINGS min_bytes_for_wide_part = 0"
        )
        await pool.command(f"INSERT INTO {table} SELECT series_id, ts, value FROM observation_history")
        await pool.command(f"OPTIMIZE TABLE {table} FINAL")
        stored = await pool.read(
            "SELECT sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns"
            " WHERE database = currentDatabase() AND table = {table:String} AND column = 'value' AND active",
            {"table": table},
        )
        sizes.append(f"{float(stored['bytes'][0]) / size:.2f} ({codec})")
    return f"a value costs {', '.join(sizes)} bytes"
