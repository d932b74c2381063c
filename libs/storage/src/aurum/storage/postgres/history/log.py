"""The archive log, and the moves of parts: taken from one snapshot, named and deleted in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, timedelta

import asyncpg
import polars as pl

from aurum.core.errors import Conflict
from aurum.core.frames import HISTORY, UTC_US
from aurum.core.history import tally
from aurum.storage.ports.history import ArchivedMonth, ArchivedPart, ArchiveRunning, ClosedMonth, Taken
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_ENDED = {**_POINT, "superseded_at": "timestamptz"}

_ALONE = 0x41554152  # "AUAR"
_PAGE = 20_000

_OF_MONTH = "series_id = ANY($1) AND ts >= $2::date AND ts < $2::date + interval '1 month'"
_CURRENT = packed(_POINT, f"SELECT {', '.join(_POINT)} FROM observation WHERE {_OF_MONTH}")  # noqa: S608 - constants
_VERSIONS = packed(_ENDED, f"SELECT {', '.join(_ENDED)} FROM observation_version WHERE {_OF_MONTH}")  # noqa: S608 - constants

# From each month that a series has to the next one: a look-up in the index a month, however long the table is.
_CLOSED = """
WITH RECURSIVE hot(series_id, source, month) AS (
    SELECT s.series_id, s.source, date_trunc('month', first.ts)
    FROM series AS s CROSS JOIN LATERAL (
        SELECT o.ts FROM observation AS o WHERE o.series_id = s.series_id AND o.ts < $1::date ORDER BY o.ts LIMIT 1
    ) AS first
    WHERE $2::text IS NULL OR s.source = $2
    UNION ALL
    SELECT hot.series_id, hot.source, date_trunc('month', next.ts)
    FROM hot CROSS JOIN LATERAL (
        SELECT o.ts FROM observation AS o
        WHERE o.series_id = hot.series_id AND o.ts >= hot.month + interval '1 month' AND o.ts < $1::date ORDER BY o.ts LIMIT 1
    ) AS next
)
SELECT source, month::date AS month, array_agg(series_id ORDER BY series_id) AS series_ids
FROM hot GROUP BY source, month ORDER BY source, month
"""
_SIZES = f"""
SELECT series_id, sum(rows)::bigint AS rows FROM (
    SELECT series_id, count(*) AS rows FROM observation WHERE {_OF_MONTH} GROUP BY series_id
    UNION ALL
    SELECT series_id, count(*) AS rows FROM observation_version WHERE {_OF_MONTH} GROUP BY series_id
) AS counted GROUP BY series_id
"""  # noqa: S608 - constants
# In the order in which loads lock: neither waits for the other in a circle.
_LOCK = "SELECT series_id, version FROM series WHERE series_id = ANY($1) ORDER BY series_id FOR NO KEY UPDATE"
_NAME = """
INSERT INTO archived_part (series_id, month, archive_id, rows, checksum)
SELECT series_id, $1::date, $2, rows, checksum FROM unnest($3::int[], $4::bigint[], $5::bigint[])
    AS given(series_id, rows, checksum)
"""
# Who begins a run takes what others left unfinished for dead. One of them may live, if the connection that made it alone
# broke: from here on it can name nothing, so what is dropped can never be missed.
_GIVEN_UP = "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE named_at IS NULL AND unnamed_at IS NULL"
_NAMED = "UPDATE archive_run SET named_at = clock_timestamp() WHERE archive_id = $1 AND unnamed_at IS NULL"
_UNNAMED = """
SELECT r.archive_id FROM archive_run AS r
WHERE NOT EXISTS (SELECT FROM archived_part AS p WHERE p.archive_id = r.archive_id)
  AND (r.named_at IS NULL OR r.unnamed_at <= clock_timestamp() - $1::interval)
