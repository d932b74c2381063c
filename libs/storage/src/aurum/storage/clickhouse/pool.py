"""The pool of ClickHouse connections, to a server over HTTP or to the embedded engine.

Queries run on threads beside the event loop, at most ``pool_size`` at a time.
"""

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
from aurum.common.resilience.retry import Retry
from aurum.common.resilience.timeout import time_left
from aurum.common.settings import ClickhouseSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.common.telemetry.work import current_work
from aurum.storage.clickhouse.driver import Client, connect
from aurum.storage.clickhouse.errors import ClickhouseAway, ClickhouseUnavailable, driver_errors
from aurum.storage.clickhouse.schema import CREATE_HISTORY, HISTORY_TABLE
from aurum.storage.ports.probe import PoolUse

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, object]
QuerySettings: TypeAlias = dict[str, str]
"""Settings of one query, as ClickHouse names them: its time limit, its id and its comment in the server's log."""

_log = structlog.get_logger(__name__)
_NO_PARAMETERS: Parameters = {}
_TIME_LIMIT = "max_execution_time"
_FINAL_PER_PARTITION = "do_not_merge_across_partitions_select_final = 1"
"""Lets ``FINAL`` merge within partitions only: a row that was written twice is in one partition, which its key determines."""

_KILL = "KILL QUERY WHERE query_id = {query_id:String} ASYNC"
_HAS_DATABASE = "EXISTS DATABASE {database:Identifier}"
_CREATE_DATABASE = "CREATE DATABASE IF NOT EXISTS {database:Identifier}"
_HAS_TABLE = f"EXISTS TABLE {HISTORY_TABLE}"


