"""DuckDB queries on a bounded number of threads beside the event loop, each on a cursor of its own."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aurum.common.resilience.timeout import NEVER, time_left
from aurum.storage.duckdb.errors import HistoryUnavailable, driver_errors

if TYPE_CHECKING:
    import duckdb

Cursor: TypeAlias = "duckdb.DuckDBPyConnection"

T = TypeVar("T")

_INTERRUPT_EVERY_S = 0.02


class Engine:
    """An in-memory DuckDB and the threads that use it.

    ``threads``: queries at a time, and cores that one query may use. ``memory``: DuckDB's limit, as it writes it (``1GB``).
    ``location``: the folder or bucket that error texts name.
    """

    def __init__(self, *, threads: int, memory: str, location: str) -> None:
        self._threads = threads
        self._memory = memory
        self._location = location
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="history")
        self._opening = threading.Lock()
        self._database: Cursor | None = None

    async def run(self, work: Callable[[Cursor], T]) -> T:
        """Run ``work`` on a cursor and return its result; a caller that stops waiting interrupts it.

        Raises ``HistoryUnavailable``, also when the deadline of the task has passed.
        """
        left_s = time_left(at_most=NEVER)
        cursors: list[Cursor] = []
        running = asyncio.get_running_loop().run_in_executor(self._pool, self._perform, work, cursors)
        try:
            async with asyncio.timeout(None if left_s == NEVER else left_s):
                return await asyncio.shield(running)
        except TimeoutError as error:
            raise HistoryUnavailable(f"history did not answer in time ({self._location})", retry_after=1.0) from error
        finally:
            if not running.done():
                await _interrupt(running, cursors)

    def _perform(self, work: Callable[[Cursor], T], cursors: list[Cursor]) -> T:
        with driver_errors(self._location):
            cursor = self._cursor()
            cursors.append(cursor)
            try:
                return work(cursor)
            finally:
                cursor.close()

    def _cursor(self) -> Cursor:
        with self._opening:
            if self._database is None:
                import duckdb

                spill = Path(tempfile.gettempdir()) / "aurum-history"
                self._database = duckdb.connect(
                    ":memory:",
                    config={"threads": self._threads, "memory_limit": self._memory, "temp_directory": str(spill)},
                )
                self._database.execute("SET GLOBAL TimeZone = 'UTC'")
            return self._database.cursor()

    async def close(self) -> None:
        """Wait for the running queries, then free the engine's memory."""
        await asyncio.to_thread(self._pool.shutdown)
        if self._database is not None:
            self._database.close()
            self._database = None


async def _interrupt(running: asyncio.Future[T], cursors: list[Cursor]) -> None:
    """Stop work that no caller waits for any longer, and wait until it has ended.

    Work that has not begun is cancelled. Running work is interrupted again and again: an interrupt between two queries stops
    neither of them.
    """
    running.cancel()
    while not running.done():
        for cursor in cursors:
            cursor.interrupt()
        await asyncio.wait([running], timeout=_INTERRUPT_EVERY_S)
