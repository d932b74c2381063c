"""Derived curves: products whose quotes are computed from those of other curves, and when they must be computed again.

A change of an input records itself in its own transaction, and submits a job there that rebuilds the curve: a load of quotes
or of exchange rates, and a change of the terms by which an input is read. A build begins with ``begin``, which numbers it and
returns the changes so far. It ends in the transaction that stores its quotes, and only if no later build has begun: so at any
point a process may end, and a curve with a change is never called fresh. A curve that reads another derived one waits for the
build of that one, so that it never mixes old and new prices of one input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from aurum.core.errors import Conflict, NotFound
from aurum.core.jobs.states import Queue
from aurum.storage.ports.jobs import NewJob

if TYPE_CHECKING:
    import polars as pl

REBUILD = "curves.rebuild"
"""The name of the job that rebuilds a derived curve."""
REBUILD_QUEUE = Queue.BULK
REFRESH = "curves.refresh"
"""The name of the job that submits builds of curves that wait for one."""
SOURCE = "derived"
"""The source of the files by which builds store quotes."""
RATES_ID = 0
"""Stands for the exchange rates where a change has the id of a curve; no curve has it."""


class UnknownDerivedCurve(NotFound):
    """No derived curve has this id, or it is one of another tenant. Facts: ``derived_id``."""

    def __init__(self, derived_id: str) -> None:
        super().__init__(f"no derived curve {derived_id!r}: GET /v2/curves/derived lists yours", derived_id=derived_id)


class BuildOvertaken(Conflict):
    """A later build of the curve has begun, or the curve was deleted: the quotes of this build are not stored."""

    def __init__(self, derived_id: str) -> None:
        super().__init__(f"a later build of the derived curve {derived_id!r} has begun", derived_id=derived_id)


class CurveCycle(Conflict):
    """A curve that would be derived from itself. Facts: ``path``, the keys from the curve to itself."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"the curve would be derived from itself: {' is derived from '.join(path)}", path=list(path))


class CurveInUse(Conflict):
    """A derived curve that other derived curves read. Facts: ``key``, ``used_by``."""

    def __init__(self, key: str, used_by: Sequence[str]) -> None:
        names = ", ".join(used_by)
        super().__init__(f"{key} is an input of {names}: delete those first", key=key, used_by=list(used_by))


class NotDerived(Conflict):
    """A product has quotes that were not derived, and a build would withdraw them. Facts: ``key``, ``trade_dates``."""

    def __init__(self, key: str, trade_dates: int) -> None:
        dates = f"{trade_dates:,} trade date{'' if trade_dates == 1 else 's'}"
        super().__init__(
            f"{key} has quotes on {dates} that are not derived, and a derived curve would withdraw them: choose another key",
            key=key,
            trade_dates=trade_dates,
        )


