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
from aurum.storage.ports.history import ArchivedMonth, ArchivedPart, ArchiveRunning, ClosedMonth, PartsSnapshot, RemovedSeries
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.history.parts import PART, PARTS, parts_of

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_SUPERSEDED = {**_POINT, "superseded_at": "timestamptz"}

RUN_LOCK = 0x41554152  # "AUAR"
"""Advisory lock of the session that moves months to history."""
_PARTS_PER_PAGE = 20_000

_OF_MONTH = "series_id = ANY($1) AND ts >= $2::date AND ts < $2::date + interval '1 month'"
_CURRENT = packed(_POINT, f"SELECT {', '.join(_POINT)} FROM observation WHERE {_OF_MONTH}")  # noqa: S608 - constants
_VERSIONS = packed(_SUPERSEDED, f"SELECT {', '.join(_SUPERSEDED)} FROM observation_version WHERE {_OF_MONTH}")  # noqa: S608 - constants

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
_SIZES = f"""
SELECT series_id, sum(rows)::bigint AS rows FROM (
    SELECT series_id, count(*) AS rows FROM observation WHERE {_OF_MONTH} GROUP BY series_id
    UNION ALL
    SELECT series_id, count(*) AS rows FROM observation_version WHERE {_OF_MONTH} GROUP BY series_id
) AS counted GROUP BY series_id
"""  # noqa: S608 - constants
# In the order in which loads lock, so that the two cannot deadlock.
_LOCK = "SELECT series_id, version FROM series WHERE series_id = ANY($1) ORDER BY series_id FOR NO KEY UPDATE"
_NAME_PARTS = """
INSERT INTO archived_part (series_id, month, archive_id, rows, checksum)
SELECT series_id, $1::date, $2, rows, checksum FROM unnest($3::int[], $4::bigint[], $5::bigint[])
    AS moved(series_id, rows, checksum)
"""
# A new run treats unfinished ids of other runs as abandoned. Another run may still be alive, if the connection with its lock
# was lost. From here on it cannot name a part under these ids, so rows that are discarded are never needed.
_ABANDON = "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE named_at IS NULL AND unnamed_at IS NULL"
_MARK_NAMED = "UPDATE archive_run SET named_at = clock_timestamp() WHERE archive_id = $1 AND unnamed_at IS NULL"
_UNUSED_IDS = """
SELECT r.archive_id FROM archive_run AS r
WHERE NOT EXISTS (SELECT FROM archived_part AS p WHERE p.archive_id = r.archive_id)
  AND (r.named_at IS NULL OR r.unnamed_at <= clock_timestamp() - $1::interval)
"""
_MONTHS = """
SELECT r.source, r.month, count(*) AS parts, sum(p.rows)::bigint AS rows
FROM archived_part AS p JOIN archive_run AS r USING (archive_id) GROUP BY r.source, r.month ORDER BY r.source, r.month
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

    async def sizes(self, month: ClosedMonth) -> dict[int, int]:
        async with self._pool.begin_long() as connection:
            rows = await connection.fetch(_SIZES, month.series_ids, month.month)
        return {row["series_id"]: row["rows"] for row in rows}

    async def begin(self, source: str, month: date) -> int:
        async with self._pool.acquire() as connection:
            return await connection.fetchval(
                "INSERT INTO archive_run (source, month) VALUES ($1, $2) RETURNING archive_id", source, month
            )

    async def snapshot(self, series_ids: Sequence[int], month: date) -> PartsSnapshot:
        async with self._pool.begin_long(isolation="repeatable_read") as connection:
            versions = await connection.fetch("SELECT series_id, version FROM series WHERE series_id = ANY($1)", series_ids)
            rows = await _history(connection, series_ids, month)
        return PartsSnapshot(rows, {row["series_id"]: row["version"] for row in versions})

    async def commit(self, archive_id: int, month: date, snapshot: PartsSnapshot) -> frozenset[int]:
        tallies = await asyncio.to_thread(tally, snapshot.rows)
        ids = tallies["series_id"].to_list()
        async with self._pool.begin_long() as connection:
            versions = {row["series_id"]: row["version"] for row in await connection.fetch(_LOCK, ids)}
            moving = await self._unchanged(connection, tallies, month, snapshot, versions)
            if moving.is_empty():
                return frozenset()
            if await connection.execute(_MARK_NAMED, archive_id) != "UPDATE 1":
                raise RunGivenUp(
                    "another run began during this one: these parts were not archived, run `aurum archive run` again",
                    archive_id=archive_id,
                )
            moved = moving["series_id"].to_list()
            deleted = await _delete(connection, "observation", moved, month)
            deleted += await _delete(connection, "observation_version", moved, month)
            if deleted != (expected := moving["rows"].sum()):
                raise HotRowsDiffer(
                    f"the hot store has {deleted} rows of {month:%Y-%m}, the snapshot {expected}: "
                    "these series stay in the hot store; run `aurum archive run` again"
                )
            await connection.execute(
                _NAME_PARTS, month, archive_id, moved, moving["rows"].to_list(), moving["checksum"].to_list()
            )
        return frozenset(moved)

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

    async def _unchanged(
        self,
        connection: Connection,
        tallies: pl.DataFrame,
        month: date,
        snapshot: PartsSnapshot,
        versions: dict[int, int],
    ) -> pl.DataFrame:
        """Return the rows of a ``TALLY`` frame whose series still have the rows of the snapshot.

        ``versions``: of the locked series, by id.
        """
        same_version = [series_id for series_id in versions if versions[series_id] == snapshot.versions[series_id]]
        # A newer version need not concern this month: series of short steps change all the time.
        newer_version = [series_id for series_id in versions if versions[series_id] != snapshot.versions[series_id]]
        unchanged = tallies.filter(pl.col("series_id").is_in(same_version))
        if not newer_version:
            return unchanged
        present = await asyncio.to_thread(tally, await _history(connection, newer_version, month))
        return pl.concat([unchanged, tallies.join(present, on=tallies.columns, how="semi")]).sort("series_id")


async def _history(connection: Connection, series_ids: Sequence[int], month: date) -> pl.DataFrame:
    current = unpacked(_POINT, await connection.fetchrow(_CURRENT, series_ids, month))
    superseded = unpacked(_SUPERSEDED, await connection.fetchrow(_VERSIONS, series_ids, month))
    current = current.with_columns(pl.lit(None, UTC_US).alias("superseded_at"))
    columns = list(HISTORY)
    return await asyncio.to_thread(
        lambda: pl.concat([current.select(columns), superseded.select(columns)]).sort("series_id", "ts", "known_at")
    )


async def _delete(connection: Connection, table: str, series_ids: Sequence[int], month: date) -> int:
    status = await connection.execute(f"DELETE FROM {table} WHERE {_OF_MONTH}", series_ids, month)  # noqa: S608 - constants
    return int(status.removeprefix("DELETE "))
