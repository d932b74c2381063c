"""Curve sets: curves that a desk of a tenant marks together. All methods raise ``Unavailable`` when the store does not answer.

The rows of a set belong to one tenant. Marks are pinned by submitting a set; pinned marks are never changed or deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from aurum.core.errors import NotFound

if TYPE_CHECKING:
    import polars as pl

    from aurum.core.curves.marks import Override, SetState


class UnknownCurveSet(NotFound):
    """The tenant has no curve set of this id. Facts: ``set_id``."""

    def __init__(self, set_id: str) -> None:
        super().__init__(f"no curve set {set_id!r}", set_id=set_id)


class UnknownOverride(NotFound):
    """The set has no override of this curve and period. Facts: ``curve``, ``period``."""

    def __init__(self, curve: str, first: date, end: date) -> None:
        period = f"{first}..{end}"
        super().__init__(f"the set has no override of {curve} for {period}", curve=curve, period=period)


@dataclass(frozen=True, slots=True)
class TakenStep:
    """A step of a set that was taken.

    ``step``: ``create``, or a ``SetStep``. ``by``: the subject of the actor. ``person``: None: unknown.
    """

    step: str
    at: datetime
    by: str
    person: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CurveSet:
    """A set of curves on one trade date.

    ``curves``: keys, ascending. ``as_of``: quotes as known at this instant; None: as known when they are read. ``version``:
    rises with every change. ``steps``: the first one first. ``pin``: number of its pinned marks, the version at which it was
    submitted; None: a draft. ``pinned_at``: the instant at which they were read: by it they are known and loaded.
    ``supersedes``: the official set that it was reopened from. ``superseded_by``: the official set that took its place.
    """

    set_id: str
    tenant: str
    name: str
    trade_date: date
    curves: tuple[str, ...]
    as_of: datetime | None
    state: SetState
    version: int
    created_at: datetime
    steps: tuple[TakenStep, ...]
    pin: int | None = None
    pinned_at: datetime | None = None
    supersedes: str | None = None
    superseded_by: str | None = None

    def last(self, step: str) -> TakenStep | None:
        """Return the last time that a step was taken; None: never."""
        return next((one for one in reversed(self.steps) if one.step == step), None)


@dataclass(frozen=True, slots=True)
class CurveSetFilter:
    """Every field that is not None must match exactly."""

    state: SetState | None = None
    trade_date: date | None = None
    name: str | None = None


class CurveSetStore(Protocol):
    """Reads of the curve sets of a tenant; those of another are unknown."""

    async def page(
        self, tenant: str, criteria: CurveSetFilter, *, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[CurveSet]:
        """Return sets, the newest first. ``before``: creation and id of the last one already seen."""
        ...

    async def read(self, tenant: str, set_id: str) -> CurveSet:
        """Return a set. Raises ``UnknownCurveSet``."""
        ...

    async def overrides(self, tenant: str, set_id: str) -> Sequence[Override]:
        """Return the overrides of a set, ascending by curve and delivery."""
        ...

    async def marks(self, tenant: str, set_id: str, pin: int) -> pl.DataFrame:
        """Return pinned marks, schema ``core.curves.marks.NAMED_MARKS``, in its order."""
        ...


class CurveSetWriter(Protocol):
    """Writes of curve sets, for the tenant of a transaction."""

    async def insert(self, curve_set: CurveSet, overrides: Sequence[Override] = ()) -> None:
        """Store a new set. Raises ``OtherTenant``, ``UnknownName`` for an unknown tenant."""
        ...

    async def locked(self, set_id: str) -> CurveSet:
        """Return a set and lock it against other transactions until this one ends. Raises ``UnknownCurveSet``."""
        ...

    async def change(self, curve_set: CurveSet) -> None:
        """Replace state, version, steps, pin and succession of a set that is locked."""
        ...

    async def overrides(self, set_id: str) -> Sequence[Override]:
        """Return the overrides of a set, as ``CurveSetStore.overrides`` does."""
        ...

    async def put_override(self, set_id: str, override: Override) -> None:
        """Store an override in place of that of the same curve and period."""
        ...

    async def delete_override(self, set_id: str, curve: str, first: date, end: date) -> Override:
        """Delete an override and return it. Raises ``UnknownOverride``."""
        ...

    async def pin(self, set_id: str, pin: int, marks: pl.DataFrame) -> None:
        """Store marks, schema ``core.curves.marks.NAMED_MARKS``. They are never changed or deleted."""
        ...