class ComputedQuotes(Conflict):
    """A load has quotes of a derived curve, whose quotes are computed from its inputs. Facts: ``key``."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} is a derived curve: its quotes are computed from its inputs, so correct those, or load another product",
            key=key,
        )


class DerivedState(StrEnum):
    """State of a derived curve.

    ``FRESH``: its quotes are those of its inputs. ``STALE``: an input or an exchange rate changed since, also one of a derived
    curve that it reads. ``BUILDING``: it was never built. ``FAILED``: the last build failed, and ``error`` says why.
    """

    FRESH = "fresh"
    STALE = "stale"
    BUILDING = "building"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DerivedInput:
    """An input. ``version``: of the product, which the last build read; None before the first."""

    curve_id: int
    key: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class InputChange:
    """A change of an input, of the curve's own product, or of exchange rates (``curve_id`` is ``RATES_ID``).

    ``trade_dates``: with changed quotes, ascending; of exchange rates, those of the inputs that use a changed rate. Empty: all
    of them, because the terms of the product changed.
    """

    change_id: int
    curve_id: int
    trade_dates: tuple[date, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class NewDerivedCurve:
    """A derived curve to add. ``curve_id``: of its product. ``first``: its first trade date; None: all. ``inputs``: by key."""

    derived_id: str
    key: str
    tenant: str | None
    curve_id: int
    expression: Mapping[str, object]
    first: date | None
    inputs: tuple[DerivedInput, ...]
    created_by: str


@dataclass(frozen=True, slots=True)
class DerivedCurve:
    """A derived curve.

    ``builds``: how many builds have begun. ``built_at``: the known time of the last build, UTC; None before the first.
    ``report``: of that build. ``error``: why the last build failed; empty if it did not. ``changes``: of inputs, which no
    build has read, in the order of their ids. ``waits_for``: keys of the derived curves that it reads, also through others,
    which need a build.
    """

    derived_id: str
    key: str
    tenant: str | None
    curve_id: int
    expression: Mapping[str, object]
    first: date | None
    inputs: tuple[DerivedInput, ...]
    created_at: datetime
    created_by: str
    builds: int = 0
    built_at: datetime | None = None
    report: Mapping[str, object] | None = None
    error: str = ""
    failed_at: datetime | None = None
    changes: tuple[InputChange, ...] = field(default_factory=tuple[InputChange, ...])
    waits_for: tuple[str, ...] = ()

    @property
    def needs_build(self) -> bool:
        """Whether it was never built, its last build failed, or something changed that no build has read."""
        return self.built_at is None or bool(self.error or self.changes)

    @property
    def state(self) -> DerivedState:
        """The state that these facts make."""
        if self.error:
            return DerivedState.FAILED
        if self.built_at is None:
            return DerivedState.BUILDING
        return DerivedState.STALE if self.changes or self.waits_for else DerivedState.FRESH


@dataclass(frozen=True, slots=True)
class FinishedBuild:
    """The end of a build, to be recorded in the transaction that stores its quotes.

    ``build``: its number. ``changes``: ids of the changes that it has read. ``versions``: of the inputs, by curve id.
    """

    derived_id: str
    build: int
    changes: tuple[int, ...]
    versions: Mapping[int, int]
    report: Mapping[str, object]


def rebuild_job(
    curve: DerivedCurve, *, whole: bool = False, first: bool = False, subject: str = "", run_after: datetime | None = None
) -> NewJob:
    """Return the job that rebuilds a curve. ``whole``: all trade dates, and not only those whose inputs changed.

    ``first``: only if the curve was never built, and no build has failed.

    The key has the number of builds so far: all loads before the next build begins submit one job, and a load after it another.
    """
    kind = "whole " if whole else ""
    return NewJob(
        name=REBUILD,
        payload={"derived_id": curve.derived_id, "whole": whole, **({"first": True} if first else {})},
        queue=REBUILD_QUEUE,
        tenant=curve.tenant,
        subject=subject,
        run_after=run_after,
        key=f"{REBUILD} {kind}{curve.derived_id} {curve.builds}",
        exclusive=rebuild_exclusive(curve.derived_id),
    )


def rebuild_exclusive(derived_id: str) -> str:
    """Return the text that the builds of a curve share: at most one job with this text runs at a time."""
    return f"{REBUILD} {derived_id}"


class DerivedCurveReader(Protocol):
    """Reads. ``tenant``: the caller's, whose curves are seen beside the shared ones; None: shared ones only.

    All methods raise ``Unavailable`` when the store does not answer.
    """

    async def page(self, *, tenant: str | None, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        """Return derived curves ascending by key; ``after``: the last key already seen."""
        ...

    async def to_build(self, *, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        """Return the curves of all owners that need a build, ascending by id; ``after``: the last id already seen."""
        ...

    async def curve(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        """Return a derived curve. Raises ``UnknownDerivedCurve``."""
        ...

    async def of_product(self, curve_id: int, *, tenant: str | None) -> DerivedCurve | None:
        """Return the derived curve that computes the quotes of a product; None where none does."""
        ...


class DerivedCurveWriter(Protocol):
    """Writes within a transaction."""

    async def add(self, curve: NewDerivedCurve) -> DerivedCurve:
        """Add a derived curve, and wait for loads of its inputs and of its product that are under way: none of them is missed.

        Raises ``CurveCycle``, ``NotDerived``, and ``Conflict`` for a product that is derived already.
        """
        ...

    async def delete(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        """Delete a derived curve of an owner and return it, after loads of its product that are under way.

        Its product does not change until this transaction ends. Raises ``UnknownDerivedCurve``, ``CurveInUse``.
        """
        ...

    async def refuse_quotes(self, curve_ids: Sequence[int]) -> None:
        """Refuse quotes of derived curves that are not of a build. Raises ``ComputedQuotes``."""
        ...

    async def inputs_changed(self, changed: pl.DataFrame) -> Sequence[DerivedCurve]:
        """Record changed quotes of inputs, and return the curves that are stale now.

        ``changed``: schema ``core.curves.quotes.CHANGED_DATES``. Waits for a build that is about to begin.
        """
        ...

    async def rates_changed(self, days: Mapping[str, Sequence[date]]) -> Sequence[DerivedCurve]:
        """Record changed exchange rates, and return the curves that are stale now: those that convert one of the currencies.

        ``days``: by currency, the days on which its changed rates may be used; those that are trade dates of an input count.
        Waits for a build that is about to begin.
        """
        ...

    async def terms_changed(self, member: str, value: str, *, tenant: str | None) -> Sequence[DerivedCurve]:
        """Record that products are read with other terms, and return the curves that are stale now, on all trade dates.

        ``member``, ``value``: which products have other terms. ``key`` and the key of a product: that product itself, which
        is locked. ``calendar``, ``block``, ``seasons`` or ``sessions`` and a name: every product that names it. ``tenant``:
        only products of this tenant; None: those of all. A curve is stale if it reads such a product or stores its quotes in
        it. Waits for a build that is about to begin; a curve that is added meanwhile waits for this transaction.
        """
        ...

    async def converting(self, currency: str) -> Sequence[DerivedCurve]:
        """Return the curves that use exchange rates of a currency. Those that are added meanwhile wait for this transaction."""
        ...

    async def begin(self, derived_id: str) -> DerivedCurve:
        """Begin a build, and return the curve with its number in ``builds`` and the changes that the build has to read.

        Commit before quotes are read. Waits for loads that are recording changes. Raises ``UnknownDerivedCurve``.
        """
        ...

    async def finish(self, done: FinishedBuild, *, known_at: datetime | None) -> Sequence[DerivedCurve]:
        """Record the end of a build: the changes that it has read are gone. ``known_at``: of its quotes; None: now.

        Return the curves that may have waited for it: those that read it, also through others, and need a build. Raises
        ``BuildOvertaken``, and then the transaction must not commit.
        """
        ...

    async def fail(self, derived_id: str, build: int, error: str) -> None:
        """Record why a build failed, unless a later one has begun."""
        ...
