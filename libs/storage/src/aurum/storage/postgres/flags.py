"""Feature flags on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg

from aurum.core.errors import UnknownName
from aurum.storage.ports.flags import FlagUse, StoredFlag
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_READ = "SELECT name, document, version, updated_at, updated_by FROM flag"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('flags', 0))"
_PUT = """
INSERT INTO flag AS f (name, document, version, updated_at, updated_by) VALUES ($1, $2, 1, clock_timestamp(), $3)
ON CONFLICT (name) DO UPDATE
SET document = excluded.document, version = f.version + 1, updated_at = excluded.updated_at, updated_by = excluded.updated_by
RETURNING name, document, version, updated_at, updated_by
"""


class PostgresFlagStore:
    """``FlagStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def flags(self) -> Sequence[StoredFlag]:
        async with self._pool.acquire() as connection:
            return [_flag(row) for row in await connection.fetch(f"{_READ} ORDER BY name")]

    async def add_use(self, evaluations: Mapping[tuple[str, str], int], day: date) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                """INSERT INTO flag_usage AS u (name, variant, day, evaluations)
                   SELECT name, variant, $4, evaluations FROM unnest($1::text[], $2::text[], $3::bigint[])
                   AS counted(name, variant, evaluations)
                   ON CONFLICT (name, variant, day) DO UPDATE SET evaluations = u.evaluations + excluded.evaluations""",
                [name for name, _ in evaluations],
                [variant for _, variant in evaluations],
                list(evaluations.values()),
                day,
            )

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        query = "SELECT name, variant, day, evaluations FROM flag_usage WHERE name = $1 AND day >= $2 ORDER BY day, variant"
        async with self._pool.acquire() as connection:
            return [FlagUse(*row) for row in await connection.fetch(query, name, since)]


class PostgresFlagWriter:
    """``FlagWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def locked(self) -> Sequence[StoredFlag]:
        # One lock for all flags, because a change is checked against all the others.
        await self._connection.execute(_LOCK)
        return [_flag(row) for row in await self._connection.fetch(f"{_READ} ORDER BY name")]

    async def put(self, name: str, document: Mapping[str, object], *, by: str) -> StoredFlag:
        row = await self._connection.fetchrow(_PUT, name, dict(document), by)
        assert row is not None  # RETURNING always returns the row
        return _flag(row)

    async def delete(self, name: str) -> None:
        await self._connection.execute(_LOCK)
        if await self._connection.execute("DELETE FROM flag WHERE name = $1", name) == "DELETE 0":
            raise UnknownName("flag", name)


def _flag(row: asyncpg.Record) -> StoredFlag:
    return StoredFlag(row["name"], row["document"], row["version"], row["updated_at"], row["updated_by"])
