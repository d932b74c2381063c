"""Connections that see the private series of one tenant only.

They act as the role ``aurum_private`` from their start. Row-level security shows that role the rows of the tenant in the
setting ``aurum.tenant`` and no others, and without the setting none. Their search path begins with the schema ``private``,
whose tables have the names of the shared ones, so the statements of the shared adapters read and write private rows here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg

from aurum.common.settings import DatabaseSettings
from aurum.storage.postgres.connection.errors import DatabaseUnavailable
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

ROLE = "aurum_private"
SCHEMA = "private"
TABLES = (
    "series",
    "observation",
    "observation_version",
    "observation_confirmation",
    "observation_undo",
    "completeness",
    "ingest_file",
    "file_series",
    "recording",
    "change",
    "issue",
    "product",
    "curve_reference",
    "quote",
    "quote_publication",
    "file_curve",
)
"""The tables that exist in ``private`` as well as in ``public``: those that a load writes."""

_FORGET = "RESET aurum.tenant"
_ACT_FOR = "SELECT set_config('aurum.tenant', $1, false)"
_STATE = """
SELECT rolsuper OR rolbypassrls AS is_unbound, to_regclass('private.series') IS NOT NULL AS is_migrated
FROM pg_roles WHERE rolname = current_user
"""


class PrivateRoleMissing(DatabaseUnavailable):
    """The database cannot bind connections to one tenant. The text names the role and what to do."""


class PrivateConnection(asyncpg.Connection):
    """A connection whose COPY into a private table goes through a temporary one.

    PostgreSQL refuses COPY FROM into a table with row-level security for roles that the security binds.
    """

    async def copy_to_table(self, table_name: str, *, source: Any, columns: Iterable[str] | None = None, **options: Any) -> str:
        names = list(columns or ())
        if table_name not in TABLES:
            return await super().copy_to_table(table_name, source=source, columns=names, **options)
        listed = ", ".join(f'"{name}"' for name in names)
        # Both names come from the constants of the adapters.
        await self.execute(
            f"CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT {listed} FROM {SCHEMA}.{table_name} WITH NO DATA"  # noqa: S608
        )
        status = await super().copy_to_table("copied", source=source, columns=names, **options)
        await self.execute(
            f"INSERT INTO {SCHEMA}.{table_name} ({listed}) SELECT {listed} FROM pg_temp.copied; DROP TABLE pg_temp.copied"  # noqa: S608
        )
        return status


class PrivatePool:
    """The connections of a process to private series. The first tenant that has any opens them.

    Not part of the pool for shared series: a tenant that is busy with its own series takes none of those connections, and a
    connection never changes its role.
    """

    def __init__(self, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> None:
        self.settings = settings
        self._slow_query_s = slow_query_s
        self._pool: PostgresPool | None = None
        self._opening = asyncio.Lock()
        self._is_checked = False

    def of(self, tenant: str) -> TenantPool:
        """Return the connections that act for one tenant."""
        return TenantPool(self, tenant)

    @asynccontextmanager
    async def acquire(self, tenant: str, *, outlasts_deadline: bool = False) -> AsyncGenerator[Connection]:
        """Yield a connection that acts for a tenant, for the length of the block. Raises ``Unavailable``."""
        pool = await self._opened()
        async with _explained(pool.acquire(outlasts_deadline=outlasts_deadline)) as connection:
            await self._bind(connection, tenant)
            yield connection

    @asynccontextmanager
    async def begin(self, tenant: str, *, long_running: bool = False) -> AsyncGenerator[Connection]:
        """Yield a connection in a transaction that acts for a tenant. ``long_running``: with the time limit of a load."""
        pool = await self._opened()
        async with _explained(pool.begin_long() if long_running else pool.begin()) as connection:
            await self._bind(connection, tenant)
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()

    async def _opened(self) -> PostgresPool:
        async with self._opening:
            if self._pool is None:
                self._pool = await PostgresPool.open_as(
                    self.settings,
                    ROLE,
                    (SCHEMA, "public"),
                    size=self.settings.private_pool_size,
                    connection_class=PrivateConnection,
                    reset=_forget_tenant,
                    slow_query_s=self._slow_query_s,
                )
            return self._pool

    async def _bind(self, connection: Connection, tenant: str) -> None:
        if not self._is_checked:
            row = await connection.fetchrow(_STATE)
            if row is None or not row["is_migrated"]:
                # Names would mean the shared tables.
                raise DatabaseUnavailable("the database has no private series (run `aurum db migrate`)", retry_after=30.0)
            if row["is_unbound"]:
                raise PrivateRoleMissing(
                    f"the role {ROLE} is not bound by row-level security: run ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS",
                    retry_after=60.0,
                )
            self._is_checked = True
        await connection.execute(_ACT_FOR, tenant)


class TenantPool:
    """``ReadPool`` for one tenant."""

    def __init__(self, pool: PrivatePool, tenant: str) -> None:
        self._pool = pool
        self._tenant = tenant
        self.settings = pool.settings
        self.reads = _Reads(self)

    @asynccontextmanager
    async def acquire(self, *, outlasts_deadline: bool = False) -> AsyncGenerator[Connection]:
        async with self._pool.acquire(self._tenant, outlasts_deadline=outlasts_deadline) as connection:
            yield connection

    @asynccontextmanager
    async def begin(self, *, long_running: bool = False) -> AsyncGenerator[Connection]:
        """Yield a connection in a transaction. ``long_running``: with the time limit of a load."""
        async with self._pool.begin(self._tenant, long_running=long_running) as connection:
            yield connection


class _Reads:
    """``SmallReads`` that hold a connection for one read only: a connection that stays acquired would stay with its tenant."""

    def __init__(self, pool: TenantPool) -> None:
        self._pool = pool

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        async with self._pool.acquire() as connection:
            return await connection.fetchrow(query, *arguments)


@asynccontextmanager
async def _explained(acquired: AbstractAsyncContextManager[Connection]) -> AsyncGenerator[Connection]:
    """Yield the connection of a context manager; explain a server that does not let this user act as the role."""
    entered = False
    try:
        async with acquired as connection:
            entered = True
            yield connection
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        if entered:
            raise
        raise role_missing() from error


def role_missing() -> PrivateRoleMissing:
    """Return the error of a database user that cannot act as the role of private rows."""
    return PrivateRoleMissing(
        f"this database user cannot act as the role {ROLE}, which private series need: as an administrator run "
        f"CREATE ROLE {ROLE} NOLOGIN NOBYPASSRLS; GRANT {ROLE} TO the user of AURUM_DATABASE__URL; then migrate again",
        retry_after=60.0,
    )


async def _forget_tenant(connection: asyncpg.Connection) -> None:
    await connection.execute(_FORGET)
