"""The databases that figures are measured on: an embedded PostgreSQL with generated series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.asof import Span
from aurum.storage.embedded import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.postgres.connection.copy import Layout
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.stores import PostgresStore

START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = 8_760
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
OBSERVATION = Layout(**_POINT)
VERSION = Layout(**_POINT, superseded_at="timestamptz")

Draw: TypeAlias = Callable[[int, int], NDArray[np.float64]]
"""Returns ``count`` prices of one series, the same ones for the same ``seed``."""

_TOGETHER = 100
"""Series in one COPY."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A migrated database: its ports and its URL."""

    store: PostgresStore
    url: str

    async def close(self) -> None:
        """Close the connections."""
        await self.store.pool.close()


async def make_stage(server: EmbeddedPostgres, name: str) -> Stage:
    """Create a database, migrate it and open it."""
    connection = await asyncpg.connect(server.url_of("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return await open_stage(server.url_of(name))


async def open_stage(url: str) -> Stage:
    """Migrate an empty database and open it."""
    await upgrade(url)
    pool = await PostgresPool.open(DatabaseSettings(url=url, load_timeout_s=3600, statement_timeout_s=600))
    return Stage(PostgresStore(pool, SystemClock()), url)


def span(hours: int, start: datetime = START) -> Span:
    """Return the span of ``hours`` hours from ``start`` on."""
    return Span(start, start + HOUR * hours)


def as_query(requested: Span) -> str:
    """Return a span with both ends as ``start=...&end=...``."""
    return f"start={requested.start:%Y-%m-%dT%H:%M:%SZ}&end={requested.end:%Y-%m-%dT%H:%M:%SZ}"


def prices(count: int, seed: int) -> NDArray[np.float64]:
    """Return plausible prices with two decimals: a daily shape, noise, a few spikes."""
    random = np.random.default_rng(seed)
    shape = 35 + 15 * np.sin(np.arange(count) * 2 * np.pi / 24)
    spikes = (random.random(count) < 0.004) * random.exponential(300, count)
    return np.round(shape + random.normal(0, 6, count) + spikes, 2)


def observations(
    series_id: int, count: int, *, seed: int, step: timedelta = HOUR, known: datetime = START, draw: Draw = prices
) -> pl.DataFrame:
    """Return rows of one series in the columns of the table, ascending by ``ts``."""
    return pl.DataFrame(
        {
            "series_id": pl.repeat(series_id, count, dtype=pl.Int32, eager=True),
            "ts": pl.datetime_range(START, START + step * (count - 1), step, time_unit="us", time_zone="UTC", eager=True),
            "value": draw(count, seed),
            "quality": pl.repeat(0, count, dtype=pl.Int16, eager=True),
            "known_at": pl.repeat(known, count, dtype=pl.Datetime("us", "UTC"), eager=True),
        }
    )


async def add_series(stage: Stage, keys: Iterable[str], *, frequency: str = "1h") -> list[int]:
    """Add series without observations, and return their ids in order."""
    async with stage.store.pool.acquire() as connection:
        rows = await connection.fetch(
            """INSERT INTO series (key, source, dataset, location, measure, market, unit, currency, frequency, zone,
                                   location_name, location_type, labels, version)
               SELECT key, split_part(key, ':', 1), split_part(key, ':', 2), split_part(key, ':', 3), split_part(key, ':', 4),
                      'NYISO', 'USD/MWh', 'USD', $2, 'America/New_York', '', '', '{}', 1
               FROM unnest($1::text[]) WITH ORDINALITY AS requested(key, place) ORDER BY place RETURNING series_id""",
            list(keys),
            frequency,
        )
    return [row["series_id"] for row in rows]


async def copy_in(stage: Stage, frame: pl.DataFrame, *, table: str = "observation", layout: Layout = OBSERVATION) -> None:
    """Write a frame by a plain binary COPY, which no loader can beat."""
    async with stage.store.pool.acquire() as connection:
        await connection.copy_to_table(table, source=layout.source(frame), columns=list(layout.columns), format="binary")


async def add_hourly(stage: Stage, prefix: str, count: int, draw: Draw = prices) -> list[int]:
    """Write at least ``count`` hourly observations in series of one year, without the loader. Return the series' ids."""
    ids = await add_series(stage, [f"{prefix}:{number}:lmp" for number in range(-(-count // YEAR))])
    for first in range(0, len(ids), _TOGETHER):
        parts = [observations(series_id, YEAR, seed=series_id, draw=draw) for series_id in ids[first : first + _TOGETHER]]
        await copy_in(stage, pl.concat(parts))
    await settle(stage)
    return ids


async def settle(stage: Stage) -> None:
    """Update statistics, hint bits and dirty pages now, so that no such work falls into a measurement."""
    async with stage.store.pool.acquire() as connection:
        # A load would have set these columns, by which the service tells a slice from a whole history.
        await connection.execute(
            """UPDATE series AS s SET first_ts = o.first, last_ts = o.last
               FROM (SELECT series_id, min(ts) AS first, max(ts) AS last FROM observation GROUP BY series_id) AS o
               WHERE o.series_id = s.series_id AND s.first_ts IS NULL"""
        )
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
