"""The pool of Trino statements: at most ``pool_size`` run at a time, each ends by its deadline, and none is left running.

The official client blocks, so each statement has a thread of a bounded pool. When its caller stops waiting (at the deadline, or
because the caller was cancelled) it is cancelled on the server. The server has the same deadline, in case this process dies.
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
from aurum.common.resilience.retry import Retry
from aurum.common.resilience.timeout import time_left
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.settings.trino import TrinoSettings
from aurum.common.telemetry.work import current_work
from aurum.storage.trino.errors import TrinoAway, TrinoUnavailable, driver_errors

T = TypeVar("T")
Parameter: TypeAlias = str | int | datetime | date
Row: TypeAlias = list[Any]
"""A row as JSON holds it: instants are texts, in the time zone of the column."""

_QUEUE = 8
"""Statements that may wait for each slot of the pool."""
_CANCEL_EVERY_S = 0.05
_CANCEL_FOR_S = 5.0
_LONGEST_TAG = 200
_log = structlog.get_logger(__name__)


class TrinoPool:
    """Sessions with one Trino, used by one event loop. End it with ``close``. All methods raise ``TrinoUnavailable``."""

    def __init__(self, settings: TrinoSettings, resilience: ResilienceSettings) -> None:
        if settings.host is None:
            raise ValueError("TrinoSettings.host is not set: it is needed to connect")
        self.settings = settings
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="trino")
        self._cancelling = ThreadPoolExecutor(1, thread_name_prefix="trino-cancel")
        self._sessions: deque[requests.Session] = deque()
        self._slots = Bulkhead(
            "trino",
            places=settings.pool_size,
            queue=settings.pool_size * _QUEUE,
            longest_wait_s=settings.connect_timeout_s,
        )
        self._breaker = Breaker("trino", resilience, counts=(TrinoAway,))
        self._retry = Retry("trino", resilience, on=(TrinoAway,))

    async def read(self, statement: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """Return all rows of a query; tried again while Trino is away and time is left."""
        with driver_errors():
            async for attempt in self._retry.attempts():
                with attempt:
                    return await self._run(statement, parameters, self.settings.statement_timeout_s)
        raise AssertionError  # the last attempt answers or raises

    async def execute(self, statement: str, parameters: Sequence[Parameter] = (), *, timeout_s: float | None = None) -> None:
        """Run a statement that changes something, once. ``timeout_s``: its limit, by default that of reads."""
        await self._run(statement, parameters, timeout_s or self.settings.statement_timeout_s)

    async def blocking(self, work: Callable[[], T]) -> T:
        """Run other blocking work of this adapter on the pool's threads.

        The work is not stopped half-way: at the deadline the caller stops waiting, and the work goes on.
        """
        with driver_errors():
            await self._take_slot()
            future = self._submit(work)
            future.add_done_callback(_retrieve_exception)
            async with asyncio.timeout(time_left(self.settings.upkeep_timeout_s)):
                return await asyncio.shield(future)

    @property
    def guards(self) -> Guards:
        return Guards(circuits=(self._breaker,), retries=(self._retry,), bulkheads=(self._slots,))

    async def close(self) -> None:
        """Wait for the running statements, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._cancelling.shutdown()
        while self._sessions:
            self._sessions.pop().close()

    async def _run(self, statement: str, parameters: Sequence[Parameter], timeout_s: float) -> list[Row]:
        with driver_errors():
            async with self._breaker():
                # Inside the breaker, so that it counts the translated errors and not those of the drivers.
                with driver_errors():
                    await self._take_slot()
                    try:
                        left_s = time_left(timeout_s)
                        query = _Query(self._session(), self.settings, statement, parameters, left_s)
                        future = self._submit(query.run)
                    except BaseException:
                        self._slots.leave()
                        raise
                    future.add_done_callback(lambda done: self._return_session(query, done))
                    return await self._wait(query, future, left_s)

    async def _wait(self, query: _Query, future: asyncio.Future[list[Row]], left_s: float) -> list[Row]:
        try:
            async with asyncio.timeout(left_s):
                return await asyncio.shield(future)
        except TimeoutError as error:
            await self._cancel(query, future)
            raise TrinoUnavailable("Trino took too long", retry_after=5.0) from error
        except asyncio.CancelledError:
            await self._cancel(query, future)
            raise

    async def _cancel(self, query: _Query, future: asyncio.Future[list[Row]]) -> None:
        """Cancel a query, again and again until its thread has ended, for five seconds at most.

        A server that does not react to this ends the query at the deadline that it has itself.
        """
        loop = asyncio.get_running_loop()
        until = time.monotonic() + _CANCEL_FOR_S
        query.is_cancelled = True
        while not future.done() and time.monotonic() < until:
            await loop.run_in_executor(self._cancelling, query.cancel)
            await asyncio.wait([future], timeout=_CANCEL_EVERY_S)
        if not future.done():
            _log.warning("trino query not cancelled in time", query_id=query.id)

    async def _take_slot(self) -> None:
        if not self._slots.try_enter():
            await self._slots.wait_for_place(at_most_s=time_left(self.settings.connect_timeout_s))

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Start work on a thread. Its slot is free again when the thread is, even if the caller stopped waiting before."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(lambda _: self._slots.leave())
        return future

    def _return_session(self, query: _Query, done: asyncio.Future[list[Row]]) -> None:
        """Keep the session for reuse if its query succeeded, else close it."""
        if query.is_cancelled or done.cancelled() or done.exception() is not None:
            query.session.close()
        else:
            self._sessions.append(query.session)

    def _session(self) -> requests.Session:
        if self._sessions:
            return self._sessions.pop()
        session = requests.Session()
        session.trust_env = False  # no proxy or .netrc of the machine is used
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
        self.is_cancelled = False
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
            # One attempt: with more, the client would also repeat statements that change something.
            max_attempts=1,
            request_timeout=(settings.connect_timeout_s, left_s + 1.0),  # pyright: ignore[reportArgumentType] - requests takes two
            legacy_prepared_statements=False,
        )
        self._cursor: Cursor = self._connection.cursor(legacy_primitive_types=True)

    @property
    def id(self) -> str | None:
        """The id of the query on the server, once it has one."""
        return self._cursor.query_id

    def run(self) -> list[Row]:
        if self.is_cancelled:
            return []
        with driver_errors():
            self._cursor.execute(self._statement, self._parameters)  # pyright: ignore[reportUnknownMemberType]
            return list(iter(self._cursor.fetchone, None))

    def cancel(self) -> None:
        """Cancel the query on the server, if it has reached it. Else the server ends it at its deadline."""
        if self.id is None:
            return
        try:
            with driver_errors():
                self._cursor.cancel()
        except TrinoUnavailable as error:
            _log.info("trino cancellation not sent", query_id=self.id, reason=error.detail)


def _tags() -> list[str]:
    """Return the tags that the server's list of queries shows: the fields of a log line, such as ``request_id=...``."""
    work = current_work.get()
    if work is None:
        return []
    return [_header_safe(f"{name}={value}") for name, value in work.log_fields().items()]


def _header_safe(tag: str) -> str:
    """Return the characters of a tag that are allowed in a header in which commas separate tags."""
    return "".join(letter for letter in tag if letter.isascii() and letter.isprintable() and letter != ",")[:_LONGEST_TAG]


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Read the exception of an abandoned future, or asyncio would log that it was never retrieved."""
    if not future.cancelled():
        future.exception()
