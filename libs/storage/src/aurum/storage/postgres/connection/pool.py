"""Connections to PostgreSQL: one pool of the driver, for every statement."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Literal, Protocol

import asyncpg

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import time_left
from aurum.common.settings import DatabaseSettings
from aurum.storage.ports.probe import PoolUse
from aurum.storage.postgres.connection.errors import (
    BROKEN_CONNECTION_ERRORS,
    DatabaseUnavailable,
    connecting,
    driver_errors,
    statement_errors,
    translated,
    where,
)
from aurum.storage.postgres.connection.read_connections import Connection, ReadConnections
from aurum.storage.postgres.connection.slow_queries import SlowQueries

__all__ = ["Connection", "PostgresPool", "ReadPool", "SmallReads"]

_GRACE_S = 1.0
"""The driver waits this much longer than the server, in case the server itself cannot report that the time is over."""


class SmallReads(Protocol):
    """Single small reads outside of transactions."""

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a statement. Raises ``Unavailable``."""
        ...


class ReadPool(Protocol):
    """The connections that readers use: those of a process (``PostgresPool``), or those that act for one tenant."""

    @property
    def settings(self) -> DatabaseSettings: ...
    @property
    def reads(self) -> SmallReads: ...

    def acquire(self, *, outlasts_deadline: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Yield a driver connection for the length of the block; errors of its statements are translated."""
        ...


class PostgresPool:
    """The connections of one process to one database. Create it with ``open``, end it with ``close``."""

    def __init__(self, pool: asyncpg.Pool, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> None:
        self._pool = pool
        self.settings = settings
        self.slow = SlowQueries(pool, threshold_s=slow_query_s)
        self.reads = ReadConnections(
            self._checked_connection,
            pool.release,
            limit=max(1, settings.pool_size // 2),
            wait_limit_s=settings.connect_timeout_s,
            statement_timeout_s=settings.statement_timeout_s,
            grace_s=_GRACE_S,
            slow=self.slow,
        )
        """For single small reads."""
        self._waiting = 0

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> PostgresPool:
        """Connect to the database of ``settings.url``, which must be set, for an embedded server too.

        ``slow_query_s``: queries that take longer are logged with their plan. Raises ``DatabaseUnavailable`` when the server
        does not answer or refuses the connection.
        """
        pool = await _create(settings, settings.pool_size, server_settings={}, min_size=1, reset=_no_reset)
        return cls(pool, settings, slow_query_s=slow_query_s)

    @classmethod
    async def open_as(
        cls,
        settings: DatabaseSettings,
        role: str,
        schemas: Sequence[str],
        *,
        size: int,
        connection_class: type[asyncpg.Connection],
        reset: Callable[[asyncpg.Connection], Awaitable[None]],
        slow_query_s: float = float("inf"),
    ) -> PostgresPool:
        """Return a pool whose connections act as a role from their start, so that nothing they run can act as another.

        ``schemas``: where unqualified names are looked up, in order. ``size``: most connections; none is opened before the
        first use. ``connection_class``: of its connections. ``reset``: called whenever one is given back. Raises ``ValueError``
        for settings without a URL.
        """
        # The role is applied before the connection is ready, and RESET ROLE returns to it.
        server_settings = {"role": role, "search_path": ", ".join(schemas)}
        pool = await _create(
            settings, size, server_settings=server_settings, min_size=0, reset=reset, connection_class=connection_class
        )
        return cls(pool, settings.model_copy(update={"pool_size": size}), slow_query_s=slow_query_s)

    async def close(self) -> None:
        """Close all connections."""
        await self.reads.close()
        await self.slow.close()
        await self._pool.close()

    def use(self) -> PoolUse:
        """Return the numbers of connections. Idle connections for small reads are not busy."""
        pool = self._pool
        # The pool notices cut connections at once, ``reads`` only at its next read, so the difference may be negative.
        busy = max(0, pool.get_size() - pool.get_idle_size() - self.reads.idle)
        return PoolUse(busy, pool.get_size(), pool.get_max_size(), self._waiting + self.reads.waiting)

    @asynccontextmanager
    async def acquire(self, *, outlasts_deadline: bool = False) -> AsyncGenerator[Connection]:
        """Yield a driver connection for the length of the block; errors of its statements are translated.

        The server ends statements at the deadline of the task. ``outlasts_deadline``: for streams, which continue after the
        answer has begun; each statement then has the full time limit.
        """
        with driver_errors():
            connection = await self._checked_connection(outlasts_deadline=outlasts_deadline)
        try:
            with statement_errors():
                if self.slow.threshold_s == float("inf"):
                    yield connection
                else:
                    with connection.query_logger(self._log_if_slow):
                        yield connection
        finally:
            with driver_errors():
                await self._pool.release(connection)

    async def _checked_connection(self, *, outlasts_deadline: bool = False) -> Connection:
        """Return a connection that has just answered. Connections that were cut while idle are skipped, so no query is lost.

        Raises the errors of the driver, and ``DatabaseUnavailable`` when the server cannot be reached.
        """
        for attempts_left in reversed(range(self.settings.pool_size + 1)):
            self._waiting += 1
            try:
                connection = await self._pool.acquire(timeout=self.settings.connect_timeout_s)
            except TimeoutError:
                raise  # also when all connections are busy
            except OSError as error:
                unreachable = translated(error)
                if isinstance(unreachable, DatabaseUnavailable):
                    unreachable.where = where(self.settings.url or "", error)
                raise unreachable from error
            finally:
                self._waiting -= 1
            try:
                limits = self._time_limits(outlasts_deadline=outlasts_deadline)
            except DeadlinePassed:
                await self._pool.release(connection)
                raise
            try:
                await connection.execute(limits, timeout=self.settings.connect_timeout_s)
            except BaseException as error:
                with suppress(asyncpg.InterfaceError):  # the pool has already taken back a broken connection
                    connection.terminate()
                await self._pool.release(connection)
                if attempts_left and isinstance(error, BROKEN_CONNECTION_ERRORS):
                    continue
                raise
            return connection
        raise AssertionError  # the last attempt returns or raises

    def _time_limits(self, *, outlasts_deadline: bool = False) -> str:
        """Return the statements that set the time limits of a connection before its use. Raises ``DeadlinePassed``."""
        longest_s = self.settings.statement_timeout_s
        return _TIME_LIMITS.format(max(1, int((longest_s if outlasts_deadline else time_left(longest_s)) * 1000)))

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Connection]:
        """Yield a driver connection in a transaction, which ends with the block."""
        async with self.acquire() as connection, _transaction(connection):
            yield connection

    @asynccontextmanager
    async def begin_long(
        self, *, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
    ) -> AsyncGenerator[Connection]:
        """Yield a driver connection in a transaction with the time limit of a load, which ends with the block.

        From PostgreSQL 17 on the server enforces the limit. Reads as of a past instant rely on it when they look for loads
        that have not committed.
        """
        async with self.acquire() as connection, _transaction(connection, isolation=isolation):
            # The second setting belongs to TimescaleDB and has no effect on a server without it. It lets a correction
            # decompress any number of rows.
            await connection.execute(
                "SET LOCAL statement_timeout = 0; SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
            )
            if connection.get_server_version().major >= 17:
                limit_ms = int(self.settings.load_timeout_s * 1000)
                await connection.execute(f"SET LOCAL transaction_timeout = {limit_ms}")
            yield connection

    @asynccontextmanager
    async def for_tenant(self, tenant: str) -> AsyncGenerator[Connection]:
        """Yield a driver connection in a transaction that sees and writes rows of this tenant only, even without a filter.

        The role ``aurum_tenant`` is under row-level security, and has access to tables of tenants only.
        """
        async with self.acquire() as connection, _transaction(connection):
            await connection.execute("SET LOCAL ROLE aurum_tenant")
            await connection.execute("SELECT set_config('aurum.tenant', $1, true)", tenant)
            yield connection

    def _log_if_slow(self, query: asyncpg.connection.LoggedQuery) -> None:
        # Includes cancelled queries: they are the slowest.
        if query.elapsed >= self.slow.threshold_s:
            self.slow.log(query.query, len(query.args), query.elapsed)


async def _create(
    settings: DatabaseSettings,
    size: int,
    *,
    server_settings: Mapping[str, str],
    min_size: int,
    reset: Callable[[asyncpg.Connection], Awaitable[None]],
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
) -> asyncpg.Pool:
    """Return a pool of the driver; it connects now for a ``min_size`` above 0. Raises ``DatabaseUnavailable``."""
    if settings.url is None:
        raise ValueError("DatabaseSettings.url is None: set AURUM_DATABASE__URL, or the URL of the embedded server")
    common = {
        "application_name": "aurum",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": f"{settings.statement_timeout_s * 1000:.0f}",
    }
    with connecting(settings.url):
        return await asyncpg.create_pool(
            settings.url,
            min_size=min_size,
            max_size=size,
            timeout=settings.connect_timeout_s,
            # The time limit of a load; the server ends other statements sooner.
            command_timeout=max(settings.statement_timeout_s, settings.load_timeout_s) + _GRACE_S,
            # Time limits are the only state of a session, and each user of a connection sets them first.
            reset=reset,
            init=_decode_json,
            connection_class=connection_class,
            server_settings={**common, **server_settings},
        )


_TIME_LIMITS = "SET statement_timeout = {}; SET plan_cache_mode = auto"


@asynccontextmanager
async def _transaction(
    connection: Connection, *, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
) -> AsyncGenerator[None]:
    """Run a transaction of the driver. When the connection is lost, the first error is raised, not that of the rollback."""
    transaction = connection.transaction(isolation=isolation)
    await transaction.start()
    try:
        yield
    except BaseException:
        with suppress(*BROKEN_CONNECTION_ERRORS):
            await transaction.rollback()
        raise
    await transaction.commit()


async def _no_reset(_connection: asyncpg.Connection) -> None:
    pass


async def _decode_json(connection: asyncpg.Connection) -> None:
    """Convert ``json`` and ``jsonb`` from and to Python values, in parameters and in rows."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
