"""The schedule as schedulers use it, in dictionaries."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.transaction import MemoryTransactions
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.schedule import StoredSchedule

_SCHEDULER = Actor("scheduler")


class MemoryLead:
    """``Lead`` in memory, which cannot be lost."""

    async def check(self) -> None:
        pass


class MemoryScheduleFirings:
    """``ScheduleFirings`` in memory."""

    def __init__(self, state: MemoryState, transactions: MemoryTransactions) -> None:
        self._state = state
        self._transactions = transactions

    @asynccontextmanager
    async def lead(self) -> AsyncGenerator[MemoryLead | None]:
        if self._state.has_scheduler.locked():
            yield None
            return
        async with self._state.has_scheduler:
            yield MemoryLead()

    async def fire(self, read: StoredSchedule, *, last_due: datetime, jobs: Sequence[NewJob]) -> Sequence[str] | None:
        async with self._transactions.transaction(by=_SCHEDULER) as tx:
            if not tx.schedule.move(read, last_due):
                return None
            ids = await tx.jobs.submit(jobs)
            if ids:
                tx.schedule.record_job(read.spec.name, ids[-1])
            return ids
