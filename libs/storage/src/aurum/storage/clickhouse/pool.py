"""Queries to ClickHouse: a server over HTTP, or the embedded engine, off the event loop and only so many at a time."""

from __future__ import annotations

import asyncio
import io
import queue
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import polars as pl
import structlog

from aurum.common.resilience.breaker import Breaker
from aurum.common.resilience.bulkhead import Bulkhead
from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.guards import Guards
from aurum.common.resilience.retry import Retry, repeatable
from aurum.common.resilience.timeout import time_left
from aurum.common.settings import ClickhouseSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.telemetry.work import current_work
from aurum.storage.clickhouse.driver import Client, connected
from aurum.storage.clickhouse.errors import ClickhouseAway, ClickhouseUnavailable, driver_errors
from aurum.storage.clickhouse.schema import CREATE_HISTORY, HISTORY_TABLE
from aurum.storage.ports.probe import PoolUse

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, object]
Given: TypeAlias = dict[str, str]

_log = structlog.get_logger(__name__)
_NONE: Parameters = {}
_BOUND = "max_execution_time"
_READING = "do_not_merge_across_partitions_select_final = 1"
"""The key of a row says its partition, so what was written twice stands in one."""

_KILL = "KILL QUERY WHERE query_id = {query_id:String} ASYNC"
_HAS_DATABASE = "EXISTS DATABASE {database:Identifier}"
_MAKE_DATABASE = "CREATE DATABASE IF NOT EXISTS {database:Identifier}"
_HAS_TABLE = f"EXISTS TABLE {HISTORY_TABLE}"


