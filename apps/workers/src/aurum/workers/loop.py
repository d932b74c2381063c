"""One event loop in a thread of its own, on which the threads of a worker run the coroutines of their jobs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, Generic, TypeVar

from aurum.core.errors import Unavailable

T = TypeVar("T")

_WAKE_S = 0.5


class WorkerStops(Unavailable):
    """The worker stops before a job has ended, or has begun. The job may be done again at once, by another worker."""


class JobLoop:
    """Use as a context manager; its thread ends with the block.

    The loop owns what belongs to one loop, as a pool of connections does, so all jobs can share it. Work that holds the
    processor for longer than 50 ms leaves the loop (``asyncio.to_thread``), or it would hold up all other jobs.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jobs", daemon=True)
        self._takes_jobs = True
        self._starting = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result, from any other thread.

        Whatever interrupts the waiting thread, as a time limit does, also cancels the coroutine, and is raised once the
        coroutine has ended. Threads that the coroutine has started go on until their step is done. Raises ``WorkerStops``
        after ``end_jobs``.
        """
        with self._starting:
            if not self._takes_jobs:
                coroutine.close()
                raise WorkerStops("the worker stops", retry_after=0.0)
            waiting = self._begin(coroutine)
        try:
            return self._result(waiting)
        except asyncio.CancelledError:
            raise WorkerStops("the worker stops", retry_after=0.0) from None

    def end_jobs(self) -> None:
        """Cancel what runs, wait until it has ended, and take nothing more."""
        with self._starting:
            self._takes_jobs = False
        self._result(self._begin(_end_tasks()))

    def _begin(self, coroutine: Coroutine[Any, Any, T]) -> _Waiting[T]:
        waiting = _Waiting[T]()
        self._loop.call_soon_threadsafe(waiting.start, self._loop, coroutine)
        return waiting

    def _result(self, waiting: _Waiting[T]) -> T:
        ended, started = waiting.ended, waiting.started
        try:
            # Dramatiq interrupts a job by an exception that is raised in its thread, which a thread that waits for a lock does
            # not see: it is woken now and then.
            while not ended.wait(_WAKE_S):
                pass
        except BaseException:
            self._loop.call_soon_threadsafe(started.result().cancel)
            ended.wait()
            raise
        return started.result().result()

    @contextmanager
    def entered(self, context: AbstractAsyncContextManager[T]) -> Generator[T]:
        """Enter an asynchronous context on the loop, for the length of the block."""
        value = self._result(self._begin(context.__aenter__()))  # type: ignore[arg-type] - a coroutine, as contextlib makes it
        try:
            yield value
        finally:
            self.end_jobs()  # jobs use what the context holds
            self._result(self._begin(context.__aexit__(None, None, None)))  # type: ignore[arg-type] - likewise

    def __enter__(self) -> JobLoop:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.end_jobs()
        self._result(self._begin(self._shut_down()))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut_down(self) -> None:
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


class _Waiting(Generic[T]):
    """A thread that waits for a task of the loop."""

    def __init__(self) -> None:
        self.started = concurrent.futures.Future[asyncio.Task[T]]()
        self.ended = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> None:
        """Make the task; called on the loop."""
        task = loop.create_task(coroutine)
        task.add_done_callback(lambda _: self.ended.set())
        self.started.set_result(task)


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
