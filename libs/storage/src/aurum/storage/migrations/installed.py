"""Asks a database for its schema with one small query, and judges it. Imports neither Alembic nor SQLAlchemy."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from aurum.storage.migrations.compatibility import InstalledSchema, UnusableSchema, mismatch
from aurum.storage.migrations.head import needed_revision, newest_revision
from aurum.storage.ports.probe import MismatchKind, SchemaMismatch, StoreState
from aurum.storage.postgres.connection.errors import driver_errors

# As JSON, because a schema older than 0007 has no column of a floor, and must still say how old it is.
_SCHEMA = "SELECT version_num, to_jsonb(a) ->> 'floor', to_jsonb(a) ->> 'floor_release' FROM alembic_version AS a"


Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy


async def read_schema(connection: Connection) -> InstalledSchema:
    """Return the schema of a database. Raises what the driver raises."""
    try:
        row = await connection.fetchrow(_SCHEMA)
    except asyncpg.UndefinedTableError:
        row = None
    return InstalledSchema(None) if row is None else InstalledSchema(row[0], row[1], row[2])


async def installed_revision(url: str) -> str | None:
    """Return the revision of the database at a URL, None when it was never migrated. Raises ``DatabaseUnavailable``."""
    with driver_errors():
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return (await read_schema(connection)).revision
        finally:
            await connection.close()


async def read_state(connection: Connection) -> StoreState:
    """Return the schema and whether this code runs on it. Raises ``UnusableSchema`` and what the driver raises."""
    schema = await read_schema(connection)
    return StoreState(schema.revision, _mismatch(schema))


async def require_compatible(connection: Connection) -> None:
    """Raise ``UnusableSchema`` when this code does not run on the schema; and what the driver raises."""
    found = _mismatch(await read_schema(connection))
    if found is not None:
        raise UnusableSchema(found.detail)


async def require_supported(connection: Connection) -> None:
    """Likewise, but accept a schema that is still to be migrated: for a service that waits for it."""
    found = _mismatch(await read_schema(connection))
    if found is not None and found.kind is not MismatchKind.NOT_MIGRATED:
        raise UnusableSchema(found.detail)


def _mismatch(schema: InstalledSchema) -> SchemaMismatch | None:
    return mismatch(schema, needs=needed_revision(), head=newest_revision())
