"""Connections to PostgreSQL: one pool of the driver's, for every statement."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import asyncpg

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import time_left
from aurum.common.settings import DatabaseSettings
from aurum.storage.ports.probe import PoolUse
from aurum.storage.postgres.connection.errors import BROKE, driver_errors, statement_errors
from aurum.storage.postgres.connection.read_connections import Connection, ReadLane
from aurum.storage.postgres.connection.slow_queries import SlowQueries

__all__ = ["Connection", "PostgresPool"]


_GRACE_S = 1.0
"""How much longer than the server the driver waits, in case that the server cannot say itself that the time is over."""


class PostgresPool:
    """The connections of one process to one database. Make it with ``open``, end it with ``close``."""

    def __init__(self, pool: asyncpg.Pool, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> None:
        self._pool = pool
        self.settings = settings
        self.slow = SlowQueries(pool, threshold_s=slow_query_s)
        self.reads = ReadLane(
            self._sound,
            pool.release,
            width=max(1, settings.pool_size // 2),
            patience_s=settings.connect_timeout_s,
            statement_s=settings.statement_timeout_s,
            grace_s=_GRACE_S,
            slow=self.slow,
        )
        """For single small reads."""
        self._waiting = 0

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> PostgresPool:
        """Connect. Raises ``DatabaseUnavailable`` when the server is not there or refuses.

        ``slow_query_s``: queries that take longer are logged with their plan.

        ``settings.url`` must be set, also where the server is an embedded one.
        """
        if settings.url is None:
            raise ValueError("DatabaseSettings.url is needed to connect")
        server_settings = {
            "application_name": "aurum",
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": f"{settings.statement_timeout_s * 1000:.0f}",
        }
        with driver_errors():
            pool = await asyncpg.create_pool(
                settings.url,
                min_size=1,
                max_size=settings.pool_size,
                timeout=settings.connect_timeout_s,
                # As long as a load may take; the server ends other statements sooner.
                command_timeout=max(settings.statement_timeout_s, settings.load_timeout_s) + _GRACE_S,
                # A session keeps its time limits alone, which are set whenever it is lent: nothing is to be reset.
                reset=_as_it_is,
                init=_speak_json,
                server_settings=server_settings,
            )
        return cls(pool, settings, slow_query_s=slow_query_s)

    async def close(self) -> None:
        """Give all connections back to the server."""
        await self.reads.close()
        await self.slow.close()
        await self._pool.close()

    def use(self) -> PoolUse:
        """Count the connections. Those that are held ready for small reads are not busy."""
        pool = self._pool
        # The pool learns at once of connections that were cut, the read connections when they next take one.
        busy = max(0, pool.get_size() - pool.get_idle_size() - self.reads.idle)
        return PoolUse(busy, pool.get_size(), pool.get_max_size(), self._waiting + self.reads.waiting)

    @asynccontextmanager
    async def acquire(self, *, outlasts_deadline: bool = False) -> AsyncGenerator[Connection]:
        """A driver connection, for the length of the block; errors of its statements are translated.

        The server ends statements at the deadline of the task. ``outlasts_deadline``: of a stream, which goes on when the
        answer has begun; each of its statements may take as long as any.
        """
        with driver_errors():
            connection = await self._sound(outlasts_deadline=outlasts_deadline)
        try:
            with statement_errors():
                if self.slow.threshold_s == float("inf"):
                    yield connection
                else:
                    with connection.query_logger(self._logged):
                        yield connection
        finally:
            with driver_errors():
                await self._pool.release(connection)

    async def _sound(self, *, outlasts_deadline: bool = False) -> Connection:
        """Return a connection that has just answered; one that was cut while it lay idle is passed over, with no query lost.

        Raises what the driver raises.
        """
        for more in reversed(range(self.settings.pool_size + 1)):
            self._waiting += 1
            try:
                connection = await self._pool.acquire(timeout=self.settings.connect_timeout_s)
            finally:
                self._waiting -= 1
            try:
                bounds = self._bounds(outlasts_deadline=outlasts_deadline)
            except DeadlinePassed:
                await self._pool.release(connection)
                raise
            try:
                await connection.execute(bounds, timeout=self.settings.connect_timeout_s)
            except BaseException as error:
                with suppress(asyncpg.InterfaceError):  # the pool takes back by itself what has broken
                    connection.terminate()
                await self._pool.release(connection)
                if more and isinstance(error, BROKE):
                    continue
                raise
            return connection
        raise AssertionError  # the last one was given, or raised

    def _bounds(self, *, outlasts_deadline: bool = False) -> str:
        """Return the statements that set the time limits of a connection when it is lent. Raises ``DeadlinePassed``."""
        most_s = self.settings.statement_timeout_s
        return _BOUNDS.format(max(1, int((most_s if outlasts_deadline else time_left(most_s)) * 1000)))

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Connection]:
        """A driver connection in a transaction, for the length of the block."""
        async with self.acquire() as connection, _transaction(connection):
            yield connection

    @asynccontextmanager
    async def lasting(
        self, *, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
    ) -> AsyncGenerator[Connection]:
        """A driver connection in a transaction that may take as long as a load may, for the length of the block.

        From PostgreSQL 17 on the server ends it then: reads as of a past instant rely on that when they look for loads that
        have not committed.
        """
        async with self.acquire() as connection, _transaction(connection, isolation=isolation):
            # The second name is TimescaleDB's, and means nothing to a server without it: a correction may unpack as many
            # rows as it must.
            await connection.execute(
                "SET LOCAL statement_timeout = 0; SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
            )
            if connection.get_server_version().major >= 17:
                limit_ms = int(self.settings.load_timeout_s * 1000)
                await connection.execute(f"SET LOCAL transaction_timeout = {limit_ms}")
            yield connection

    @asynccontextmanager
    async def for_tenant(self, tenant: str) -> AsyncGenerator[Connection]:
        """A driver connection in a transaction that sees and writes rows of this tenant only, whatever a query forgets.

        The role ``aurum_tenant`` is under row-level security; it can touch tables that belong to tenants and no others.
        """
        async with self.acquire() as connection, _transaction(connection):
            await connection.execute("SET LOCAL ROLE aurum_tenant")
            await connection.execute("SELECT set_config('aurum.tenant', $1, true)", tenant)
            yield connection

    def _logged(self, query: asyncpg.connection.LoggedQuery) -> None:
        # Also those that were given up: they are the slowest.
        if query.elapsed >= self.slow.threshold_s:
            self.slow.seen(query.query, len(query.args), query.elapsed)


_BOUNDS = "SET statement_timeout = {}; SET plan_cache_mode = auto"


@asynccontextmanager
async def _transaction(
    connection: Connection, *, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
) -> AsyncGenerator[None]:
    """As the driver's own, but when the connection broke, the error that tells why is not replaced by that of the rollback."""
    transaction = connection.transaction(isolation=isolation)
    await transaction.start()
    try:
        yield
    except BaseException:
        with suppress(*BROKE):
            await transaction.rollback()
        raise
    await transaction.commit()


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    pass


async def _speak_json(connection: asyncpg.Connection) -> None:
    """Let values of ``json`` and ``jsonb`` be Python values, in parameters and in rows."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
