"""The places of a worker for jobs of one queue and kind, and the claiming of jobs for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress

from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Place
from aurum.storage.ports.jobs import Claim, Lost, WorkerLog
from aurum.workers.database import Database

_PACE_S = 0.02
"""Pause after a claim, so that jobs which are submitted one after the other share the next one."""


class Places:
    """Places for jobs of one queue, either light ones or ones in processes of their own.

    ``names``: jobs that run in them. ``most``: their number. ``start``: starts an attempt in a place. ``may_claim``: entered
    around each claim; it waits while none may be claimed. ``look_s``: how often they look for jobs without being woken.
    ``room_changed``: called when ``has_room`` changes.
    """

    def __init__(
        self,
        log: WorkerLog,
        worker: str,
        queue: Queue,
        place: Place,
        *,
        names: Sequence[str],
        most: int,
        start: Callable[[Claim, Places], None],
        may_claim: Callable[[], AbstractAsyncContextManager[object]],
        database: Database,
        look_s: float,
        room_changed: Callable[[], None],
    ) -> None:
        self.queue = queue
        self.place = place
        self.names = names
        self.most = most
        self._log = log
        self._worker = worker
        self._start = start
        self._may_claim = may_claim
        self._database = database
        self._look_s = look_s
        self._room_changed = room_changed
        self._used = 0
        self._is_closed = False
        self._claiming = asyncio.Lock()
        # Light jobs are claimed in batches: half of the places are free before the next claim.
        self._batch = max(1, most // 2) if place is Place.WORKER else 1
        self._lost = Lost.LEFT if place is Place.WORKER else Lost.INCLUDED
        self._woken = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def has_room(self) -> bool:
        """Whether there are free places for a claim."""
        return self.most - self._used >= self._batch

    @property
    def used(self) -> int:
        """Number of attempts that run."""
        return self._used

    def wake(self) -> None:
        """Look for jobs now."""
        self._woken.set()

    def take(self) -> None:
        """Use a place."""
        self._used += 1
        if not self.has_room and self._room.is_set():
            self._room.clear()
            self._room_changed()

    def free(self) -> None:
        """Give a place back."""
        self._used -= 1
        if self.has_room and not self._room.is_set():
            self._room.set()
            self._room_changed()

    async def close(self) -> None:
        """Claim no more jobs, and wait for the end of a claim that is under way."""
        self._is_closed = True
        self._woken.set()
        async with self._claiming:
            pass

    async def run(self) -> None:
        """Claim and start jobs until ``close``."""
        while not self._is_closed:
            await self._room.wait()
            self._woken.clear()
            claimed, wanted = await self._fill()
            if claimed == wanted:
                continue  # more may wait
            if claimed:
                await asyncio.sleep(_PACE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._woken.wait()

    async def _fill(self) -> tuple[int, int]:
        """Claim jobs for the free places and start them. Return the numbers of claimed and of wanted jobs."""
        async with self._may_claim(), self._claiming:
            wanted = self.most - self._used
            if wanted < 1 or self._is_closed:
                return 0, 0
            answer = await self._database.once(
                lambda: self._log.claim(self._worker, self.queue, names=self.names, limit=wanted, lost=self._lost)
            )
            if answer is None:
                return 0, 0  # the database is away; it is tried again after the pause
            for claim in answer[0]:
                self.take()
                self._start(claim, self)
            return len(answer[0]), wanted
