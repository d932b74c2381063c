"""Usage of the service: counted in the memory of each process, and added to the store about every minute.

A request costs one look-up in a dictionary. While the store does not answer, counts wait in memory; they are lost only with the
process, and each of them is added once, also when the answer to a write is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import structlog

from aurum.core.access import Caller
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.storage.ports.usage import DayUsage, UsageBatch, UsageStore

OTHERS = "*"
"""The subject of callers of a tenant that are counted together, because a process has counted too many others."""

_MOST = 50_000
"""Callers and days that a process counts apart until it has written them."""
_LONGEST_SUBJECT = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DAY = timedelta(days=1)

Counts = list[int]
"""Requests, points and bytes."""

_log = structlog.get_logger(__name__)


class UsageCounter:
    """Counts the usage of one process. ``monotonic``: seconds that never go back; ``count`` gets its value.

    ``most``: callers and days that are counted apart until they are written.
    """

    def __init__(
        self, store: UsageStore, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic, most: int = _MOST
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._most = most
        self._today: dict[tuple[str, str], Counts] = {}
        self._waiting: dict[tuple[str, str, date], Counts] = {}
        """Counts that are in no batch yet, without those of ``_today``."""
        self._day = date.min
        self._day_ends = float("-inf")
        """``monotonic`` seconds at which ``_day`` ends."""
        self._batch: UsageBatch | None = None
        """A batch that may not have been added. It is sent again unchanged, before any other."""
        self._batches = 0
        self._writer = secrets.token_hex(8)
        self._writes = asyncio.Lock()

    def count(self, caller: Caller, now: float, *, requests: int = 0, points: int = 0, size: int = 0) -> None:
        """Count requests, observations and bytes of a caller. ``now``: of ``monotonic``."""
        if now >= self._day_ends:
            self._begin_day(now)
        counts = self._today.get((caller.tenant, caller.subject))
        if counts is None:
            counts = self._new_counts(caller.tenant, caller.subject)
        counts[0] += requests
        counts[1] += points
        counts[2] += size

    async def write_often(self, every_s: float) -> None:
        """Call ``write`` every ``every_s`` seconds until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.write()

    async def write(self) -> None:
        """Add all counts to the store. While it does not answer, they wait for the next call."""
        async with self._writes:
            for _ in range(2):  # the batch that could not be added last time, then what was counted since
                if self._batch is None:
                    self._batch = self._new_batch()
                if self._batch is None:
                    return
                try:
                    await self._store.add(self._batch)
                except Unavailable as error:
                    _log.warning("usage not written yet", callers=len(self._batch.days), reason=error.operator_detail)
                    return
                self._batch = None

    async def recent(self, caller: Caller, *, days: int) -> Sequence[DayUsage]:
        """Return the usage of a caller on each of the last days (UTC), today last, zero where there is none.

        Counts that other processes have not written yet are missing. Raises ``Unavailable``.
        """
        subject = stored_subject(caller.subject)
        async with self._writes:
            today = self._clock.now().date()
            first = today - (days - 1) * _DAY
            stored = await self._store.of_caller(caller.tenant, subject, since=first)
            unwritten = self._unwritten(caller.tenant, subject)
        totals = {first + number * _DAY: [0, 0, 0] for number in range(days)}
        for one in (*stored, *unwritten):
            if one.day in totals:
                _add(totals[one.day], (one.requests, one.points, one.bytes))
        return [DayUsage(caller.tenant, caller.subject, day, *counts) for day, counts in totals.items()]

    def _unwritten(self, tenant: str, subject: str) -> list[DayUsage]:
        days = [*self._batch.days] if self._batch is not None else []
        days += [DayUsage(*key, *counts) for key, counts in self._waiting.items()]
        days += [DayUsage(owner, stored_subject(name), self._day, *counts) for (owner, name), counts in self._today.items()]
        return [one for one in days if (one.tenant, one.subject) == (tenant, subject)]

    def _new_counts(self, tenant: str, subject: str) -> Counts:
        if len(self._today) + len(self._waiting) >= self._most:
            subject = OTHERS
        return self._today.setdefault((tenant, subject), [0, 0, 0])

    def _begin_day(self, now: float) -> None:
        """Set the counts of the day apart and begin those of the present day, which may be the same."""
        for (tenant, subject), counts in self._today.items():
            key = tenant, stored_subject(subject), self._day
            if key not in self._waiting and len(self._waiting) >= self._most:
                key = tenant, OTHERS, self._day
            _add(self._waiting.setdefault(key, [0, 0, 0]), counts)
        self._today = {}
        instant = self._clock.now()
        self._day = instant.date()
        midnight = datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC) + _DAY
        self._day_ends = now + (midnight - instant).total_seconds()

    def _new_batch(self) -> UsageBatch | None:
        self._begin_day(self._monotonic())
        if not self._waiting:
            return None
        self._batches += 1
        days = [DayUsage(*key, *counts) for key, counts in self._waiting.items()]
        self._waiting = {}
        return UsageBatch(self._writer, self._batches, days)


def stored_subject(subject: str) -> str:
    """Return a subject as usage is stored under it: tokens may name users in texts that no index holds."""
    text = _UNSTORABLE.sub("\ufffd", subject)
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return f"{text[:_LONGEST_SUBJECT]}~{hashlib.blake2b(subject.encode(errors='replace'), digest_size=8).hexdigest()}"


def _add(counts: Counts, more: Sequence[int]) -> None:
    for place, number in enumerate(more):
        counts[place] += number
