"""Mappings on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.mappings import EXPLAINED, HeldText, NewMapping, StoredMapping
from aurum.storage.postgres.connection.pool import Connection, ReadPool

_COLUMNS = "mapping_id, kind, scope, spelling, folded, target, version, updated_at, updated_by"
_LIST = f"SELECT {_COLUMNS} FROM mapping WHERE $1::text IS NULL OR kind = $1 ORDER BY kind, scope, folded"  # noqa: S608 - constants
_ONE = f"SELECT {_COLUMNS} FROM mapping WHERE mapping_id = $1"  # noqa: S608 - constants
_ADD = f"""
INSERT INTO mapping (kind, scope, spelling, folded, target, updated_at, updated_by)
VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_CHANGE = f"""
UPDATE mapping SET target = $2, version = version + 1, updated_at = clock_timestamp(), updated_by = $4
WHERE mapping_id = $1 AND version = $3 RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_DELETE = "DELETE FROM mapping WHERE mapping_id = $1 AND version = $2"
_VERSION = "SELECT version FROM mapping WHERE mapping_id = $1"
_HELD = """
SELECT * FROM (
    SELECT f.source, f.dataset, q.reason, substring(q.detail FROM $4) AS detail, count(*) AS rows,
           count(DISTINCT f.digest) AS files, min(q.created_at) AS first_seen, max(q.created_at) AS last_seen,
           (array_agg(f.name ORDER BY q.row_id DESC))[1] AS file_name, (array_agg(f.digest ORDER BY q.row_id DESC))[1] AS digest
    FROM quarantine AS q JOIN ingest_file AS f USING (file_id)
    WHERE q.replayed_at IS NULL AND f.source = ANY($1) AND q.reason = ANY($2)
    GROUP BY f.source, f.dataset, q.reason, substring(q.detail FROM $4)
) AS held ORDER BY rows DESC, source, dataset, detail COLLATE "C" LIMIT $3
"""


class PostgresMappings:
    """``MappingReader`` on PostgreSQL."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def mappings(self, *, kind: MappingKind | None = None) -> Sequence[StoredMapping]:
        async with self._pool.acquire() as connection:
            return [_mapping(row) for row in await connection.fetch(_LIST, kind)]

    async def mapping(self, mapping_id: int) -> StoredMapping:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_ONE, mapping_id)
        if row is None:
            raise _unknown(mapping_id)
        return _mapping(row)

    async def held_texts(self, sources: Sequence[str], reasons: Sequence[str], *, limit: int) -> Sequence[HeldText]:
        async with self._pool.acquire() as connection:
            return [HeldText(*row) for row in await connection.fetch(_HELD, list(sources), list(reasons), limit, EXPLAINED)]


class PostgresMappingWriter:
    """``MappingWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, mapping: NewMapping, *, by: str) -> StoredMapping:
        values = (mapping.kind, mapping.scope, mapping.spelling, mapping.folded, mapping.target)
        row = await self._connection.fetchrow(_ADD, *values, by)
        if row is None:
            why = f"{mapping.kind} {mapping.spelling!r} of {mapping.scope} has a mapping already: change or remove that one"
            raise Conflict(why, spelling=mapping.spelling)
        return _mapping(row)

    async def change(self, mapping_id: int, target: str, *, version: int, by: str) -> StoredMapping:
        row = await self._connection.fetchrow(_CHANGE, mapping_id, target, version, by)
        if row is None:
            raise await self._other_version(mapping_id, version)
        return _mapping(row)

    async def delete(self, mapping_id: int, *, version: int) -> None:
        if await self._connection.execute(_DELETE, mapping_id, version) == "DELETE 0":
            raise await self._other_version(mapping_id, version)

    async def _other_version(self, mapping_id: int, version: int) -> UnknownName | Conflict:
        stored = await self._connection.fetchval(_VERSION, mapping_id)
        if stored is None:
            return _unknown(mapping_id)
        return Conflict(f"mapping {mapping_id} has version {stored}, not {version}: read it again", version=stored)


def _unknown(mapping_id: int) -> UnknownName:
    return UnknownName("mapping", str(mapping_id))


def _mapping(row: asyncpg.Record) -> StoredMapping:
    return StoredMapping(row["mapping_id"], MappingKind(row["kind"]), *(row[name] for name in _COLUMNS.split(", ")[2:]))
