"""Usage by caller and day in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from aurum.storage.ports.usage import DayUsage, UsageBatch


class MemoryUsageStore:
    """``UsageStore`` in memory."""

    def __init__(self) -> None:
        self._days: dict[tuple[date, str, str], DayUsage] = {}
        self._last_numbers: dict[str, int] = {}

    async def add(self, batch: UsageBatch) -> None:
        if batch.number <= self._last_numbers.get(batch.writer, 0):
            return
        self._last_numbers[batch.writer] = batch.number
        for new in batch.days:
            key = new.day, new.tenant, new.subject
            old = self._days.get(key, replace(new, requests=0, points=0, bytes=0))
            self._days[key] = replace(
                old, requests=old.requests + new.requests, points=old.points + new.points, bytes=old.bytes + new.bytes
            )

    async def of_caller(self, tenant: str, subject: str, *, since: date) -> Sequence[DayUsage]:
        return [self._days[key] for key in sorted(self._days) if key[0] >= since and (key[1], key[2]) == (tenant, subject)]

    async def page(
        self, *, tenant: str | None, since: date, after: tuple[date, str, str] | None, limit: int
    ) -> Sequence[DayUsage]:
        keys = (
            key for key in sorted(self._days) if key[0] >= since and tenant in (None, key[1]) and (after is None or key > after)
        )
        return [self._days[key] for key in keys][:limit]
