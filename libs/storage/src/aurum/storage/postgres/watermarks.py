"""Watermarks of fetches on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import date

import asyncpg

from aurum.storage.ports.watermarks import DayState, FetchedDay, FetchState, Watermark
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_COLUMNS = "source, dataset, fetched_to, last_attempt, last_success, next_due, state, reason"
_READ = f'SELECT {_COLUMNS} FROM watermark ORDER BY source COLLATE "C", dataset COLLATE "C"'  # noqa: S608 - constants
_READ_ONE = f"SELECT {_COLUMNS} FROM watermark WHERE (source, dataset) = ($1, $2)"  # noqa: S608 - constants
_DAYS = """
SELECT source, dataset, day, state, at, reason FROM fetched_day
WHERE (source, dataset) = ($1, $2) AND day BETWEEN $3 AND $4 ORDER BY day
"""
_PUT = f"""
INSERT INTO watermark ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (source, dataset) DO UPDATE
SET fetched_to = excluded.fetched_to, last_attempt = excluded.last_attempt, last_success = excluded.last_success,
    next_due = excluded.next_due, state = excluded.state, reason = excluded.reason
"""  # noqa: S608 - constants
_PUT_DAY = """
INSERT INTO fetched_day AS d (source, dataset, day, state, at, reason) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source, dataset, day) DO UPDATE SET state = excluded.state, at = excluded.at, reason = excluded.reason
WHERE excluded.state = 'loaded' OR d.state <> 'loaded'
"""


class PostgresWatermarkLog:
    """``WatermarkLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def watermarks(self) -> Sequence[Watermark]:
        async with self._pool.acquire() as connection:
            return [_watermark(row) for row in await connection.fetch(_READ)]

    async def watermark(self, source: str, dataset: str) -> Watermark | None:
        row = await self._pool.reads.fetchrow(_READ_ONE, source, dataset)
        return None if row is None else _watermark(row)

    async def days(self, source: str, dataset: str, first: date, last: date) -> Sequence[FetchedDay]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_DAYS, source, dataset, first, last)
        return [
            FetchedDay(row["source"], row["dataset"], row["day"], DayState(row["state"]), row["at"], row["reason"])
            for row in rows
        ]


class PostgresWatermarkWriter:
    """``WatermarkWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, watermark: Watermark) -> None:
        await self._connection.execute(_PUT, *astuple(watermark))

    async def put_days(self, days: Sequence[FetchedDay]) -> None:
        await self._connection.executemany(_PUT_DAY, [astuple(day) for day in days])


def _watermark(row: asyncpg.Record) -> Watermark:
    return Watermark(
        row["source"],
        row["dataset"],
        row["fetched_to"],
        row["last_attempt"],
        row["last_success"],
        row["next_due"],
        FetchState(row["state"]),
        row["reason"],
    )
