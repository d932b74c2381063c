"""History in Iceberg: reads of a month of one series through Trino, and two ways to write and read a month of many."""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import SecretStr

from aurum.common.settings import TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.asof import Span
from aurum.core.frames import HISTORY
from aurum.core.history import tally
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.trino import TrinoHistory, TrinoPool
from bench.harness import Figure, Run, limit, side_by_side, timed
from bench.scale import Scale
from bench.stage import START

_STEP = timedelta(minutes=5)
_MONTH = 31 * 24 * 12
"""Rows of a series in January."""
_SLICES, _WARM_UP = 60, 20
_MOST_MS = 1_500.0
_INSERTED = 2_000
"""Rows of one INSERT, whose text may have a million characters."""
_SOURCE, _JANUARY = "invented", date(2025, 1, 1)
_SCHEMA = "bench"


async def measure(server: EmbeddedPostgres, scale: Scale) -> list[Figure]:
    """Start a Trino beside ``server`` and measure. Raises ``EmbeddedServerFailed`` if Trino cannot be started."""
    with tempfile.TemporaryDirectory(prefix="aurum-trino-") as folder, EmbeddedTrino(Path(folder), server) as trino:
        settings = TrinoSettings(
            host="127.0.0.1",
            port=trino.port,
            schema=_SCHEMA,
            catalog_uri=SecretStr(trino.catalog_uri),
            warehouse=trino.warehouse,
            statement_timeout_s=300.0,
        )
        pool = TrinoPool(settings, ResilienceSettings())
        history = TrinoHistory(pool)
        rows = invented(max(1, scale.bulk // _MONTH))
        parts = await _archived(history, rows, archive_id=1)
        await _p95(history, parts, slices=_WARM_UP)
        months = [await _p95(history, parts) for _ in range(scale.rounds)]
        figures = [
            limit(f"Iceberg: a month of one series of {len(parts)}, p95", months, _MOST_MS, unit="ms", stretch=3.0),
            await side_by_side(
                f"Iceberg: {rows.height / 1e6:.2g}M rows in, through the catalog",
                _writing(history, rows),
                _inserting(pool, rows),
                unit="rows/s",
                against=f"INSERTs of {_INSERTED:,} rows through Trino",
                rounds=min(2, scale.rounds),
            ),
        ]
        figures.append(
            await side_by_side(
                f"Iceberg: {rows.height / 1e6:.2g}M rows out, through Trino",
                _reading(history, parts),
                _scanning(settings, rows.height),
                unit="rows/s",
                against="pyiceberg and pyarrow in this process",
                rounds=min(2, scale.rounds),
            )
        )
        await history.close()
    return figures


def invented(series: int) -> pl.DataFrame:
    """Return January of ``series`` series in five-minute steps, schema ``HISTORY``."""
    draw = np.random.default_rng(series)
    ts = pl.datetime_range(START, START + _STEP * (_MONTH - 1), _STEP, time_unit="us", eager=True)
    ids = pl.Series("series_id", np.arange(1, series + 1), pl.Int32)
    frame = pl.DataFrame(ids).join(pl.DataFrame(ts.alias("ts")), how="cross")
    return frame.with_columns(
        pl.col("ts").alias("known_at"),
        pl.lit(None, HISTORY["ts"]).alias("superseded_at"),
        pl.Series("value", draw.normal(40.0, 15.0, frame.height)),
        pl.lit(0, pl.Int16).alias("quality"),
    ).select(list(HISTORY))


async def _archived(history: TrinoHistory, rows: pl.DataFrame, *, archive_id: int) -> list[ArchivedPart]:
    await history.write(rows, source=_SOURCE, archive_id=archive_id)
    return [
        ArchivedPart(series_id, month, archive_id, _SOURCE, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]


async def _p95(history: TrinoHistory, parts: Sequence[ArchivedPart], slices: int = _SLICES) -> float:
    draw = random.Random(len(parts))
    times: list[float] = []
    for _ in range(slices):
        watch = timed()
        rows = await history.many([draw.choice(parts)], span=Span())
        times.append(watch() * 1000)
        assert rows.height == _MONTH
    return statistics.quantiles(times, n=20)[-1]


def _writing(history: TrinoHistory, rows: pl.DataFrame) -> Run:
    async def run() -> float:
        watch = timed()
        await history.write(rows, source=_SOURCE, archive_id=2)
        return rows.height / watch()

    return run


def _inserting(pool: TrinoPool, rows: pl.DataFrame) -> Run:
    """Return a measurement of INSERT statements of the first rows. One is enough: the rate is the same for each."""
    some = rows.head(_INSERTED)
    listed = ", ".join(
        f"({series_id}, TIMESTAMP '{ts:%Y-%m-%d %H:%M:%S.%f} UTC', TIMESTAMP '{known:%Y-%m-%d %H:%M:%S.%f} UTC', {value!r}e0)"
        for series_id, ts, known, _, value, _ in some.iter_rows()
    )
    columns = "source, month, archive_id, series_id, ts, known_at, superseded_at, value, quality"
    statement = (
        f"INSERT INTO {_SCHEMA}.observation_history ({columns}) SELECT '{_SOURCE}', DATE '{_JANUARY}', 3, a, b, c, NULL, d, 0 "
        f"FROM (VALUES {listed}) AS t (a, b, c, d)"
    )

    async def run() -> float:
        watch = timed()
        await pool.execute(statement, timeout_s=300.0)
        return some.height / watch()

    return run


def _reading(history: TrinoHistory, parts: Sequence[ArchivedPart]) -> Run:
    async def run() -> float:
        watch = timed()
        rows = await history.rows(parts)
        return rows.height / watch()

    return run


def _scanning(settings: TrinoSettings, expected: int) -> Run:
    from pyiceberg.catalog.sql import SqlCatalog

    assert settings.catalog_uri is not None
    uri = settings.catalog_uri.get_secret_value().replace("postgresql://", "postgresql+psycopg2://", 1)
    catalog = SqlCatalog("aurum", uri=uri, warehouse=str(settings.warehouse))

    async def run() -> float:
        watch = timed()
        table = catalog.load_table((_SCHEMA, "observation_history"))
        table_rows = table.scan(row_filter="archive_id = 1", selected_fields=tuple(HISTORY)).to_arrow()
        assert table_rows.num_rows == expected
        return table_rows.num_rows / watch()

    return run
