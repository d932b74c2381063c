"""Connections to PostgreSQL: an asyncpg pool for observations, a SQLAlchemy engine over asyncpg for the catalog."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import asyncpg
from sqlalchemy import QueuePool, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from aurum.common.resilience import DeadlinePassed, time_left
from aurum.common.settings import DatabaseSettings
from aurum.storage.ports import PoolUse
from aurum.storage.postgres.errors import BROKE, driver_errors
from aurum.storage.postgres.lane import Connection, ReadLane
from aurum.storage.postgres.slow_queries import SlowQueries

__all__ = ["Connection", "PostgresPool"]


_GRACE_S = 1.0
"""So much longer than the server is waited for, in case that it cannot say itself that the time is over."""


class PostgresPool:
    """Both ways to one database. Make it with ``open``, end it with ``close``."""

    def __init__(
        self, pool: asyncpg.Pool, engine: AsyncEngine, settings: DatabaseSettings, *, slow_query_s: float = float("inf")
    ) -> None:
        self._pool = pool
        self._engine = engine
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
        if slow_query_s != float("inf"):
            _time_statements(engine, self.slow)

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, slow_query_s: float = float("inf")) -> PostgresPool:
        """Connect. Raises ``DatabaseUnavailable`` when the server is not there or refuses.

        ``slow_query_s``: queries that take longer are logged with their plan.

        ``settings.url`` must be set; whoever starts an embedded server passes its URL on.
        """
        if settings.url is None:
            raise ValueError("DatabaseSettings.url is needed to connect")
        server_settings = {
            "application_name": "aurum",
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": f"{settings.statement_timeout_s * 1000:.0f}",
        }
        url = settings.url

        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(
                url,
                timeout=settings.connect_timeout_s,
                command_timeout=settings.statement_timeout_s + _GRACE_S,
                server_settings=server_settings,
            )

        with driver_errors():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=settings.pool_size,
                timeout=settings.connect_timeout_s,
                # Of the longest there is: the server ends reads sooner, and loads when their time is over.
                command_timeout=max(settings.statement_timeout_s, settings.load_timeout_s) + _GRACE_S,
                # What a session keeps, its bounds, is set anew when it is lent: nothing needs to be wiped when it comes back.
                reset=_as_it_is,
                server_settings=server_settings,
            )
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=connect, pool_size=min(4, settings.pool_size), max_overflow=0
        )
        return cls(pool, engine, settings, slow_query_s=slow_query_s)

    async def close(self) -> None:
        """Give all connections back to the server."""
        await self.reads.close()
        await self.slow.close()
        await self._engine.dispose()
        await self._pool.close()

    def use(self) -> PoolUse:
        """Of the driver's pool and the catalog's engine together. What the lane keeps ready is not busy."""
        driver, catalog = self._pool, cast("QueuePool", self._engine.pool)
        there = driver.get_size() + catalog.checkedin() + catalog.checkedout()
        # Of connections that were cut the lane learns when it next takes one, the pool at once.
        busy = max(0, driver.get_size() - driver.get_idle_size() - self.reads.idle) + catalog.checkedout()
        return PoolUse(busy, there, driver.get_max_size() + catalog.size(), self._waiting + self.reads.waiting)

    @asynccontextmanager
    async def acquire(self, *, outlasts_deadline: bool = False) -> AsyncGenerator[Connection]:
        """A driver connection, for the length of the block; its errors are translated.

        The server ends statements at the deadline of the task. ``outlasts_deadline``: of a stream, which goes on when the
        answer has begun; each of its statements may take as long as any.
        """
        with driver_errors():
            async with self._lent(outlasts_deadline=outlasts_deadline) as connection:
                if self.slow.threshold_s == float("inf"):
                    yield connection
                    return
                with connection.query_logger(self._logged):
                    yield connection

    @asynccontextmanager
    async def _lent(self, *, outlasts_deadline: bool) -> AsyncGenerator[Connection]:
        connection = await self._sound(outlasts_deadline=outlasts_deadline)
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    async def _sound(self, *, outlasts_deadline: bool = False) -> Connection:
        """A connection that has just answered; one that was cut while it lay idle is passed over, for it was asked nothing yet.

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
        """Statements for a connection that is lent: whoever had it before left what it set. Raises ``DeadlinePassed``."""
        most_s = self.settings.statement_timeout_s
        return _BOUNDS.format(max(1, int((most_s if outlasts_deadline else time_left(most_s)) * 1000)))

    @asynccontextmanager
    async def catalog(self) -> AsyncGenerator[AsyncConnection]:
        """A SQLAlchemy connection in a transaction, for the length of the block; its errors are translated.

        The server ends statements at the deadline of the task.
        """
        with driver_errors():
            async with self._engine.connect() as connection:
                await self._bound(connection)
                async with connection.begin():
                    yield connection

    async def _bound(self, connection: AsyncConnection) -> None:
        for more in reversed(range(self.settings.pool_size + 1)):
            driver = cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
            bounds = self._bounds()
            try:
                await driver.execute(bounds, timeout=self.settings.connect_timeout_s)
            except BaseException as error:
                await connection.invalidate()
                if more and isinstance(error, BROKE):
                    continue
                raise
            return

    @asynccontextmanager
    async def for_tenant(self, tenant: str) -> AsyncGenerator[Connection]:
        """A driver connection in a transaction that sees and writes rows of this tenant only, whatever a query forgets.

        The role ``aurum_tenant`` is under row-level security; it can touch tables that belong to tenants and no others.
        """
        async with self.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL ROLE aurum_tenant")
            await connection.execute("SELECT set_config('aurum.tenant', $1, true)", tenant)
            yield connection

    def _logged(self, query: asyncpg.connection.LoggedQuery) -> None:
        # Also those that were given up: they are the slowest.
        if query.elapsed >= self.slow.threshold_s:
            self.slow.seen(query.query, query.args, query.elapsed)


def _time_statements(engine: AsyncEngine, slow: SlowQueries) -> None:
    """Tell of the catalog's statements, which the driver logs no times of: SQLAlchemy prepares them."""
    began = "aurum_began"

    def before(_connection: object, _cursor: object, _statement: str, _given: object, context: Any, _many: bool) -> None:
        setattr(context, began, time.perf_counter())

    def after(_connection: object, _cursor: object, statement: str, given: Any, context: Any, _many: bool) -> None:
        took = time.perf_counter() - getattr(context, began)
        if took >= slow.threshold_s:
            slow.seen(statement, given, took)

    def failed(error: ExceptionContext) -> None:
        context = error.execution_context
        if context is not None and error.statement is not None and hasattr(context, began):
            after(None, None, error.statement, error.parameters, context, _many=False)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    event.listen(engine.sync_engine, "handle_error", failed)


_BOUNDS = "SET statement_timeout = {}; SET plan_cache_mode = auto"


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    pass
