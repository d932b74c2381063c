"""One event loop in a thread of its own, on which the threads of a worker run the coroutines of their jobs."""

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
        try:
            return self._wait_for(coroutine, is_job=True)
        except asyncio.CancelledError:
            raise WorkerStops("the worker stops", retry_after=0.0) from None

    def end_jobs(self) -> None:
        """Cancel what runs, wait until it has ended, and take nothing more."""
        with self._starting:
            self._takes_jobs = False
        self._wait_for(_end_tasks())

    def _wait_for(self, coroutine: Coroutine[Any, Any, T], *, is_job: bool = False) -> T:
        running = _Running(coroutine)
        try:
            with self._starting:
                is_taken = self._takes_jobs or not is_job
                if is_taken:
                    self._loop.call_soon_threadsafe(running.start, self._loop)
            # Dramatiq interrupts a job by an exception that is raised in its thread, which a thread that waits for a lock does
            # not see: it is woken now and then.
            while is_taken and not running.ended.wait(_WAKE_S):
                pass
        except BaseException:
            self._loop.call_soon_threadsafe(running.cancel)
            running.ended.wait()
            raise
        if not is_taken:
            coroutine.close()
            raise WorkerStops("the worker stops", retry_after=0.0)
        return running.result()

    @contextmanager
    def entered(self, context: AbstractAsyncContextManager[T]) -> Generator[T]:
        """Enter an asynchronous context on the loop, for the length of the block."""
        value = self._wait_for(context.__aenter__())  # type: ignore[arg-type] - a coroutine, as contextlib makes it
        try:
            yield value
        finally:
            self.end_jobs()  # jobs use what the context holds
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
    """A coroutine that a thread waits for. ``start`` and ``cancel`` are called on the loop, ``cancel`` later."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.ended = threading.Event()
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make the task."""
        self._task = loop.create_task(self._coroutine)
        self._task.add_done_callback(lambda _: self.ended.set())

    def cancel(self) -> None:
        """End the task, or the coroutine that never became one because the thread was interrupted before."""
        if self._task is None:
            self._coroutine.close()
            self.ended.set()
        else:
            self._task.cancel()

    def result(self) -> T:
        """Return what an ended task has returned. Raises what it has raised."""
        assert self._task is not None
        return self._task.result()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
