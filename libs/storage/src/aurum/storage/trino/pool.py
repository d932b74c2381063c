"""Statements to Trino, off the event loop: at most so many at once, none longer than its deadline, none left behind.

The official client blocks, so each statement has a thread of a bounded pool. When nobody waits for it any longer (the deadline,
a caller who went away) it is cancelled on the server; the server has the same deadline itself, should this process die.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any, TypeAlias, TypeVar

import requests
import structlog
from trino.auth import BasicAuthentication
from trino.dbapi import Connection, Cursor

from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.bulkhead import Bulkhead
from aurum.common.resilience.guards import Guards
from aurum.common.resilience.retry import Retry, repeatable
from aurum.common.resilience.timeout import time_left
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.settings.trino import TrinoSettings
from aurum.common.telemetry.work import current_work
from aurum.storage.trino.errors import TrinoAway, TrinoUnavailable, driver_errors

T = TypeVar("T")
Parameter: TypeAlias = str | int | datetime | date
Row: TypeAlias = list[Any]
"""As JSON gives it: instants as text, always in the zone the column has."""

_QUEUE = 8
"""For each place in the pool, how many may wait."""
_ASK_AGAIN_S = 0.05
_LET_GO_S = 5.0
_MOST_TAG = 200
_log = structlog.get_logger(__name__)


class TrinoPool:
    """One Trino, used by one event loop. End it with ``close``. All methods raise ``TrinoUnavailable``."""

    def __init__(self, settings: TrinoSettings, resilience: ResilienceSettings) -> None:
        if settings.host is None:
            raise ValueError("TrinoSettings.host is needed to connect")
        self.settings = settings
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="trino")
        self._cancelling = ThreadPoolExecutor(1, thread_name_prefix="trino-cancel")
        self._sessions: deque[requests.Session] = deque()
        self._places = Bulkhead(
            "trino",
            places=settings.pool_size,
            queue=settings.pool_size * _QUEUE,
            longest_wait_s=settings.connect_timeout_s,
        )
        self._breaker = Breaker("trino", resilience, counts=(TrinoAway,))
        self._retry = Retry("trino", resilience, on=(TrinoAway,))
        self._read_again = self._retry(self._read)

    async def read(self, statement: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """All rows a query gives; tried again while Trino is away and there is time."""
        with driver_errors():
            return await self._read_again(statement, parameters)

    async def execute(self, statement: str, parameters: Sequence[Parameter] = (), *, timeout_s: float | None = None) -> None:
        """Run a statement that changes something, once. ``timeout_s``: instead of that of reads."""
        await self._run(statement, parameters, timeout_s or self.settings.statement_timeout_s)

    async def blocking(self, work: Callable[[], T]) -> T:
        """Run other blocking work of this adapter on the pool's threads.

        It is not stopped half-way: who gives up waits no longer.
        """
        with driver_errors():
            await self._place()
            future = self._submit(work)
            future.add_done_callback(_seen)
            async with asyncio.timeout(time_left(self.settings.upkeep_timeout_s)):
                return await asyncio.shield(future)

    @property
    def guards(self) -> Guards:
        return Guards(circuits=(self._breaker,), retries=(self._retry,), bulkheads=(self._places,))

    async def close(self) -> None:
        """Let go of connections; what is under way is waited for."""
        await asyncio.to_thread(self._threads.shutdown)
        self._cancelling.shutdown()
        while self._sessions:
            self._sessions.pop().close()

    @repeatable
    async def _read(self, statement: str, parameters: Sequence[Parameter]) -> list[Row]:
        return await self._run(statement, parameters, self.settings.statement_timeout_s)

    async def _run(self, statement: str, parameters: Sequence[Parameter], timeout_s: float) -> list[Row]:
        with driver_errors():
            async with self._breaker():
                # Inside the breaker, so that it hears of our errors and not of the drivers'.
                with driver_errors():
                    await self._place()
                    try:
                        left = time_left(timeout_s)
                        query = _Query(self._session(), self.settings, statement, parameters, left)
                        future = self._submit(query.run)
                    except BaseException:
                        self._places.leave()
                        raise
                    future.add_done_callback(lambda done: self._give_back(query, done))
                    return await self._wait(query, future, left)

    async def _wait(self, query: _Query, future: asyncio.Future[list[Row]], left: float) -> list[Row]:
        try:
            async with asyncio.timeout(left):
                return await asyncio.shield(future)
        except TimeoutError as error:
            await self._cancel(query, future)
            raise TrinoUnavailable("Trino took too long", retry_after=5.0) from error
        except asyncio.CancelledError:
            await self._cancel(query, future)
            raise

    async def _cancel(self, query: _Query, future: asyncio.Future[list[Row]]) -> None:
        """Until the thread has its answer, or the server does not even answer to that; then it runs into its own deadline."""
        loop = asyncio.get_running_loop()
        until = time.monotonic() + _LET_GO_S
        query.unwanted = True
        while not future.done() and time.monotonic() < until:
            await loop.run_in_executor(self._cancelling, query.cancel)
            await asyncio.wait([future], timeout=_ASK_AGAIN_S)
        if not future.done():
            _log.warning("trino did not take a cancellation", query_id=query.id)

    async def _place(self) -> None:
        if not self._places.try_enter():
            await self._places.wait_for_place(at_most_s=time_left(self.settings.connect_timeout_s))

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """The place is given back when the thread is free again, however long the caller waited."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(lambda _: self._places.leave())
        return future

    def _give_back(self, query: _Query, done: asyncio.Future[list[Row]]) -> None:
        """Only connections after whose use nothing was wrong are used again."""
        if query.unwanted or done.cancelled() or done.exception() is not None:
            query.session.close()
        else:
            self._sessions.append(query.session)

    def _session(self) -> requests.Session:
        if self._sessions:
            return self._sessions.pop()
        session = requests.Session()
        session.trust_env = False  # no proxy or .netrc of the machine stands between
        session.verify = True if self.settings.ca_file is None else str(self.settings.ca_file)
        return session


