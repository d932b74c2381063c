"""Blocks of the catalog on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.blocks import StoredBlock
from aurum.storage.postgres.connection.pool import Connection, ReadPool
from aurum.storage.postgres.reference_lock import LOCK

_COLUMNS = "calendar, name, document, version, NOT shipped AS is_edited, updated_at, updated_by"
_LIST = f"SELECT {_COLUMNS} FROM block ORDER BY calendar, name"  # noqa: S608 - constants
_ADD = f"""
INSERT INTO block (calendar, name, document, shipped, updated_at, updated_by)
VALUES ($1, $2, $3, false, clock_timestamp(), $4) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_CHANGE = f"""
UPDATE block SET document = $3, shipped = NOT $6, version = version + 1, updated_at = clock_timestamp(), updated_by = $5
WHERE calendar = $1 AND name = $2 AND version = $4 RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_DELETE = "DELETE FROM block WHERE calendar = $1 AND name = $2 AND version = $3"
_VERSION = "SELECT version FROM block WHERE calendar = $1 AND name = $2"


class PostgresBlocks:
    """``BlockReader`` on PostgreSQL."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def blocks(self) -> Sequence[StoredBlock]:
        async with self._pool.acquire() as connection:
            return [_block(row) for row in await connection.fetch(_LIST)]


class PostgresBlockWriter:
    """``BlockWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def locked(self) -> Sequence[StoredBlock]:
        await self._connection.execute(LOCK)
        return [_block(row) for row in await self._connection.fetch(_LIST)]

    async def add(self, document: Mapping[str, object], *, by: str) -> StoredBlock:
        calendar, name = str(document["calendar"]), str(document["name"])
        row = await self._connection.fetchrow(_ADD, calendar, name, dict(document), by)
        if row is None:
            why = f"calendar {calendar} has a block {name!r} already: read it and change it"
            raise Conflict(why, calendar=calendar, name=name)
        return _block(row)

    async def change(self, document: Mapping[str, object], *, version: int, by: str, is_edited: bool = True) -> StoredBlock:
        calendar, name = str(document["calendar"]), str(document["name"])
        row = await self._connection.fetchrow(_CHANGE, calendar, name, dict(document), version, by, is_edited)
        if row is None:
            raise await self._other_version(calendar, name, version)
        return _block(row)

    async def delete(self, calendar: str, name: str, *, version: int) -> None:
        if await self._connection.execute(_DELETE, calendar, name, version) == "DELETE 0":
            raise await self._other_version(calendar, name, version)

    async def _other_version(self, calendar: str, name: str, version: int) -> UnknownName | Conflict:
        stored = await self._connection.fetchval(_VERSION, calendar, name)
        if stored is None:
            return UnknownName(f"block of {calendar}", name)
        return Conflict(f"block {calendar}:{name} has version {stored}, not {version}: read it again", version=stored)


def _block(row: asyncpg.Record) -> StoredBlock:
    return StoredBlock(*row)
