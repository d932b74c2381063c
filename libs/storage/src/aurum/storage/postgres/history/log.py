"""The archive log on PostgreSQL: parts are read from one snapshot, then named in the log and deleted in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, timedelta

import asyncpg
import polars as pl

from aurum.core.errors import Conflict
from aurum.core.frames import HISTORY, UTC_US
from aurum.core.history import tally
from aurum.storage.ports.history import (
    ArchivedMonth,
    ArchivedPart,
    ArchiveRunning,
    ClosedMonth,
    Months,
    PartsSnapshot,
    RemovedSeries,
)
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of
from aurum.storage.postgres.history.quotes import PostgresQuoteArchiveLog

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_SUPERSEDED = {**_POINT, "superseded_at": "timestamptz"}

RUN_LOCK = 0x41554152  # "AUAR"
"""Advisory lock of the session that moves months to history."""
_PARTS_PER_PAGE = 20_000

_OF_MONTHS = "series_id = ANY($1) AND ts >= $2::date AND ts < $3::date + interval '1 month'"
_CURRENT = packed(_POINT, f"SELECT {', '.join(_POINT)} FROM observation WHERE {_OF_MONTHS}")  # noqa: S608 - constants
_VERSIONS = packed(_SUPERSEDED, f"SELECT {', '.join(_SUPERSEDED)} FROM observation_version WHERE {_OF_MONTHS}")  # noqa: S608 - constants

# Steps from each month of a series to its next one: one index look-up for each month, whatever the length of the table.
_CLOSED_MONTHS = """
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
_SIZE = {"series_id": "int4", "month": "timestamptz", "rows": "int4"}
_SIZES = packed(
    _SIZE,
    f"""
    SELECT series_id, month, sum(rows)::int AS rows FROM (
        SELECT series_id, date_trunc('month', ts) AS month, count(*) AS rows FROM observation WHERE {_OF_MONTHS} GROUP BY 1, 2
        UNION ALL
        SELECT series_id, date_trunc('month', ts), count(*) FROM observation_version WHERE {_OF_MONTHS} GROUP BY 1, 2
    ) AS counted GROUP BY series_id, month ORDER BY month, series_id
    """,  # noqa: S608 - constants
)
_SIZES_SCHEMA = pl.Schema({"series_id": pl.Int32(), "month": pl.Date(), "rows": pl.Int64()})
# In the order in which loads lock, so that the two cannot deadlock.
_LOCK = "SELECT series_id, version FROM series WHERE series_id = ANY($1) ORDER BY series_id FOR NO KEY UPDATE"
_NAME_PARTS = """
INSERT INTO archived_part (series_id, month, archive_id, rows, checksum)
SELECT series_id, month, $1, rows, checksum FROM unnest($2::int[], $3::date[], $4::bigint[], $5::bigint[])
    AS moved(series_id, month, rows, checksum)
"""
_OF_PARTS = """
USING unnest($1::int[], $2::date[]) AS moved(series_id, month)
WHERE h.series_id = moved.series_id AND h.ts >= moved.month AND h.ts < moved.month + interval '1 month'
"""
# A new run treats unfinished ids of other runs as abandoned. Another run may still be alive, if the connection with its lock
# was lost. From here on it cannot name a part under these ids, so rows that are discarded are never needed.
_ABANDON = "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE named_at IS NULL AND unnamed_at IS NULL"
_MARK_NAMED = "UPDATE archive_run SET named_at = clock_timestamp() WHERE archive_id = $1 AND unnamed_at IS NULL"
_UNUSED_IDS = """
SELECT r.archive_id FROM archive_run AS r
WHERE NOT EXISTS (SELECT FROM archived_part AS p WHERE p.archive_id = r.archive_id)
  AND NOT EXISTS (SELECT FROM archived_quotes AS q WHERE q.archive_id = r.archive_id)
  AND (r.named_at IS NULL OR r.unnamed_at <= clock_timestamp() - $1::interval)
"""
_MONTHS = """
SELECT r.source, p.month, count(*) AS parts, sum(p.rows)::bigint AS rows
FROM (SELECT archive_id, month, rows FROM archived_part UNION ALL SELECT archive_id, month, rows FROM archived_quotes) AS p
JOIN archive_run AS r USING (archive_id) GROUP BY r.source, p.month ORDER BY r.source, p.month
"""
# Ids of the source only: history may be shared with another store, in which the number belongs to another series.
_REMOVED = """
SELECT r.series_id, coalesce((SELECT array_agg(a.archive_id) FROM archive_run AS a WHERE a.source = r.source), '{}') AS ids
FROM removed_series AS r
WHERE r.removed_at <= clock_timestamp() - $1::interval AND ($2 OR r.erased_at IS NULL) ORDER BY r.series_id
"""
_MARK_ERASED = "UPDATE removed_series SET erased_at = clock_timestamp() WHERE series_id = ANY($1) AND erased_at IS NULL"
_PARTS = f"""
SELECT {PART} FROM {PARTS}
WHERE (p.series_id, p.month) > ($1, $2::date) AND ($3::text IS NULL OR s.source = $3) AND ($4::date IS NULL OR p.month = $4)
ORDER BY p.series_id, p.month LIMIT $5
"""  # noqa: S608 - constants


