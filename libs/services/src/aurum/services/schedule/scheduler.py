"""The scheduler: submits the jobs of schedules when they are due.

Of all schedulers of a store one leads and the others stand by. The lead only saves work: what keeps a schedule from firing
twice is that its job is submitted in the transaction that moves its last instant, from the one that was read.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from aurum.core.clock import Clock
from aurum.core.errors import AurumError, Unavailable
from aurum.core.schedule.due import due, next_firing
from aurum.services.jobs.definition import Definitions
from aurum.services.schedule.reading import Plan, last_instant, read_plan
from aurum.storage.ports.schedule import ScheduleFirings, ScheduleLog, StoredSchedule

SUBJECT = "scheduler"
"""The subject of jobs that a schedule submits."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at the schedule (``look_s``), between two tries to lead, and after the store was away."""

    look_s: float = 1.0
    standby_s: float = 5.0
    unavailable_s: float = 2.0


async def run_scheduler(
    log: ScheduleLog,
    firings: ScheduleFirings,
    definitions: Definitions,
    clock: Clock,
    stop: asyncio.Event,
    *,
    pace: Pace = Pace(),
) -> None:
    """Submit jobs when they are due, until ``stop`` is set. A store that does not answer is tried again."""
    while not stop.is_set():
        pause_s = pace.standby_s
        try:
            async with firings.lead() as lead:
                if lead is not None:
                    _log.info("scheduler leads")
                    looks = Looks(log, firings, definitions)
                    while not stop.is_set():
                        await lead.check()
                        await looks.look(clock.now())
                        await _pause(stop, pace.look_s)
        except Unavailable as error:
            _log.warning("schedule not read", reason=error.operator_detail)
            pause_s = pace.unavailable_s
        await _pause(stop, pause_s)


class Looks:
    """Looks at the schedule, one after the other. What was read of an unchanged schedule is not computed again."""

    def __init__(self, log: ScheduleLog, firings: ScheduleFirings, definitions: Definitions) -> None:
        self._log = log
        self._firings = firings
        self._definitions = definitions
        self._read: dict[str, tuple[StoredSchedule, Plan | None, datetime | None]] = {}
        """By name: a schedule, its plan, None for a broken one, and when it fires next."""

    async def look(self, now: datetime) -> None:
        """Fire what is due. A broken schedule is logged once and stops no other. Raises ``Unavailable``."""
        stored = await self._log.schedules()
        self._read = {one.spec.name: self._looked_up(one) for one in stored}
        for one, plan, fires_at in list(self._read.values()):
            if plan is not None and fires_at is not None and fires_at <= now:
                await self._fire(one, plan, now)

    def _looked_up(self, stored: StoredSchedule) -> tuple[StoredSchedule, Plan | None, datetime | None]:
        known = self._read.get(stored.spec.name)
        if known is not None and known[0] == stored:
            return known
        try:
            plan = read_plan(stored.spec, self._definitions)
        except AurumError as error:
            _log.warning("schedule is broken", schedule=stored.spec.name, reason=error.detail)
            return stored, None, None
        return stored, plan, next_firing(plan.schedule, last_instant(stored))

    async def _fire(self, stored: StoredSchedule, plan: Plan, now: datetime) -> None:
        last = last_instant(stored)
        looked = due(plan.schedule, now, last)
        if looked.last == last:
            return
        jobs = [
            plan.job(subject=SUBJECT, key=f"schedule:{stored.spec.name}:{instant.isoformat()}") for instant in looked.instants
        ]
        try:
            ids = await self._firings.fire(stored, last_due=looked.last, jobs=jobs)
        except Unavailable:
            raise
        except AurumError as error:
            _log.warning("schedule not fired", schedule=stored.spec.name, reason=error.detail)
            # Not tried again before the schedule is changed.
            self._read[stored.spec.name] = (stored, None, None)
            return
        if ids is not None:
            _log.info("schedule fired", schedule=stored.spec.name, due=looked.last.isoformat(), jobs=list(ids))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
