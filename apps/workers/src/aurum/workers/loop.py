"""One event loop in a thread of its own, on which the threads of a worker run the coroutines of their jobs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

_WAKE_S = 0.5


class JobLoop:
    """Use as a context manager; its thread ends with the block.

    The loop owns what belongs to one loop, as a pool of connections does, so all jobs can share it. Work that holds the
    processor for longer than 50 ms leaves the loop (``asyncio.to_thread``), or it would hold up all other jobs.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jobs", daemon=True)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result, from any other thread.

        Whatever interrupts the waiting thread (a time limit, a shutdown) also cancels the coroutine, and is raised once the
        coroutine has ended.
        """
        ended, started = threading.Event(), concurrent.futures.Future[asyncio.Task[T]]()
        self._loop.call_soon_threadsafe(self._start, coroutine, started, ended)
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
        value = self.run(context.__aenter__())  # type: ignore[arg-type] - a coroutine, as contextlib makes it
        try:
            yield value
        finally:
            self.run(context.__aexit__(None, None, None))  # type: ignore[arg-type] - likewise

    def __enter__(self) -> JobLoop:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.run(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start(
        self,
        coroutine: Coroutine[Any, Any, T],
        started: concurrent.futures.Future[asyncio.Task[T]],
        ended: threading.Event,
    ) -> None:
        task = self._loop.create_task(coroutine)
        task.add_done_callback(lambda _: ended.set())
        started.set_result(task)

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
