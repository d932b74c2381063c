"""The event loop of a worker, in a thread of its own, on which the worker's threads run the coroutines of their jobs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, Generic, TypeVar

from aurum.core.errors import Unavailable

T = TypeVar("T")

_WAKE_S = 0.5
_STOPPING = "the worker is stopping; the job returns to the queue"


class WorkerStops(Unavailable):
    """The worker stops before a job has ended or begun. Another worker may run the job again at once."""


class JobLoop:
    """An event loop in a thread; use as a context manager, whose end also ends the thread.

    The loop owns objects that belong to one loop, such as a pool of connections, so all jobs can share them. Work that holds
    the processor for longer than 50 ms must leave the loop (``asyncio.to_thread``), or it delays all other jobs.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jobs", daemon=True)
        self._accepts_jobs = True
        self._starting = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result; call it from another thread than the loop's.

        An exception that interrupts the waiting thread, such as a time limit, also cancels the coroutine, and is raised once
        the coroutine has ended. Threads that the coroutine has started continue until their step is done. Raises
        ``WorkerStops`` after ``end_jobs``.
        """
        try:
            return self._wait_for(coroutine, is_job=True)
        except asyncio.CancelledError:
            raise WorkerStops(_STOPPING, retry_after=0.0) from None

    def end_jobs(self) -> None:
        """Cancel the running jobs, wait until they have ended, and accept no more."""
        with self._starting:
            self._accepts_jobs = False
        self._wait_for(_end_tasks())

    def _wait_for(self, coroutine: Coroutine[Any, Any, T], *, is_job: bool = False) -> T:
        running = _Running(coroutine)
        try:
            with self._starting:
                is_accepted = self._accepts_jobs or not is_job
                if is_accepted:
                    self._loop.call_soon_threadsafe(running.start, self._loop)
            # Dramatiq interrupts a job by raising an exception in its thread. A thread that waits for a lock does not see it,
            # so it wakes twice a second.
            while is_accepted and not running.ended.wait(_WAKE_S):
                pass
        except BaseException:
            self._loop.call_soon_threadsafe(running.cancel)
            running.ended.wait()
            raise
        if not is_accepted:
            coroutine.close()
            raise WorkerStops(_STOPPING, retry_after=0.0)
        return running.result()

    @contextmanager
    def entered(self, context: AbstractAsyncContextManager[T]) -> Generator[T]:
        """Enter an asynchronous context manager on the loop for the length of the block, and yield its value."""
        value = self._wait_for(context.__aenter__())  # type: ignore[arg-type] - a coroutine, as contextlib makes it
        try:
            yield value
        finally:
            self.end_jobs()  # jobs use the value of the context
            self._wait_for(context.__aexit__(None, None, None))  # type: ignore[arg-type] - likewise

    def __enter__(self) -> JobLoop:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.end_jobs()
        self._wait_for(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut_down(self) -> None:
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


class _Running(Generic[T]):
    """A coroutine that a thread waits for. ``start`` and then ``cancel`` are called on the loop."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.ended = threading.Event()
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Create the task."""
        self._task = loop.create_task(self._coroutine)
        self._task.add_done_callback(lambda _: self.ended.set())

    def cancel(self) -> None:
        """Cancel the task, or close a coroutine that has no task yet because its thread was interrupted before ``start``."""
        if self._task is None:
            self._coroutine.close()
            self.ended.set()
        else:
            self._task.cancel()

    def result(self) -> T:
        """Return the result of an ended task, or raise its exception."""
        assert self._task is not None
        return self._task.result()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
