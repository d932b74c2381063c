"""Feature flags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import asyncpg

from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import FlagUse, StoredFlag
from aurum.storage.postgres.audit import record
from aurum.storage.postgres.pool import PostgresPool

_READ = "SELECT name, document::text AS document, version, updated_at, updated_by FROM flag"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('flags', 0))"
_PUT = """
INSERT INTO flag AS f (name, document, version, updated_at, updated_by) VALUES ($1, $2::jsonb, 1, clock_timestamp(), $3)
ON CONFLICT (name) DO UPDATE
SET document = excluded.document, version = f.version + 1, updated_at = excluded.updated_at, updated_by = excluded.updated_by
RETURNING name, document::text AS document, version, updated_at, updated_by
"""


class OtherVersion(Conflict):
    """The flag has changed since it was read. Facts: ``flag``, ``version``."""


class PostgresFlagStore:
    """``FlagStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def flags(self) -> Sequence[StoredFlag]:
        async with self._pool.acquire() as connection:
            return [_flag(row) for row in await connection.fetch(f"{_READ} ORDER BY name")]

    async def put(
        self,
        name: str,
        document: Mapping[str, object],
        *,
        version: int | None,
        by: Actor,
        check: Callable[[Sequence[StoredFlag]], None] | None = None,
    ) -> StoredFlag:
        async with self._pool.acquire() as connection, connection.transaction():
            # One lock for all of them: what is checked of one is how it stands with the others.
            await connection.execute(_LOCK)
            if check is not None:
                check([_flag(row) for row in await connection.fetch(f"{_READ} ORDER BY name")])
            there = await connection.fetchval("SELECT version FROM flag WHERE name = $1", name) or 0
            if version is not None and version != there:
                raise OtherVersion(f"flag {name!r} is at version {there}, not {version}", flag=name, version=there)
            row = await connection.fetchrow(_PUT, name, json.dumps(dict(document)), by.subject)
            assert row is not None
            await record(connection, "flag.put", name, {"version": row["version"], "document": document}, by=by)
            return _flag(row)

    async def delete(self, name: str, *, by: Actor) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            if await connection.execute("DELETE FROM flag WHERE name = $1", name) == "DELETE 0":
                raise UnknownName("flag", name)
            await record(connection, "flag.delete", name, {}, by=by)

    async def add_use(self, used: Mapping[tuple[str, str], int], day: date) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                """INSERT INTO flag_usage AS u (name, variant, day, evaluations)
                   SELECT name, variant, $4, evaluations FROM unnest($1::text[], $2::text[], $3::bigint[])
                   AS given(name, variant, evaluations)
                   ON CONFLICT (name, variant, day) DO UPDATE SET evaluations = u.evaluations + excluded.evaluations""",
                [name for name, _ in used],
                [variant for _, variant in used],
                list(used.values()),
                day,
            )

    async def use(self, name: str, *, since: date) -> Sequence[FlagUse]:
        query = "SELECT name, variant, day, evaluations FROM flag_usage WHERE name = $1 AND day >= $2 ORDER BY day, variant"
        async with self._pool.acquire() as connection:
            return [FlagUse(*row) for row in await connection.fetch(query, name, since)]


def _flag(row: asyncpg.Record) -> StoredFlag:
    return StoredFlag(row["name"], json.loads(row["document"]), row["version"], row["updated_at"], row["updated_by"])
