"""Curve sets in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from aurum.core.curves.marks import NAMED_MARKS, Override
from aurum.core.errors import UnknownName
from aurum.core.frames import conform
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.curve_sets import CurveSet, CurveSetFilter, UnknownCurveSet, UnknownOverride


class MemoryCurveSetStore:
    """``CurveSetStore`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def page(
        self, tenant: str, criteria: CurveSetFilter, *, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[CurveSet]:
        sets = [
            one
            for one in self._state.curve_sets.values()
            if one.tenant == tenant
            and criteria.state in (None, one.state)
            and criteria.trade_date in (None, one.trade_date)
            and criteria.name in (None, one.name)
            and (before is None or (one.created_at, one.set_id) < before)
        ]
        return sorted(sets, key=lambda one: (one.created_at, one.set_id), reverse=True)[:limit]

    async def read(self, tenant: str, set_id: str) -> CurveSet:
        return _existing(self._state, tenant, set_id)

    async def overrides(self, tenant: str, set_id: str) -> Sequence[Override]:
        return _overrides(self._state, tenant, set_id)

    async def marks(self, tenant: str, set_id: str, pin: int) -> pl.DataFrame:
        pinned = self._state.curve_set_marks.get((tenant, set_id, pin))
        return pl.DataFrame(schema=NAMED_MARKS) if pinned is None else pinned


class MemoryCurveSetWriter:
    """``CurveSetWriter`` in memory."""

    def __init__(self, state: MemoryState, tenant: str) -> None:
        self._state = state
        self._tenant = tenant

    async def insert(self, curve_set: CurveSet, overrides: Sequence[Override] = ()) -> None:
        if curve_set.tenant != self._tenant:
            raise OtherTenant(self._tenant, curve_set.tenant)
        if curve_set.tenant not in self._state.tenants:
            raise UnknownName("tenant", curve_set.tenant)
        self._state.curve_sets[curve_set.set_id] = curve_set
        for override in overrides:
            await self.put_override(curve_set.set_id, override)

    async def locked(self, set_id: str) -> CurveSet:
        return _existing(self._state, self._tenant, set_id)

    async def change(self, curve_set: CurveSet) -> None:
        self._state.curve_sets[curve_set.set_id] = curve_set

    async def overrides(self, set_id: str) -> Sequence[Override]:
        return _overrides(self._state, self._tenant, set_id)

    async def put_override(self, set_id: str, override: Override) -> None:
        stored = self._state.curve_set_overrides.get((self._tenant, set_id), {})
        key = override.curve, override.first, override.end
        self._state.curve_set_overrides[self._tenant, set_id] = {**stored, key: override}

    async def delete_override(self, set_id: str, curve: str, first: date, end: date) -> Override:
        stored = self._state.curve_set_overrides.get((self._tenant, set_id), {})
        if (curve, first, end) not in stored:
            raise UnknownOverride(curve, first, end)
        rest = {key: one for key, one in stored.items() if key != (curve, first, end)}
        self._state.curve_set_overrides[self._tenant, set_id] = rest
        return stored[curve, first, end]

    async def pin(self, set_id: str, pin: int, marks: pl.DataFrame) -> None:
        ordered = conform(marks, NAMED_MARKS).sort("curve", "delivery_start", "delivery_end")
        self._state.curve_set_marks[self._tenant, set_id, pin] = ordered


def _existing(state: MemoryState, tenant: str, set_id: str) -> CurveSet:
    stored = state.curve_sets.get(set_id)
    if stored is None or stored.tenant != tenant:
        raise UnknownCurveSet(set_id)
    return stored


def _overrides(state: MemoryState, tenant: str, set_id: str) -> Sequence[Override]:
    stored = state.curve_set_overrides.get((tenant, set_id), {})
    return [stored[key] for key in sorted(stored)]