class HotRowsDiffer(Conflict):
    """The hot rows to be deleted differ from the snapshot, although the series did not change; nothing was deleted."""


class RunGivenUp(Conflict):
    """Another run began during this one and marked its id as abandoned; the parts of this id were not archived.

    Facts: ``archive_id``.
    """


@contextmanager
def _closed_on_failure(connection: Connection) -> Generator[None]:
    """Close the connection when the block fails or is cancelled."""
    try:
        yield
    except BaseException:
        with suppress(asyncpg.InterfaceError):  # the connection is already lost
            connection.terminate()
        raise


class PostgresArchiveLog:
    """``ArchiveLog`` on PostgreSQL. A run holds one connection throughout, and each of its steps uses another."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    @property
    def quotes(self) -> PostgresQuoteArchiveLog:
        return PostgresQuoteArchiveLog(self._pool)

    @asynccontextmanager
    async def exclusive_run(self) -> AsyncGenerator[None]:
        async with self._pool.acquire() as connection:
            # The lock belongs to the session, so a connection that may still hold it must not return to the pool.
            with _closed_on_failure(connection):
                is_locked = await connection.fetchval("SELECT pg_try_advisory_lock($1)", RUN_LOCK)
            if not is_locked:
                raise ArchiveRunning(
                    "another run is moving months to history, or a migration rewrites their rows: wait until it has ended",
                    retry_after=60.0,
                )
            try:
                yield
            finally:
                with _closed_on_failure(connection):
                    await connection.execute("SELECT pg_advisory_unlock($1)", RUN_LOCK)

    async def closed_months(self, before: date, *, source: str | None = None) -> Sequence[ClosedMonth]:
        async with self._pool.begin_long() as connection:
            rows = await connection.fetch(_CLOSED_MONTHS, before, source)
        return [ClosedMonth(row["source"], row["month"], tuple(row["series_ids"])) for row in rows]

    async def sizes(self, months: Sequence[ClosedMonth]) -> pl.DataFrame:
        if not months:
            return pl.DataFrame(schema=_SIZES_SCHEMA)
        ids = sorted({series_id for month in months for series_id in month.series_ids})
        ends = min(month.month for month in months), max(month.month for month in months)
        async with self._pool.begin_long() as connection:
            counted = unpacked(_SIZE, await connection.fetchrow(_SIZES, ids, *ends))
        return counted.select(pl.col("series_id").cast(pl.Int32), pl.col("month").dt.date(), pl.col("rows").cast(pl.Int64))

    async def begin(self, source: str, months: Months) -> int:
        async with self._pool.acquire() as connection:
            return await connection.fetchval(
                "INSERT INTO archive_run (source, month) VALUES ($1, $2) RETURNING archive_id", source, months.first
            )

    async def snapshot(self, series_ids: Sequence[int], months: Months) -> PartsSnapshot:
        async with self._pool.begin_long(isolation="repeatable_read") as connection:
            versions = await connection.fetch("SELECT series_id, version FROM series WHERE series_id = ANY($1)", series_ids)
            rows = await _history(connection, series_ids, months)
        return PartsSnapshot(months, rows, {row["series_id"]: row["version"] for row in versions})

    async def commit(self, archive_id: int, snapshot: PartsSnapshot) -> pl.DataFrame:
        tallies = await asyncio.to_thread(tally, snapshot.rows)
        ids = tallies["series_id"].unique().sort().to_list()
        async with self._pool.begin_long() as connection:
            versions = {row["series_id"]: row["version"] for row in await connection.fetch(_LOCK, ids)}
            same_version = [series_id for series_id in versions if versions[series_id] == snapshot.versions[series_id]]
            # A newer version need not concern these months: series of short steps change all the time.
            newer_version = [series_id for series_id in versions if versions[series_id] != snapshot.versions[series_id]]
            whole = tallies.filter(pl.col("series_id").is_in(same_version))
            single = await _unchanged(connection, tallies, newer_version, snapshot.months)
            moving = pl.concat([whole, single]).sort("series_id", "month")
            if moving.is_empty():
                return moving
            if await connection.execute(_MARK_NAMED, archive_id) != "UPDATE 1":
                raise RunGivenUp(
                    "another run began during this one: these parts were not archived, run `aurum archive run` again",
                    archive_id=archive_id,
                )
            deleted = 0
            for table in ("observation", "observation_version"):
                deleted += await _delete_series(connection, table, same_version, snapshot.months)
                deleted += await _delete_parts(connection, table, single)
            if deleted != (expected := moving["rows"].sum()):
                raise HotRowsDiffer(
                    f"the hot store has {deleted} rows of {snapshot.months}, the snapshot {expected}: "
                    "these series stay in the hot store; run `aurum archive run` again"
                )
            await connection.execute(
                _NAME_PARTS, archive_id, *(moving[name].to_list() for name in ("series_id", "month", "rows", "checksum"))
            )
        return moving

    async def unused_ids(self, *, idle: timedelta) -> frozenset[int]:
        async with self._pool.begin_long() as connection:
            await connection.execute(_ABANDON)
            return frozenset(row["archive_id"] for row in await connection.fetch(_UNUSED_IDS, idle))

    async def removed_series(self, *, idle: timedelta, all_of_them: bool = False) -> Sequence[RemovedSeries]:
        async with self._pool.begin_long() as connection:
            rows = await connection.fetch(_REMOVED, idle, all_of_them)
        return [RemovedSeries(row["series_id"], frozenset(row["ids"])) for row in rows]

    async def mark_erased(self, series_ids: Collection[int]) -> None:
        async with self._pool.begin_long() as connection:
            await connection.execute(_MARK_ERASED, sorted(series_ids))

    async def months(self) -> Sequence[ArchivedMonth]:
        async with self._pool.begin_long() as connection:
            return [ArchivedMonth(*row) for row in await connection.fetch(_MONTHS)]

    async def parts(self, *, source: str | None = None, month: date | None = None) -> AsyncIterator[Sequence[ArchivedPart]]:
        after = (-1, date.min)
        while True:
            async with self._pool.begin_long() as connection:
                page = parts_of(await connection.fetch(_PARTS, *after, source, month, _PARTS_PER_PAGE))
            if not page:
                return
            after = (page[-1].series_id, page[-1].month)
            yield page


async def _unchanged(connection: Connection, tallies: pl.DataFrame, series_ids: Sequence[int], months: Months) -> pl.DataFrame:
    """Return the rows of a ``TALLY`` frame, of some locked series, whose parts still have the rows they were counted over."""
    if not series_ids:
        return tallies.clear()
    present = await asyncio.to_thread(tally, await _history(connection, series_ids, months))
    return tallies.join(present, on=tallies.columns, how="semi")


async def _history(connection: Connection, series_ids: Sequence[int], months: Months) -> pl.DataFrame:
    ends = months.first, months.last
    current = unpacked(_POINT, await connection.fetchrow(_CURRENT, series_ids, *ends))
    superseded = unpacked(_SUPERSEDED, await connection.fetchrow(_VERSIONS, series_ids, *ends))
    current = current.with_columns(pl.lit(None, UTC_US).alias("superseded_at"))
    columns = list(HISTORY)
    return await asyncio.to_thread(
        lambda: pl.concat([current.select(columns), superseded.select(columns)]).sort("series_id", "ts", "known_at")
    )


async def _delete_series(connection: Connection, table: str, series_ids: Sequence[int], months: Months) -> int:
    query = f"DELETE FROM {table} WHERE {_OF_MONTHS}"  # noqa: S608 - constants
    return _deleted(await connection.execute(query, series_ids, months.first, months.last))


async def _delete_parts(connection: Connection, table: str, parts: pl.DataFrame) -> int:
    if parts.is_empty():
        return 0
    query = f"DELETE FROM {table} AS h {_OF_PARTS}"  # noqa: S608 - constants
    return _deleted(await connection.execute(query, parts["series_id"].to_list(), parts["month"].to_list()))


def _deleted(status: str) -> int:
    return int(status.removeprefix("DELETE "))