class _Query:
    """One statement, run in one thread and cancelled from another."""

    def __init__(
        self,
        session: requests.Session,
        settings: TrinoSettings,
        statement: str,
        parameters: Sequence[Parameter],
        left_s: float,
    ) -> None:
        self.session = session
        self.unwanted = False
        self._statement = statement
        self._parameters = list(parameters)
        secret = settings.password
        self._connection = Connection(
            settings.host or "",
            port=settings.port,
            user=settings.user,
            source="aurum",
            catalog=settings.catalog,
            schema=settings.schema_,
            http_scheme="https" if settings.tls else "http",
            auth=None if secret is None else BasicAuthentication(settings.user, secret.get_secret_value()),
            http_session=session,
            session_properties={"query_max_run_time": f"{max(left_s, 0.1):.3f}s"},
            client_tags=_tags(),
            timezone="UTC",
            # One attempt: the client would send a statement again that changes something.
            max_attempts=1,
            request_timeout=(settings.connect_timeout_s, left_s + 1.0),  # pyright: ignore[reportArgumentType] - requests takes two
            legacy_prepared_statements=False,
        )
        self._cursor: Cursor = self._connection.cursor(legacy_primitive_types=True)

    @property
    def id(self) -> str | None:
        """The server's name of it, once it has one."""
        return self._cursor.query_id

    def run(self) -> list[Row]:
        if self.unwanted:
            return []
        with driver_errors():
            self._cursor.execute(self._statement, self._parameters)  # pyright: ignore[reportUnknownMemberType]
            return list(iter(self._cursor.fetchone, None))

    def cancel(self) -> None:
        """Tell the server, if it knows of it yet. A server that does not answer has ended it, or will at its deadline."""
        if self.id is None:
            return
        try:
            with driver_errors():
                self._cursor.cancel()
        except TrinoUnavailable as error:
            _log.info("trino was not told of a cancellation", query_id=self.id, reason=error.detail)


def _tags() -> list[str]:
    """Whose work it is, as the server's list of queries shows it: ``request_id=...`` and what else log lines bear."""
    work = current_work.get()
    if work is None:
        return []
    return [_plain(f"{name}={value}") for name, value in work.log_fields().items()]


def _plain(tag: str) -> str:
    """What may stand in a header in which commas part the tags."""
    return "".join(letter for letter in tag if letter.isascii() and letter.isprintable() and letter != ",")[:_MOST_TAG]


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this any longer; how it ended is looked at, so that nobody complains that it was not."""
    if not future.cancelled():
        future.exception()