class ClickhousePool:
    """Ways to one database, for one event loop. Make it with ``open``, end it with ``close``.

    Everything asked of it is done in a thread, in its turn, and no longer than the deadline of the task or the settings allow;
    the server is told to stop what nobody waits for any more. The embedded engine cannot be told: it stops at the deadline.
    All methods raise ``ClickhouseUnavailable``.
    """

    def __init__(self, settings: ClickhouseSettings, resilience: ResilienceSettings) -> None:
        self.settings = settings
        self.resilience = resilience
        self._readers: queue.LifoQueue[Client] = queue.LifoQueue()
        self._writers: queue.LifoQueue[Client] = queue.LifoQueue()
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="clickhouse")
        self._stopper = ThreadPoolExecutor(1, thread_name_prefix="clickhouse-stop")
        self._places = Bulkhead("ClickHouse", places=settings.pool_size, queue=settings.queue, longest_wait_s=settings.wait_s)
        self._breaker = Breaker("ClickHouse", resilience, counts=(ClickhouseAway,))
        self._retry = Retry("ClickHouse", resilience, on=(ClickhouseAway,))
        self._read_again = self._retry(self._read_once)

    @classmethod
    async def open(cls, settings: ClickhouseSettings, resilience: ResilienceSettings) -> ClickhousePool:
        """Connect, and make the database and its table where they are missing."""
        if not settings.is_set:
            raise ValueError("ClickhouseSettings.url or .folder is needed to connect")
        pool = cls(settings, resilience)
        try:
            await pool._run(_make_what_is_missing(settings.database), pool._writers, _named(), settings.connect_timeout_s * 2)
        except BaseException:
            await pool.close()
            raise
        return pool

    async def read(self, query: str, parameters: Parameters = _NONE) -> pl.DataFrame:
        """The answer to a query that changes nothing; tried again where ClickHouse was away for a moment."""
        with driver_errors():
            return await self._read_again(query, parameters)

    async def insert(self, frame: pl.DataFrame, *, query_id: str) -> None:
        """Add rows to the table of history. While a query of that id is under way the server refuses another."""
        block = io.BytesIO()
        # The oldest level: newer ones have views of texts, which the server does not read.
        frame.write_ipc_stream(block, compat_level=pl.CompatLevel.oldest())

        def work(client: Client, given: Given) -> None:
            client.raw_insert(HISTORY_TABLE, frame.columns, block.getvalue(), settings=dict(given), fmt="ArrowStream")

        await self._run(work, self._writers, query_id, self.settings.write_timeout_s)

    async def command(self, statement: str, parameters: Parameters = _NONE, *, settings: Parameters = _NONE) -> None:
        """Do something that gives no rows."""

        def work(client: Client, given: Given) -> None:
            client.command(statement, dict(parameters), settings={**settings, **given})

        await self._run(work, self._writers, _named(), self.settings.write_timeout_s)

    def use(self) -> PoolUse:
        """Places taken, and how many there are."""
        return PoolUse(self._places.taken, self._places.taken, self._places.places)

    @property
    def guards(self) -> Guards:
        return Guards(circuits=(self._breaker,), retries=(self._retry,), bulkheads=(self._places,))

    async def close(self) -> None:
        """Wait for what is under way and let go of the connections, or of the folder."""
        await asyncio.to_thread(self._close)

    @repeatable
    async def _read_once(self, query: str, parameters: Parameters) -> pl.DataFrame:
        def work(client: Client, given: Given) -> pl.DataFrame:
            # In the text, not beside it: the embedded engine sets and unsets what stands beside it, a query each.
            bounded = f"{query} SETTINGS {_READING}, {_BOUND} = {given.pop(_BOUND)}"
            return pl.read_ipc_stream(client.raw_query(bounded, dict(parameters), settings=dict(given), fmt="ArrowStream"))

        return await self._run(work, self._readers, _named(), self.settings.read_timeout_s)

    async def _run(
        self, work: Callable[[Client, Given], T], clients: queue.LifoQueue[Client], query_id: str, at_most_s: float
    ) -> T:
        with driver_errors():
            async with self._breaker():
                await self._take_place(time_left(at_most_s))
                running = self._started(work, clients, query_id, at_most_s)
                try:
                    async with asyncio.timeout(time_left(at_most_s)):
                        return await asyncio.wrap_future(running)
                except TimeoutError as error:
                    self._stop(query_id)
                    raise ClickhouseUnavailable("ClickHouse took too long", retry_after=5.0) from error
                except (asyncio.CancelledError, DeadlinePassed):
                    self._stop(query_id)
                    raise

    async def _take_place(self, left_s: float) -> None:
        if not self._places.try_enter():
            await self._places.wait_for_place(at_most_s=min(left_s, self.settings.wait_s))

    def _started(
        self, work: Callable[[Client, Given], T], clients: queue.LifoQueue[Client], query_id: str, at_most_s: float
    ) -> Future[T]:
        """A place is given back when the thread has ended, however long after whoever asked went away."""
        loop = asyncio.get_running_loop()
        try:
            given = self._given(query_id, time_left(at_most_s))
            running = self._threads.submit(self._in_thread, work, clients, given)
        except BaseException:
            self._places.leave()
            raise
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._places.leave))
        return running

    def _given(self, query_id: str, left_s: float) -> Given:
        given = {_BOUND: f"{max(left_s, 0.001):.3f}"}
        if self.settings.folder is None:
            given |= {"query_id": query_id, "log_comment": _request_id()}
        return given

    def _in_thread(self, work: Callable[[Client, Given], T], clients: queue.LifoQueue[Client], given: Given) -> T:
        with driver_errors():
            client = self._client(clients)
            try:
                return work(client, given)
            finally:
                clients.put(client)

    def _client(self, clients: queue.LifoQueue[Client]) -> Client:
        """One that nobody uses: there are never more than there are threads."""
        try:
            return clients.get_nowait()
        except queue.Empty:
            patience_s = self.settings.read_timeout_s if clients is self._readers else self.settings.write_timeout_s
            client = connected(self.settings, patience_s)
            client.database = self.settings.database
            return client

    def _stop(self, query_id: str) -> None:
        if self.settings.folder is None:
            self._stopper.submit(self._kill, query_id)

    def _kill(self, query_id: str) -> None:
        try:
            self._in_thread(lambda client, _: client.command(_KILL, {"query_id": query_id}, settings={}), self._readers, {})
        except ClickhouseUnavailable as error:
            _log.warning("a query nobody waits for was not stopped", query_id=query_id, reason=error.detail)

    def _close(self) -> None:
        for threads in (self._threads, self._stopper):
            threads.shutdown(wait=True, cancel_futures=True)
        for clients in (self._readers, self._writers):
            while not clients.empty():
                clients.get_nowait().close()


def _make_what_is_missing(database: str) -> Callable[[Client, Given], None]:
    """Looks first: whoever may only read has no right to make anything."""

    def work(client: Client, given: Given) -> None:
        named: dict[str, object] = {"database": database}
        client.database = None
        if not client.command(_HAS_DATABASE, named, settings=dict(given)):
            client.command(_MAKE_DATABASE, named, settings={})
        client.database = database
        if not client.command(_HAS_TABLE, {}, settings={}):
            client.command(CREATE_HISTORY, {}, settings={})

    return work


def _named() -> str:
    """An id by which the log of ClickHouse tells whose query it was."""
    return "-".join(part for part in ("aurum", _request_id(), uuid.uuid4().hex) if part)


def _request_id() -> str:
    work = current_work.get()
    return "" if work is None else work.log_fields().get("request_id", "")
