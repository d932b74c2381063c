"""Connections for single small reads: a few connections of the pool that stay acquired and pass from one read to the next.

Acquiring a connection from the pool and releasing it costs 30 µs, which is a fifth of a page-sized read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import time_left
from aurum.storage.postgres.connection.errors import (
    BROKEN_CONNECTION_ERRORS,
    DRIVER_ERRORS,
    DatabaseUnavailable,
    driver_errors,
    translated,
)
from aurum.storage.postgres.connection.slow_queries import SlowQueries

Connection: TypeAlias = PoolConnectionProxy
"""A driver connection that was acquired from the pool."""


class ReadConnections:
    """``fetchrow`` outside of transactions, on connections that ``acquire`` and ``release`` exchange with the pool.

    ``limit``: largest number of connections. ``wait_limit_s``: longest wait for one of them. ``statement_timeout_s``: time
    limit of a read on the server; the driver cancels it at the deadline of the task, else ``grace_s`` after the limit.

    When all connections are busy, reads wait in the order of their arrival.
    """

    def __init__(
        self,
        acquire: Callable[[], Awaitable[Connection]],
        release: Callable[[Connection], Awaitable[None]],
        *,
        limit: int,
        wait_limit_s: float,
        statement_timeout_s: float,
        grace_s: float,
        slow: SlowQueries,
    ) -> None:
        self._acquire = acquire
        self._release = release
        self._session_settings = (
            f"SET plan_cache_mode = force_generic_plan; SET statement_timeout = {statement_timeout_s * 1000:.0f}"
        )
        self._longest_s = statement_timeout_s + grace_s
        self._limit = limit
        self._wait_limit_s = wait_limit_s
        self._closed = False
        self._slow = slow
        self._size = 0
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._waiting: deque[tuple[asyncio.Future[Connection | None], float]] = deque()
        self._wait_timer: asyncio.TimerHandle | None = None
        self._cancellations = 0

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a prepared statement. Raises ``Unavailable``.

        The driver cancels it at the deadline of the task: a time limit on the server would cost each read a round trip.
        """
        while True:
            was_idle = bool(self._idle)
            connection = self._idle.pop() if was_idle else await self._next_connection()
            started, cancellations = time.perf_counter(), self._cancellations
            self._busy.add(connection)
            try:
                row = await connection.fetchrow(query, *arguments, timeout=time_left(at_most=self._longest_s))
                break
            except DeadlinePassed:
                self._busy.discard(connection)
                self._pass_on(connection)
                raise
            except BaseException as error:
                self._log_if_slow(query, len(arguments), started)
                # The connection may be in any state; the pool checks it.
                self._busy.discard(connection)
                await self._return_to_pool(connection)
                if was_idle and isinstance(error, BROKEN_CONNECTION_ERRORS) and self._cancellations == cancellations:
                    continue  # the connection was cut while it was idle, and a read may be repeated
                if isinstance(error, DRIVER_ERRORS):
                    raise translated(error) from error
                raise
        self._busy.discard(connection)
        self._log_if_slow(query, len(arguments), started)
        if self._closed:
            await self._return_to_pool(connection)
        else:
            self._pass_on(connection)
        return row

    def cancel_reads(self) -> None:
        """End the reads under way: call it when the server is silent, so that they do not wait until their deadlines."""
        self._cancellations += 1
        for connection in [*self._busy]:
            with suppress(asyncpg.InterfaceError):  # the pool has already taken back a broken connection
                connection.terminate()

    @property
    def idle(self) -> int:
        """Number of acquired connections without a read."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Number of reads that wait for a connection."""
        return sum(not turn.done() for turn, _ in self._waiting)

    def _log_if_slow(self, query: str, parameters: int, started: float) -> None:
        elapsed_s = time.perf_counter() - started
        if elapsed_s >= self._slow.threshold_s:
            self._slow.log(query, parameters, elapsed_s)

    async def _next_connection(self) -> Connection:
        if self._size < self._limit:
            self._size += 1
            try:
                with driver_errors():
                    return await self._new_connection()
            except BaseException:
                self._size -= 1
                self._wake(None)
                raise
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append((turn, loop.time() + self._wait_limit_s))
        if self._wait_timer is None:
            # One timer for all, because under load half of all reads wait here. The first to come is the first to time out.
            self._wait_timer = loop.call_later(self._wait_limit_s, self._end_long_waits)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                received = turn.result()
                if received is not None:
                    self._pass_on(received)
                else:
                    self._wake(None)
            raise
        return connection if connection is not None else await self._next_connection()

    async def _new_connection(self) -> Connection:
        """Return a connection that plans each statement once.

        The only good plan of these statements is an index range. By default PostgreSQL compares it with others at each
        execution, which takes longer than reading 24 rows.
        """
        connection = await self._acquire()
        try:
            await connection.execute(self._session_settings, timeout=self._wait_limit_s)
        except BaseException:
            await self._release(connection)
            raise
        return connection

    def _pass_on(self, connection: Connection) -> None:
        if not self._wake(connection):
            self._idle.append(connection)

    def _wake(self, connection: Connection | None) -> bool:
        """Give a connection, or None as the right to open one, to the read that waits longest; return False when none waits."""
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _end_long_waits(self) -> None:
        self._wait_timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            turn, until = self._waiting[0]
            if not turn.done() and until > loop.time():
                self._wait_timer = loop.call_at(until, self._end_long_waits)
                return
            self._waiting.popleft()
            if not turn.done():
                turn.set_exception(
                    DatabaseUnavailable("the database is busy: all connections for reads are in use", retry_after=1.0)
                )

    async def _return_to_pool(self, connection: Connection) -> None:
        self._size -= 1
        try:
            with driver_errors():
                await self._release(connection)
        finally:
            self._wake(None)

    async def close(self) -> None:
        """Return idle connections to the pool; reads under way return theirs when they end."""
        self._closed = True
        if self._wait_timer is not None and not self.waiting:
            self._wait_timer.cancel()
            self._wait_timer = None
        while self._idle:
            await self._return_to_pool(self._idle.pop())
