"""A lane for single small reads: a few connections of the pool, kept out and handed from one read to the next.

Taking a connection from the pool and giving it back costs 30 µs, which is a fifth of a page-sized read.
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
from aurum.storage.postgres.connection.errors import BROKE, DRIVER_ERRORS, DatabaseUnavailable, driver_errors, translated
from aurum.storage.postgres.connection.slow_queries import SlowQueries

Connection: TypeAlias = PoolConnectionProxy
"""A driver connection lent by the pool."""


class ReadLane:
    """``fetchrow`` outside of any transaction, on connections that ``lend`` gives and ``take_back`` takes.

    ``width``: connections it keeps at most. ``patience_s``: for one of them. ``statement_s``: what a read may take on the
    server; the driver ends it by its deadline, or where it has none ``grace_s`` later than the server should have.

    Reads beyond that wait for each other in the order in which they came.
    """

    def __init__(
        self,
        lend: Callable[[], Awaitable[Connection]],
        take_back: Callable[[Connection], Awaitable[None]],
        *,
        width: int,
        patience_s: float,
        statement_s: float,
        grace_s: float,
        slow: SlowQueries,
    ) -> None:
        self._lend = lend
        self._take_back = take_back
        self._ready = f"SET plan_cache_mode = force_generic_plan; SET statement_timeout = {statement_s * 1000:.0f}"
        self._longest_s = statement_s + grace_s
        self._width = width
        self._patience_s = patience_s
        self._closed = False
        self._slow = slow
        self._kept = 0
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._waiting: deque[tuple[asyncio.Future[Connection | None], float]] = deque()
        self._impatience: asyncio.TimerHandle | None = None
        self._given_up = 0

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """The first row of a prepared statement, by the deadline of the task if it has one: the driver has the server cancel it
        then, for a setting of the server's would cost each read another trip. Raises ``Unavailable``.
        """
        while True:
            lay_idle = bool(self._idle)
            connection = self._idle.pop() if lay_idle else await self._another()
            started, given_up = time.perf_counter(), self._given_up
            self._busy.add(connection)
            try:
                row = await connection.fetchrow(query, *arguments, timeout=time_left(at_most=self._longest_s))
                break
            except DeadlinePassed:
                self._busy.discard(connection)
                self._pass_on(connection)
                raise
            except BaseException as error:
                self._told(query, len(arguments), started)
                # Whatever state it is in now, the pool will see to it.
                self._busy.discard(connection)
                await self._let_go(connection)
                if lay_idle and isinstance(error, BROKE) and self._given_up == given_up:
                    continue  # cut while it lay there; and to read twice does no harm
                if isinstance(error, DRIVER_ERRORS):
                    raise translated(error) from error
                raise
        self._busy.discard(connection)
        self._told(query, len(arguments), started)
        if self._closed:
            await self._let_go(connection)
        else:
            self._pass_on(connection)
        return row

    def give_up(self) -> None:
        """End the reads under way: their server is known to be silent, and would keep them until their deadlines."""
        self._given_up += 1
        for connection in [*self._busy]:
            with suppress(asyncpg.InterfaceError):  # the pool takes back by itself what has broken
                connection.terminate()

    @property
    def idle(self) -> int:
        """Connections that are kept out of the pool and do nothing."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Reads that wait for a connection."""
        return sum(not turn.done() for turn, _ in self._waiting)

    def _told(self, query: str, parameters: int, started: float) -> None:
        took = time.perf_counter() - started
        if took >= self._slow.threshold_s:
            self._slow.seen(query, parameters, took)

    async def _another(self) -> Connection:
        if self._kept < self._width:
            self._kept += 1
            try:
                with driver_errors():
                    return await self._prepared_to_repeat()
            except BaseException:
                self._kept -= 1
                self._wake(None)
                raise
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append((turn, loop.time() + self._patience_s))
        if self._impatience is None:
            # One clock for all: under load half of all reads wait here, and whoever came first loses patience first.
            self._impatience = loop.call_later(self._patience_s, self._lose_patience)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                given = turn.result()
                if given is not None:
                    self._pass_on(given)
                else:
                    self._wake(None)
            raise
        return connection if connection is not None else await self._another()

    async def _prepared_to_repeat(self) -> Connection:
        """A connection that plans each statement once. These statements have one good plan, an index range, and left to itself
        PostgreSQL weighs it against others each time, which takes longer than to read 24 rows.
        """
        connection = await self._lend()
        try:
            await connection.execute(self._ready, timeout=self._patience_s)
        except BaseException:
            await self._take_back(connection)
            raise
        return connection

    def _pass_on(self, connection: Connection) -> None:
        if not self._wake(connection):
            self._idle.append(connection)

    def _wake(self, connection: Connection | None) -> bool:
        """Give a connection, or the room for a new one, to who waits longest; False when nobody does."""
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _lose_patience(self) -> None:
        self._impatience = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            turn, until = self._waiting[0]
            if not turn.done() and until > loop.time():
                self._impatience = loop.call_at(until, self._lose_patience)
                return
            self._waiting.popleft()
            if not turn.done():
                turn.set_exception(DatabaseUnavailable("the database is busy", retry_after=1.0))

    async def _let_go(self, connection: Connection) -> None:
        self._kept -= 1
        try:
            with driver_errors():
                await self._take_back(connection)
        finally:
            self._wake(None)

    async def close(self) -> None:
        """Give the connections back to the pool; reads under way give back theirs."""
        self._closed = True
        if self._impatience is not None and not self.waiting:
            self._impatience.cancel()
            self._impatience = None
        while self._idle:
            await self._let_go(self._idle.pop())