class ClickhousePool:
    """Connections to one database, used by one event loop. Open it with ``open`` and end it with ``close``.

    Each query runs in a thread, waits for its turn, and is limited by the deadline of the task and by the settings. When a
    caller stops waiting, the query is cancelled on the server. The embedded engine cannot cancel: it stops at the deadline.
    All methods raise ``ClickhouseUnavailable``.
    """

    def __init__(self, settings: ClickhouseSettings, resilience: ResilienceSettings) -> None:
        self.settings = settings
        self.resilience = resilience
        self._readers: queue.LifoQueue[Client] = queue.LifoQueue()
        self._writers: queue.LifoQueue[Client] = queue.LifoQueue()
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="clickhouse")
        self._stopper = ThreadPoolExecutor(1, thread_name_prefix="clickhouse-stop")
        self._slots = Bulkhead("ClickHouse", places=settings.pool_size, queue=settings.queue, longest_wait_s=settings.wait_s)
        self._breaker = Breaker("ClickHouse", resilience, counts=(ClickhouseAway,))
        self._retry = Retry("ClickHouse", resilience, on=(ClickhouseAway,))

    @classmethod
    async def open(cls, settings: ClickhouseSettings, resilience: ResilienceSettings) -> ClickhousePool:
        """Connect, and create the database and its table where they are missing."""
        if not settings.is_set:
            raise ValueError("ClickhouseSettings has neither url nor folder: set one of them to connect")
        pool = cls(settings, resilience)
        try:
            await pool._run(_create_missing(settings.database), pool._writers, _new_query_id(), settings.connect_timeout_s * 2)
        except BaseException:
            await pool.close()
            raise
        return pool

    async def read(self, query: str, parameters: Parameters = _NO_PARAMETERS) -> pl.DataFrame:
        """Return the answer to a query that changes nothing; tried again while ClickHouse is away for a moment."""
        with driver_errors():
            async for attempt in self._retry.attempts():
                with attempt:
                    return await self._read_once(query, parameters)
        raise AssertionError  # the last attempt answers or raises

    async def insert(self, frame: pl.DataFrame, *, query_id: str) -> None:
        """Insert rows into the table of history. The server refuses a query whose id is that of a running one."""
        block = io.BytesIO()
        # The oldest level: newer ones encode texts as views, which the server does not read.
        frame.write_ipc_stream(block, compat_level=pl.CompatLevel.oldest())

        def work(client: Client, settings: QuerySettings) -> None:
            client.raw_insert(HISTORY_TABLE, frame.columns, block.getvalue(), settings=dict(settings), fmt="ArrowStream")

        await self._run(work, self._writers, query_id, self.settings.write_timeout_s)

    async def command(
        self, statement: str, parameters: Parameters = _NO_PARAMETERS, *, settings: Parameters = _NO_PARAMETERS
    ) -> None:
        """Run a statement that returns no rows, with extra settings of ClickHouse."""

        def work(client: Client, query_settings: QuerySettings) -> None:
            client.command(statement, dict(parameters), settings={**settings, **query_settings})

        await self._run(work, self._writers, _new_query_id(), self.settings.write_timeout_s)

    def use(self) -> PoolUse:
        """Return how many slots are in use, and how many there are."""
        return PoolUse(self._slots.in_use, self._slots.in_use, self._slots.places)

    @property
    def guards(self) -> Guards:
        return Guards(circuits=(self._breaker,), retries=(self._retry,), bulkheads=(self._slots,))

    async def close(self) -> None:
        """Wait for the running queries, then close the connections or the folder."""
        await asyncio.to_thread(self._close)

    async def _read_once(self, query: str, parameters: Parameters) -> pl.DataFrame:
        def work(client: Client, settings: QuerySettings) -> pl.DataFrame:
            # These settings are in the text: the embedded engine runs two more queries for each setting beside the text.
            bounded = f"{query} SETTINGS {_FINAL_PER_PARTITION}, {_TIME_LIMIT} = {settings.pop(_TIME_LIMIT)}"
            return pl.read_ipc_stream(client.raw_query(bounded, dict(parameters), settings=dict(settings), fmt="ArrowStream"))

        return await self._run(work, self._readers, _new_query_id(), self.settings.read_timeout_s)

    async def _run(
        self, work: Callable[[Client, QuerySettings], T], clients: queue.LifoQueue[Client], query_id: str, at_most_s: float
    ) -> T:
        with driver_errors():
            async with self._breaker():
                await self._take_slot(time_left(at_most_s))
                running = self._submit(work, clients, query_id, at_most_s)
                try:
                    async with asyncio.timeout(time_left(at_most_s)):
                        return await asyncio.wrap_future(running)
                except TimeoutError as error:
                    self._cancel(query_id)
                    raise ClickhouseUnavailable("ClickHouse took too long", retry_after=5.0) from error
                except (asyncio.CancelledError, DeadlinePassed):
                    self._cancel(query_id)
                    raise

    async def _take_slot(self, left_s: float) -> None:
        if not self._slots.try_enter():
            await self._slots.wait_for_place(at_most_s=min(left_s, self.settings.wait_s))

    def _submit(
        self, work: Callable[[Client, QuerySettings], T], clients: queue.LifoQueue[Client], query_id: str, at_most_s: float
    ) -> Future[T]:
        """Start work on a thread. Its slot is free again when the thread has ended, even if the caller left long before."""
        loop = asyncio.get_running_loop()
        try:
            settings = self._query_settings(query_id, time_left(at_most_s))
            running = self._threads.submit(self._run_in_thread, work, clients, settings)
        except BaseException:
            self._slots.leave()
            raise
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._slots.leave))
        return running

    def _query_settings(self, query_id: str, left_s: float) -> QuerySettings:
        settings = {_TIME_LIMIT: f"{max(left_s, 0.001):.3f}"}
        if self.settings.folder is None:
            settings |= {"query_id": query_id, "log_comment": _request_id()}
        return settings

    def _run_in_thread(
        self, work: Callable[[Client, QuerySettings], T], clients: queue.LifoQueue[Client], settings: QuerySettings
    ) -> T:
        with driver_errors():
            client = self._client(clients)
            try:
                return work(client, settings)
            finally:
                clients.put(client)

    def _client(self, clients: queue.LifoQueue[Client]) -> Client:
        """Return an idle client, or a new one: there are never more clients in use than threads."""
        try:
            return clients.get_nowait()
        except queue.Empty:
            patience_s = self.settings.read_timeout_s if clients is self._readers else self.settings.write_timeout_s
            client = connect(self.settings, patience_s)
            client.database = self.settings.database
            return client

    def _cancel(self, query_id: str) -> None:
        if self.settings.folder is None:
            self._stopper.submit(self._kill, query_id)

    def _kill(self, query_id: str) -> None:
        try:
            self._run_in_thread(lambda client, _: client.command(_KILL, {"query_id": query_id}, settings={}), self._readers, {})
        except ClickhouseUnavailable as error:
            _log.warning("abandoned clickhouse query not cancelled", query_id=query_id, reason=error.detail)

    def _close(self) -> None:
        for threads in (self._threads, self._stopper):
            threads.shutdown(wait=True, cancel_futures=True)
        for clients in (self._readers, self._writers):
            while not clients.empty():
                clients.get_nowait().close()


def _create_missing(database: str) -> Callable[[Client, QuerySettings], None]:
    """Return work that creates the database and its table unless they exist: a user who may only read cannot create them."""

    def work(client: Client, settings: QuerySettings) -> None:
        parameters: dict[str, object] = {"database": database}
        client.database = None
        if not client.command(_HAS_DATABASE, parameters, settings=dict(settings)):
            client.command(_CREATE_DATABASE, parameters, settings={})
        client.database = database
        if not client.command(_HAS_TABLE, {}, settings={}):
            client.command(CREATE_HISTORY, {}, settings={})

    return work


def _new_query_id() -> str:
    """Return an id that contains that of the request, so that ClickHouse's log shows for which request a query ran."""
    return "-".join(part for part in ("aurum", _request_id(), uuid.uuid4().hex) if part)


def _request_id() -> str:
    work = current_work.get()
    return "" if work is None else work.log_fields().get("request_id", "")
