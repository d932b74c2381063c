"""The tasks and threads without which a worker does not do its work. When one ends, the worker ends, to be started again."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

STALLED_EXIT = 70
"""Exit code of a worker whose event loop was blocked."""

_TICK_S = 0.5
_LOOK_S = 0.5

_log = structlog.get_logger(__name__)


class EssentialEnded(Exception):
    """An essential task or thread has ended although the worker runs."""


class Essentials:
    """The essential tasks and threads of one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._threads: list[threading.Thread] = []

    def add_task(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that is to last as long as the worker."""
        self._tasks[name] = asyncio.create_task(work, name=name)

    def add_thread(self, thread: threading.Thread) -> None:
        """Watch a thread that is to last as long as the worker and has been started."""
        self._threads.append(thread)

    @property
    def names(self) -> list[str]:
        """The names of the tasks and threads."""
        return [*self._tasks, *(thread.name for thread in self._threads)]

    def task(self, name: str) -> asyncio.Task[None]:
        """Return a task by its name."""
        return self._tasks[name]

    def ended(self) -> list[str]:
        """Return the names of those that have ended. Safe in any thread."""
        tasks = [name for name, task in list(self._tasks.items()) if task.done()]
        return tasks + [thread.name for thread in self._threads if not thread.is_alive()]

    async def watch(self) -> None:
        """Wait until one of them ends. Raises ``EssentialEnded`` with its name, from its exception."""
        while True:
            await asyncio.wait(self._tasks.values(), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for name, task in self._tasks.items():
                if task.done():
                    error = None if task.cancelled() else task.exception()
                    reason = f" ({type(error).__name__}: {error})" if error is not None else ""
                    raise EssentialEnded(f"the task {name!r} has ended{reason}") from error
            for name in self.ended():
                raise EssentialEnded(f"the thread {name!r} has ended")

    async def stop(self) -> None:
        """Cancel the tasks and wait until they have ended."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())


class Watchdog:
    """Ends the process when its event loop is blocked, as by a light job that never waits: nothing else could.

    ``stalled_s``: how long it may be blocked. ``busy``: returns the light jobs that run, for the line about it.
    """

    def __init__(self, stalled_s: float, busy: Callable[[], list[str]]) -> None:
        self.checks = max(2, round(stalled_s / _LOOK_S))
        self._busy = busy
        self._ticks = 0
        self._missed = 0
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._check, name="watchdog", daemon=True)

    @property
    def silent_s(self) -> float:
        """Seconds for which the event loop has been blocked."""
        return max(0, self._missed - 1) * _LOOK_S

    async def tick(self) -> None:
        """Show that the event loop runs, until cancelled."""
        while True:
            self._ticks += 1
            await asyncio.sleep(_TICK_S / 2)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self.thread.join()

    def _check(self) -> None:
        # Checks are counted, not seconds: a process that was suspended as a whole is not blocked.
        seen = -1
        while not self._stop.wait(_LOOK_S):
            ticks = self._ticks
            self._missed = self._missed + 1 if ticks == seen else 0
            seen = ticks
            if self._missed >= self.checks:
                self._end()

    def _end(self) -> None:
        jobs = ", ".join(self._busy()) or "none"
        _log.critical("the event loop is blocked; the worker ends, to be started again", light_jobs=jobs)
        faulthandler.dump_traceback(all_threads=True)
        sys.stderr.flush()
        os._exit(STALLED_EXIT)
