"""Writes to the log of jobs: ends of attempts in batches, and progress at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aurum.core.errors import Unavailable
from aurum.storage.ports.jobs import ClaimLost, Outcome, Progress, WorkerLog
from aurum.workers.attempts import RunningAttempt
from aurum.workers.database import Database

_MOST_OUTCOMES = 500
"""Ends of attempts in one commit."""
_PACE_S = 0.01
"""Pause after a commit, so that ends which follow each other share the next one."""
_PROGRESS_EVERY_S = 1.0


class Recorder:
    """Records ends of attempts. Those that come while a commit is under way share the next one.

    ``recorded``: called with each attempt, its outcome, and whether the attempt still was the one that ran.
    """

    def __init__(self, log: WorkerLog, database: Database, recorded: Callable[[RunningAttempt, Outcome, bool], None]) -> None:
        self._log = log
        self._database = database
        self._recorded = recorded
        self._waiting: list[tuple[RunningAttempt, Outcome]] = []
        self._new = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, running: RunningAttempt, outcome: Outcome) -> None:
        """Record the end of an attempt soon."""
        self._waiting.append((running, outcome))
        self._idle.clear()
        self._new.set()

    async def run(self) -> None:
        """Record until cancelled. While the database is away, the ends wait in memory."""
        while True:
            await self._new.wait()
            self._new.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_OUTCOMES], self._waiting[_MOST_OUTCOMES:]
                outcomes = [outcome for _, outcome in batch]
                current = set(await self._database.until_it_answers(lambda: self._log.finish(outcomes)))  # noqa: B023
                for running, outcome in batch:
                    self._recorded(running, outcome, outcome.job_id in current)
                await asyncio.sleep(_PACE_S)
            self._idle.set()

    async def until_idle(self) -> None:
        """Wait until all ends are recorded."""
        await self._idle.wait()


class ProgressWriter:
    """Writes the newest progress of each attempt once a second. ``lost``: called with an attempt that is no longer the one."""

    def __init__(self, log: WorkerLog, lost: Callable[[RunningAttempt], None]) -> None:
        self._log = log
        self._lost = lost
        self._newest: dict[RunningAttempt, Progress] = {}
        self._new = asyncio.Event()

    def put(self, running: RunningAttempt, progress: Progress) -> None:
        """Write the progress soon."""
        self._newest[running] = progress
        self._new.set()

    async def flush(self, running: RunningAttempt) -> None:
        """Write what is left of an attempt that has ended."""
        if (progress := self._newest.pop(running, None)) is not None:
            await self._write(running, progress)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._new.wait()
            self._new.clear()
            newest, self._newest = self._newest, {}
            for running, progress in newest.items():
                await self._write(running, progress)
            await asyncio.sleep(_PROGRESS_EVERY_S)

    async def _write(self, running: RunningAttempt, progress: Progress) -> None:
        try:
            await self._log.progress(*running.key, progress)
        except ClaimLost:
            self._lost(running)
        except Unavailable:
            return  # newer progress follows, and the next call that matters says that the database is away
