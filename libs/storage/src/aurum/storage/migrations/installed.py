"""Reads the schema of a database with one small query and checks it, without importing Alembic or SQLAlchemy."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from aurum.storage.migrations.compatibility import InstalledSchema, UnusableSchema, mismatch
from aurum.storage.migrations.head import needed_revision, newest_revision
from aurum.storage.ports.probe import MismatchKind, SchemaMismatch, StoreState
from aurum.storage.postgres.connection.errors import connecting

# Reads columns through JSON, because a schema older than 0007 lacks those of the floor, and its revision must still be read.
_SCHEMA = "SELECT version_num, to_jsonb(a) ->> 'floor', to_jsonb(a) ->> 'floor_release' FROM alembic_version AS a"

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy


async def read_schema(connection: Connection) -> InstalledSchema:
    """Return the schema of a database. Raises the errors of the driver."""
    try:
        row = await connection.fetchrow(_SCHEMA)
    except asyncpg.UndefinedTableError:
        row = None
    return InstalledSchema(None) if row is None else InstalledSchema(row[0], row[1], row[2])


async def installed_revision(url: str) -> str | None:
    """Return the revision of the database at a URL, None when it was never migrated. Raises ``DatabaseUnavailable``."""
    with connecting(url):
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return (await read_schema(connection)).revision
        finally:
            await connection.close()


async def read_state(connection: Connection) -> StoreState:
    """Return the schema and whether this code runs on it. Raises ``UnusableSchema`` and the errors of the driver."""
    schema = await read_schema(connection)
    return StoreState(schema.revision, _mismatch(schema))


async def require_compatible(connection: Connection) -> None:
    """Raise ``UnusableSchema`` when this code does not run on the schema. Raises the errors of the driver, too."""
    problem = _mismatch(await read_schema(connection))
    if problem is not None:
        raise UnusableSchema(problem.detail)


async def require_supported(connection: Connection) -> None:
    """Do the same as ``require_compatible``, but accept a schema that is not migrated yet: for services that wait for it."""
    problem = _mismatch(await read_schema(connection))
    if problem is not None and problem.kind is not MismatchKind.NOT_MIGRATED:
        raise UnusableSchema(problem.detail)


def _mismatch(schema: InstalledSchema) -> SchemaMismatch | None:
    return mismatch(schema, needs=needed_revision(), head=newest_revision())
