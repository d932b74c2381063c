"""The relay: announces new jobs to workers, and cleans up after workers and announcements that vanished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from aurum.core.errors import Unavailable
from aurum.storage.ports.jobs import WorkerLog
from aurum.workers.database import Database
from aurum.workers.wakeups import WakeUps, WakeUpsUnavailable

_MOST_JOBS = 500
"""Jobs that are announced in one commit."""
_LOOK_S = 1.0
"""How often it looks for jobs whose time has come: no notice tells of them."""
_AWAY_S = 1.0
_PACE_S = 0.02
"""Pause after an announcement, so that jobs which are submitted one after the other share the next one."""

_log = structlog.get_logger(__name__)


class Relay:
    """Announces jobs. Several relays do not announce the same job.

    ``wake_here``: wakes the places of this worker while Redis is away.
    """

    def __init__(self, log: WorkerLog, database: Database, wakeups: WakeUps, wake_here: Callable[[], None]) -> None:
        self._log = log
        self._database = database
        self._wakeups = wakeups
        self._wake_here = wake_here
        self._new = asyncio.Event()

    def wake(self) -> None:
        """Look for new jobs now."""
        self._new.set()

    async def run(self) -> None:
        """Announce jobs until cancelled."""
        while True:
            self._new.clear()
            announced = await self._announce()
            if announced == _MOST_JOBS:
                continue
            if announced:
                await asyncio.sleep(_PACE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._new.wait()

    async def _announce(self) -> int:
        """Announce the jobs that are ready and return their number."""
        try:
            async with self._log.announcing(limit=_MOST_JOBS) as jobs:
                if jobs:
                    await asyncio.to_thread(self._wakeups.announce, jobs)
        except WakeUpsUnavailable:
            self._wake_here()
            await asyncio.sleep(_AWAY_S)
            return 0
        except Unavailable as error:
            await self._database.failed(error)
            return 0
        self._database.answered()
        return len(jobs)


class Sweeper:
    """Looks every few seconds for what was lost: jobs of workers that vanished, announcements, definitions.

    ``names``: the jobs of this release. ``unknown_s``: how long a job of another name waits for a worker that knows it.
    """

    def __init__(
        self,
        log: WorkerLog,
        database: Database,
        wakeups: WakeUps,
        *,
        names: Sequence[str],
        every_s: float,
        lease_s: float,
        unknown_s: float,
        recovered: Callable[[], None],
    ) -> None:
        self._log = log
        self._database = database
        self._wakeups = wakeups
        self._names = names
        self._every_s = every_s
        self._lease_s = lease_s
        self._unknown_s = unknown_s
        self._recovered = recovered
        self._answers_since: float | None = None

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            if await self._database.once(self._sweep) is None:
                self._answers_since = None
            await asyncio.sleep(self._every_s)

    async def _sweep(self) -> None:
        # After a failure of the database all heartbeats are old: living workers have the time of a lease to send theirs.
        now = time.monotonic()
        self._answers_since = now if self._answers_since is None else self._answers_since
        is_fair = now - self._answers_since >= self._lease_s
        if is_fair and (ids := await self._log.recover(silent_for_s=self._lease_s)):
            _log.warning("a worker vanished; its jobs are handed to others", jobs=len(ids))
            self._recovered()
        for job_id in await self._log.park_unknown(names=self._names, queued_for_s=self._unknown_s):
            _log.error("job parked", id=job_id, reason="its definition no longer exists")
        if queues := await self._log.unclaimed(for_s=self._every_s):
            try:
                await asyncio.to_thread(self._wakeups.remind, queues)
            except WakeUpsUnavailable:
                self._recovered()
