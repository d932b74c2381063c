"""Watermarks of fetches in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.watermarks import DayState, FetchedDay, Watermark


class MemoryWatermarkLog:
    """``WatermarkLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def watermarks(self) -> Sequence[Watermark]:
        return [self._state.watermarks[key] for key in sorted(self._state.watermarks)]

    async def watermark(self, source: str, dataset: str) -> Watermark | None:
        return self._state.watermarks.get((source, dataset))

    async def days(self, source: str, dataset: str, first: date, last: date) -> Sequence[FetchedDay]:
        keys = sorted(key for key in self._state.fetched_days if key[:2] == (source, dataset) and first <= key[2] <= last)
        return [self._state.fetched_days[key] for key in keys]


class MemoryWatermarkWriter:
    """``WatermarkWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def put(self, watermark: Watermark) -> None:
        self._state.watermarks[watermark.source, watermark.dataset] = watermark

    async def put_days(self, days: Sequence[FetchedDay]) -> None:
        for day in days:
            key = (day.source, day.dataset, day.day)
            before = self._state.fetched_days.get(key)
            if day.state is DayState.LOADED or before is None or before.state is not DayState.LOADED:
                self._state.fetched_days[key] = day
