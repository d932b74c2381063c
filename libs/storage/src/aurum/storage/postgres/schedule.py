"""The schedule on PostgreSQL. The main process of a worker uses it: it imports nothing slow to load."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.schedule import ScheduleSpec, StoredSchedule
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_COLUMNS = """
name, definition, payload, cron, zone, every_s, jitter_s, misfire, is_on, since, last_due, last_job, is_edited, updated_at,
updated_by
"""
_READ = f'SELECT {_COLUMNS} FROM schedule ORDER BY name COLLATE "C"'  # noqa: S608 - constants
# Other times, or a schedule that is switched on, count from now on: what was due before was due by no rule that holds.
_COUNTS_ANEW = """
(s.cron, s.every_s, s.zone) IS DISTINCT FROM (excluded.cron, excluded.every_s, excluded.zone) OR excluded.is_on AND NOT s.is_on
"""
_UPSERT = f"""
INSERT INTO schedule AS s (name, definition, payload, cron, zone, every_s, jitter_s, misfire, is_on, since, is_edited,
                           updated_at, updated_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $12)
ON CONFLICT (name) DO UPDATE
SET definition = excluded.definition, payload = excluded.payload, cron = excluded.cron, zone = excluded.zone,
    every_s = excluded.every_s, jitter_s = excluded.jitter_s, misfire = excluded.misfire, is_on = excluded.is_on,
    since = CASE WHEN {_COUNTS_ANEW} THEN excluded.since ELSE s.since END, is_edited = excluded.is_edited,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by
"""  # noqa: S608 - constants
_SEED = f"""
{_UPSERT}
WHERE NOT s.is_edited
  AND (s.definition, s.payload, s.cron, s.zone, s.every_s, s.jitter_s, s.misfire, s.is_on) IS DISTINCT FROM
      (excluded.definition, excluded.payload, excluded.cron, excluded.zone, excluded.every_s, excluded.jitter_s,
       excluded.misfire, excluded.is_on)
"""
_PUT = f"{_UPSERT} RETURNING {_COLUMNS}"
_SWITCH = f"""
UPDATE schedule SET is_on = $2, since = CASE WHEN $2 AND NOT is_on THEN $3 ELSE since END, is_edited = true,
                    updated_at = $3, updated_by = $4
WHERE name = $1 RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_DELETE_SEEDS = "DELETE FROM schedule WHERE NOT is_edited AND name <> ALL ($1::text[])"
_NAMES = "SELECT name FROM schedule"
# Two processes that start together store their seeds one after the other.
_LOCK_SEEDS = "SELECT pg_advisory_xact_lock(hashtextextended('aurum seeds of the schedule', 0))"


class PostgresScheduleLog:
    """``ScheduleLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def schedules(self) -> Sequence[StoredSchedule]:
        async with self._pool.acquire() as connection:
            return [_stored(row) for row in await connection.fetch(_READ)]


class PostgresScheduleWriter:
    """``ScheduleWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def seed(self, specs: Sequence[ScheduleSpec], *, at: datetime, by: str) -> None:
        await self._connection.execute(_LOCK_SEEDS)
        await self._connection.execute(_DELETE_SEEDS, [spec.name for spec in specs])
        await self._connection.executemany(_SEED, [(*_values(spec), at, False, by) for spec in specs])

    async def put(self, spec: ScheduleSpec, *, at: datetime, by: str) -> StoredSchedule:
        row = await self._connection.fetchrow(_PUT, *_values(spec), at, True, by)
        assert row is not None  # RETURNING always returns the row
        return _stored(row)

    async def switch(self, name: str, *, is_on: bool, at: datetime, by: str) -> StoredSchedule:
        row = await self._connection.fetchrow(_SWITCH, name, is_on, at, by)
        if row is None:
            raise await self._unknown(name)
        return _stored(row)

    async def delete(self, name: str) -> None:
        if await self._connection.execute("DELETE FROM schedule WHERE name = $1", name) == "DELETE 0":
            raise await self._unknown(name)

    async def _unknown(self, name: str) -> UnknownName:
        names = [row["name"] for row in await self._connection.fetch(_NAMES)]
        return UnknownName("schedule", name, nearest(name, names))


def _values(spec: ScheduleSpec) -> tuple[object, ...]:
    payload = dict(spec.payload)
    times = (spec.cron, spec.zone, spec.every_s)
    return (spec.name, spec.definition, payload, *times, spec.jitter_s, spec.misfire, spec.is_on)


def _stored(row: asyncpg.Record) -> StoredSchedule:
    return StoredSchedule(
        ScheduleSpec(
            row["name"],
            row["definition"],
            row["payload"],
            row["cron"],
            row["zone"],
            row["every_s"],
            row["jitter_s"],
            row["misfire"],
            row["is_on"],
        ),
        row["since"],
        row["last_due"],
        row["last_job"],
        row["is_edited"],
        row["updated_at"],
        row["updated_by"],
    )
