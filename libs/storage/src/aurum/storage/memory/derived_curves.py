"""Derived curves in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import polars as pl

from aurum.core.clock import Clock
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.derived_cycles import refuse_cycle
from aurum.storage.derived_rates import rates_used
from aurum.storage.memory.state import MemoryState, versions
from aurum.storage.ports.derived_curves import (
    RATES_ID,
    BuildOvertaken,
    ComputedQuotes,
    CurveInUse,
    DerivedCurve,
    DerivedInput,
    FinishedBuild,
    InputChange,
    NewDerivedCurve,
    NotDerived,
    UnknownDerivedCurve,
)


class MemoryDerivedCurveReader:
    """``DerivedCurveReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def page(self, *, tenant: str | None, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        curves = [
            one
            for one in self._state.derived_curves.values()
            if one.tenant in (None, tenant) and (after is None or one.key > after)
        ]
        return [waiting(self._state, one) for one in sorted(curves, key=lambda one: one.key)[:limit]]

    async def to_build(self, *, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        curves = sorted(self._state.derived_curves.values(), key=lambda one: one.derived_id)
        wanted = [one for one in curves if one.needs_build and (after is None or one.derived_id > after)]
        return [waiting(self._state, one) for one in wanted[:limit]]

    async def curve(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        curve = self._state.derived_curves.get(derived_id)
        if curve is None or curve.tenant not in (None, tenant):
            raise UnknownDerivedCurve(derived_id)
        return waiting(self._state, curve)

    async def of_product(self, curve_id: int, *, tenant: str | None) -> DerivedCurve | None:
        curves = self._state.derived_curves.values()
        return next((one for one in curves if one.curve_id == curve_id and one.tenant in (None, tenant)), None)


class MemoryDerivedCurveWriter:
    """``DerivedCurveWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def add(self, curve: NewDerivedCurve) -> DerivedCurve:
        if curve.tenant is not None and curve.tenant not in self._state.tenants:
            raise UnknownName("tenant", curve.tenant)
        await refuse_cycle(curve, self._inputs_of)
        if any(one.curve_id == curve.curve_id for one in self._state.derived_curves.values()):
            raise Conflict(f"{curve.key} is a derived curve already: delete it first, or choose another key", key=curve.key)
        quotes = self._state.quotes.get(curve.curve_id, {})
        built = self._state.builds.get(curve.curve_id, frozenset[int]())
        dates = {day for (_, _, day), said in quotes.items() if said[versions(said)[-1]] not in built}
        if dates:
            raise NotDerived(curve.key, len(dates))
        added = DerivedCurve(
            curve.derived_id,
            curve.key,
            curve.tenant,
            curve.curve_id,
            curve.expression,
            curve.first,
            curve.inputs,
            self._clock.now(),
            curve.created_by,
        )
        return self._put(added)

    async def delete(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        curve = self._state.derived_curves.get(derived_id)
        if curve is None or curve.tenant != tenant:
            raise UnknownDerivedCurve(derived_id)
        used_by = sorted(one.key for one in self._curves() if any(read.curve_id == curve.curve_id for read in one.inputs))
        if used_by:
            raise CurveInUse(curve.key, used_by)
        return waiting(self._state, self._state.derived_curves.pop(derived_id))

    async def refuse_quotes(self, curve_ids: Sequence[int]) -> None:
        computed = sorted(one.key for one in self._state.derived_curves.values() if one.curve_id in curve_ids)
        if computed:
            raise ComputedQuotes(computed[0])

    async def inputs_changed(self, changed: pl.DataFrame) -> Sequence[DerivedCurve]:
        by_curve: dict[int, set[date]] = {}
        for curve_id, day in changed.select("curve_id", "trade_date").rows():
            by_curve.setdefault(curve_id, set()).add(day)
        stale: list[DerivedCurve] = []
        for curve in self._curves():
            of_inputs = {one.curve_id: sorted(by_curve.get(one.curve_id, ())) for one in curve.inputs}
            stale += self._record(curve, {curve_id: days for curve_id, days in sorted(of_inputs.items()) if days})
        return self._seen(stale)

    async def rates_changed(self, days: Mapping[str, Sequence[date]]) -> Sequence[DerivedCurve]:
        return self._seen(
            [
                one
                for curve in self._curves()
                if (used := self._quoted(curve, self._rates_used(curve, days)))
                for one in self._record(curve, {RATES_ID: used})
            ]
        )

    async def terms_changed(self, member: str, value: str, *, tenant: str | None) -> Sequence[DerivedCurve]:
        products = {
            one.curve_id
            for one in self._state.products.values()
            if one.product.to_document()[member] == value and tenant in (None, one.tenant)
        }
        stale: list[DerivedCurve] = []
        for curve in self._curves():
            read = sorted(products & {curve.curve_id, *(one.curve_id for one in curve.inputs)})
            stale += self._record(curve, dict.fromkeys(read, ()))
        return self._seen(stale)

    async def converting(self, currency: str) -> Sequence[DerivedCurve]:
        any_day = [date.max]
        return self._seen([one for one in self._curves() if self._rates_used(one, {currency: any_day})])

    async def begin(self, derived_id: str) -> DerivedCurve:
        curve = self._state.derived_curves.get(derived_id)
        if curve is None:
            raise UnknownDerivedCurve(derived_id)
        return self._put(replace(curve, builds=curve.builds + 1))

    async def finish(self, done: FinishedBuild, *, known_at: datetime | None) -> Sequence[DerivedCurve]:
        curve = self._state.derived_curves.get(done.derived_id)
        if curve is None or curve.builds != done.build:
            raise BuildOvertaken(done.derived_id)
        inputs = (replace(one, version=done.versions.get(one.curve_id, one.version)) for one in curve.inputs)
        self._put(
            replace(
                curve,
                built_at=known_at or self._clock.now(),
                report=done.report,
                error="",
                failed_at=None,
                inputs=tuple(inputs),
                changes=tuple(one for one in curve.changes if one.change_id not in done.changes),
            )
        )
        return self._seen([one for one in self._curves() if one.needs_build and curve.curve_id in _upstream(self._state, one)])

    async def fail(self, derived_id: str, build: int, error: str) -> None:
        curve = self._state.derived_curves.get(derived_id)
        if curve is not None and curve.builds == build:
            self._put(replace(curve, error=error, failed_at=self._clock.now()))

    def _curves(self) -> Sequence[DerivedCurve]:
        return sorted(self._state.derived_curves.values(), key=lambda one: one.derived_id)

    def _rates_used(self, curve: DerivedCurve, days: Mapping[str, Sequence[date]]) -> Sequence[date]:
        units = {one.curve_id: one.product.unit for one in self._state.products.values()}
        of_inputs = {one.key: units[one.curve_id] for one in curve.inputs if one.curve_id in units}
        return rates_used(curve.expression, of_inputs, days)

    def _quoted(self, curve: DerivedCurve, days: Sequence[date]) -> Sequence[date]:
        """Return the days that are trade dates of an input."""
        dates = {day for one in curve.inputs for _, _, day in self._state.quotes.get(one.curve_id, {})}
        return [day for day in days if day in dates]

    def _record(self, curve: DerivedCurve, changes: Mapping[int, Sequence[date]]) -> Sequence[DerivedCurve]:
        """Record changes by product, without dates of all trade dates; return the curve if any concerns it."""
        recorded: list[InputChange] = []
        for curve_id, days in changes.items():
            wanted = tuple(day for day in days if curve.first is None or day >= curve.first)
            if wanted or not days:
                self._state.last_derived_change += 1
                recorded.append(InputChange(self._state.last_derived_change, curve_id, wanted, self._clock.now()))
        return [self._put(replace(curve, changes=(*curve.changes, *recorded)))] if recorded else []

    def _put(self, curve: DerivedCurve) -> DerivedCurve:
        self._state.derived_curves[curve.derived_id] = replace(curve, waits_for=())
        return waiting(self._state, curve)

    def _seen(self, curves: Sequence[DerivedCurve]) -> Sequence[DerivedCurve]:
        return [waiting(self._state, one) for one in curves]

    async def _inputs_of(self, curve_ids: Sequence[int]) -> Sequence[tuple[int, DerivedInput]]:
        curves = [one for one in self._state.derived_curves.values() if one.curve_id in curve_ids]
        return [(curve.curve_id, one) for curve in curves for one in curve.inputs]


def _upstream(state: MemoryState, curve: DerivedCurve) -> Mapping[int, DerivedCurve | None]:
    """Return everything that a curve reads, also through others, by curve id: the derived curve, None for another one."""
    derived = {one.curve_id: one for one in state.derived_curves.values()}
    read: dict[int, DerivedCurve | None] = {}
    frontier = [curve]
    while frontier:
        ids = {one.curve_id for reader in frontier for one in reader.inputs} - read.keys()
        read |= {curve_id: derived.get(curve_id) for curve_id in ids}
        frontier = [one for curve_id in ids if (one := derived.get(curve_id)) is not None]
    return read


def waiting(state: MemoryState, curve: DerivedCurve) -> DerivedCurve:
    """Return a curve with those that it waits for."""
    read = _upstream(state, curve).values()
    return replace(curve, waits_for=tuple(sorted(one.key for one in read if one is not None and one.needs_build)))