"""
_MONTHS = """
SELECT r.source, r.month, count(*) AS parts, sum(p.rows)::bigint AS rows
FROM archived_part AS p JOIN archive_run AS r USING (archive_id) GROUP BY r.source, r.month ORDER BY r.source, r.month
"""
_PARTS = f"""
SELECT {PART} FROM {PARTS}
WHERE (p.series_id, p.month) > ($1, $2::date) AND ($3::text IS NULL OR s.source = $3) AND ($4::date IS NULL OR p.month = $4)
ORDER BY p.series_id, p.month LIMIT $5
"""  # noqa: S608 - constants


class HotRowsDiffer(Conflict):
    """What was to be deleted is not what was taken, though its series did not change; nothing was deleted."""


class RunGivenUp(Conflict):
    """Another run began while this one was under way, and took it for dead; nothing of this piece was archived.

    Facts: ``archive_id``.
    """


@contextmanager
def _ended_unless_done(connection: Connection) -> Generator[None]:
    """End the connection when the block fails or is cancelled."""
    try:
        yield
    except BaseException:
        with suppress(asyncpg.InterfaceError):  # it has broken by itself
            connection.terminate()
        raise


class PostgresArchiveLog:
    """``ArchiveLog`` on PostgreSQL. A run holds one connection throughout, its steps one more."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        async with self._pool.acquire() as connection:
            # The lock belongs to the session. A connection that may still hold it must not go back to the pool.
            with _ended_unless_done(connection):
                locked = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ALONE)
            if not locked:
                raise ArchiveRunning("another run moves months to history; one goes at a time", retry_after=60.0)
            try:
                yield
            finally:
                with _ended_unless_done(connection):
                    await connection.execute("SELECT pg_advisory_unlock($1)", _ALONE)

    async def closed(self, before: date, *, source: str | None = None) -> Sequence[ClosedMonth]:
        async with self._pool.lasting() as connection:
            rows = await connection.fetch(_CLOSED, before, source)
        return [ClosedMonth(row["source"], row["month"], tuple(row["series_ids"])) for row in rows]

    async def sizes(self, month: ClosedMonth) -> dict[int, int]:
        async with self._pool.lasting() as connection:
            rows = await connection.fetch(_SIZES, month.series_ids, month.month)
        return {row["series_id"]: row["rows"] for row in rows}

    async def begin(self, source: str, month: date) -> int:
        async with self._pool.acquire() as connection:
            return await connection.fetchval(
                "INSERT INTO archive_run (source, month) VALUES ($1, $2) RETURNING archive_id", source, month
            )

    async def take(self, series_ids: Sequence[int], month: date) -> Taken:
        async with self._pool.lasting(isolation="repeatable_read") as connection:
            versions = await connection.fetch("SELECT series_id, version FROM series WHERE series_id = ANY($1)", series_ids)
            rows = await _history(connection, series_ids, month)
        return Taken(rows, {row["series_id"]: row["version"] for row in versions})

    async def commit(self, archive_id: int, month: date, taken: Taken) -> frozenset[int]:
        tallied = await asyncio.to_thread(tally, taken.rows)
        ids = tallied["series_id"].to_list()
        async with self._pool.lasting() as connection:
            locked = {row["series_id"]: row["version"] for row in await connection.fetch(_LOCK, ids)}
            moving = await self._unchanged(connection, tallied, month, taken, locked)
            if moving.is_empty():
                return frozenset()
            if await connection.execute(_NAMED, archive_id) != "UPDATE 1":
                raise RunGivenUp(
                    "another run began while this one was under way: this piece was not archived", archive_id=archive_id
                )
            moved = moving["series_id"].to_list()
            gone = await _deleted(connection, "observation", moved, month)
            gone += await _deleted(connection, "observation_version", moved, month)
            if gone != moving["rows"].sum():
                raise HotRowsDiffer(f"{gone} hot rows of {month:%Y-%m} instead of {moving['rows'].sum()}: nothing was archived")
            await connection.execute(_NAME, month, archive_id, moved, moving["rows"].to_list(), moving["checksum"].to_list())
        return frozenset(moved)

    async def unnamed(self, *, idle: timedelta) -> frozenset[int]:
        async with self._pool.lasting() as connection:
            await connection.execute(_GIVEN_UP)
            return frozenset(row["archive_id"] for row in await connection.fetch(_UNNAMED, idle))

    async def months(self) -> Sequence[ArchivedMonth]:
        async with self._pool.lasting() as connection:
            return [ArchivedMonth(*row) for row in await connection.fetch(_MONTHS)]

    async def parts(self, *, source: str | None = None, month: date | None = None) -> AsyncIterator[Sequence[ArchivedPart]]:
        after = (-1, date.min)
        while True:
            async with self._pool.lasting() as connection:
                found = parts_of(await connection.fetch(_PARTS, *after, source, month, _PAGE))
            if not found:
                return
            after = (found[-1].series_id, found[-1].month)
            yield found

    async def _unchanged(
        self, connection: Connection, tallied: pl.DataFrame, month: date, taken: Taken, locked: dict[int, int]
    ) -> pl.DataFrame:
        """Of a ``TALLY`` the series, now locked, whose rows are still those taken."""
        still = [series_id for series_id in locked if locked[series_id] == taken.versions[series_id]]
        # A newer version need not concern this month: series of short steps change all the time.
        other = [series_id for series_id in locked if locked[series_id] != taken.versions[series_id]]
        same = tallied.filter(pl.col("series_id").is_in(still))
        if not other:
            return same
        again = await asyncio.to_thread(tally, await _history(connection, other, month))
        return pl.concat([same, tallied.join(again, on=tallied.columns, how="semi")]).sort("series_id")


async def _history(connection: Connection, series_ids: Sequence[int], month: date) -> pl.DataFrame:
    current = unpacked(_POINT, await connection.fetchrow(_CURRENT, series_ids, month))
    ended = unpacked(_ENDED, await connection.fetchrow(_VERSIONS, series_ids, month))
    current = current.with_columns(pl.lit(None, UTC_US).alias("superseded_at"))
    columns = list(HISTORY)
    return await asyncio.to_thread(
        lambda: pl.concat([current.select(columns), ended.select(columns)]).sort("series_id", "ts", "known_at")
    )


async def _deleted(connection: Connection, table: str, series_ids: Sequence[int], month: date) -> int:
    status = await connection.execute(f"DELETE FROM {table} WHERE {_OF_MONTH}", series_ids, month)  # noqa: S608 - constants
    return int(status.removeprefix("DELETE "))
