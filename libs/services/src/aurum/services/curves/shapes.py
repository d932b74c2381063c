"""Shapes: prices by day type and hour, learned from spot prices as known at an instant, stored as versioned documents.

A shape is used under the knowledge of its question: one that was learned from prices known later than ``as_of`` is refused,
because a curve of the past would be shaped by its own future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.calendars import hours
from aurum.core.curves.grids import Grid, Resolution
from aurum.core.curves.shapes import InvalidShape, Shape, learn_shape, shape_from_document, wall_clock
from aurum.core.errors import InvalidParameters
from aurum.core.names import nearest
from aurum.services.curves.build_inputs import checked_day
from aurum.services.curves.build_terms import BuildTerms
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.receipts import digest
from aurum.services.curves.spot import series_that_settles, spot_prices, spot_series
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceDocument, ReferenceKind
from aurum.storage.ports.transaction import Transactions

ORIGIN = "origin"
"""The member of a shape's document that learning writes."""

_DAY = timedelta(days=1)
OLDEST = timedelta(days=365)
"""Longest time between the end of the window from which a shape is learned and the trade date."""

LEAST_COVERAGE = 0.9
"""Part of the hours of a window that must be stored."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The prices that a shape was learned from: delivery days ``[first, end)`` of a series as known at ``as_of``.

    ``as_of``: None: as known when it was learned, ``learned_at``.
    """

    series: str
    first: date
    end: date
    as_of: datetime | None
    learned_at: datetime | None
    coverage: float

    @property
    def known_at(self) -> datetime | None:
        """The instant whose knowledge is in the shape; None if it is not known."""
        return self.as_of or self.learned_at


@dataclass(frozen=True, slots=True)
class UsedShape:
    """A shape in use. ``version``: of its document; None: learned for the question. ``origin``: None: a user wrote it.

    ``zone``: IANA name of the clock whose hours and days it means. ``written_at``: of its document, if there is one.
    """

    name: str
    version: int | None
    shape: Shape
    origin: Origin | None
    zone: str
    written_at: datetime | None = None

    @property
    def known_at(self) -> datetime | None:
        """The instant whose knowledge is in the shape: that of its prices, or for one that a user wrote when it was written."""
        return self.written_at if self.origin is None else self.origin.known_at or self.written_at

    @property
    def mean(self) -> float:
        """Mean price of the window, by which ``auto`` decides between factors and differences."""
        return self.shape.mean

    @property
    def digest(self) -> str:
        """Digest of the numbers of the shape, whatever it is called."""
        return digest(self.shape.to_document())

    def values_on(self, grid: Grid) -> NDArray[np.float64]:
        """Return the price of the shape in each cell; of days the mean of their hours."""
        if grid.resolution is Resolution.DAY:
            return self.shape.form_of_days(grid.first, grid.end)
        return self.shape.form(wall_clock(grid.starts, self.zone))

    def description(self) -> dict[str, object]:
        """Return name, version and origin as JSON-representable values."""
        described: dict[str, object] = {"name": self.name, "version": self.version, "mean": self.mean}
        return described if self.origin is None else described | origin_document(self.origin)


async def shape_of(
    reading: CurveReading,
    terms: BuildTerms,
    name: str | None,
    *,
    trade_date: date | None,
    first: date,
    known: Known,
    field: str,
) -> UsedShape:
    """Return a stored shape, or without a name the one learned from the last year of spot prices up to the trade date.

    The year ends with the last stored day if that is earlier. ``first``: first delivery day of the curve, before which it ends
    where there is no trade date. Raises ``InvalidParameters`` for an unknown shape, for one that knows more than ``as_of``, and
    for missing spot prices.
    """
    if name is not None:
        return _checked(await stored_shape(reading, name, terms.calendar.zone, field), known, field)
    series = series_that_settles(terms, field)
    end = first if trade_date is None else trade_date + _DAY
    last = (await spot_series(reading, series, field)).last_ts
    if last is not None and end - OLDEST < (after := terms.calendar.day_of(last) + _DAY) < end:
        end = after
    shape, origin = await learned_shape(reading, terms, series, _year_before(end), end, known, field=field)
    return UsedShape(f"learned from {series}", None, shape, origin, terms.calendar.zone)


async def stored_shape(reading: CurveReading, name: str, zone: str, field: str) -> UsedShape:
    """Return a stored shape by its name. ``zone``: of the delivery calendar. Raises ``InvalidParameters`` with near names."""
    stored = await reading.curves.references(ReferenceKind.SHAPE, tenant=reading.tenant)
    document = next((one for one in stored if one.name == name), None)
    if document is None:
        close = nearest(name, [one.name for one in stored])
        hint = f"; nearest: {', '.join(close)}" if close else ": GET /v2/shapes lists the stored ones"
        raise InvalidParameters((field, f"unknown shape {name!r}{hint}", name), nearest=list(close))
    return parse_shape(document, zone)


def parse_shape(stored: ReferenceDocument, zone: str) -> UsedShape:
    """Return the shape of a stored document. Raises ``InvalidShape``."""
    origin = stored.document.get(ORIGIN)
    parsed = parse_origin(cast("Mapping[str, object]", origin)) if isinstance(origin, Mapping) else None
    return UsedShape(stored.name, stored.version, shape_from_document(stored.document), parsed, zone, stored.updated_at)


async def learned_shape(
    reading: CurveReading,
    terms: BuildTerms,
    series: str,
    first: date,
    end: date,
    known: Known,
    *,
    by_month: bool = False,
    field: str = "series",
    learned_at: datetime | None = None,
) -> tuple[Shape, Origin]:
    """Return the shape of the delivery days ``[first, end)`` of a series, as known at ``as_of``.

    Raises ``InvalidParameters`` where less than ``LEAST_COVERAGE`` of the hours is stored.
    """
    start, stop = terms.calendar.bounds(checked_day(first, "from"), checked_day(end, "to"))
    prices = await spot_prices(reading, series, start, stop, known, field=field)
    needed = hours(terms.calendar, first, end)
    coverage = float(prices.hours.sum()) / needed
    if coverage < LEAST_COVERAGE:
        at = "now" if known.as_of is None else f"at {known.as_of.isoformat()}"
        why = (
            f"a shape needs {LEAST_COVERAGE:.0%} of the spot hours of {series} from {first} to {end}, and the store has "
            f"{coverage:.0%} of them as known {at}: load them, or name a stored shape"
        )
        raise InvalidParameters((field, why, None), series=series, coverage=coverage)
    try:
        shape = learn_shape(wall_clock(prices.starts, terms.calendar.zone), prices.values, by_month=by_month)
    except InvalidShape as error:
        raise InvalidParameters((field, error.detail, None), **dict(error.facts)) from error
    return shape, Origin(series, first, end, known.as_of, learned_at, round(coverage, 6))


async def store_shape(
    transactions: Transactions,
    name: str,
    shape: Shape,
    origin: Origin,
    *,
    tenant: str | None,
    version: int | None,
    by: Actor,
) -> ReferenceDocument:
    """Store a learned shape as a new document, or as the next version of one. Raises ``Conflict``."""
    document = {**shape.to_document(), ORIGIN: origin_document(origin)}
    async with transactions.transaction(by=by) as tx:
        stored = await tx.curve_reference.put_reference(
            ReferenceKind.SHAPE, name, document, tenant=tenant, version=version, by=by.subject
        )
        await tx.audit.append("shape.learn", name, {"version": stored.version, "origin": origin_document(origin)})
        return stored


def origin_document(origin: Origin) -> dict[str, object]:
    """Return an origin as JSON-representable values."""
    return {
        "series": origin.series,
        "first": origin.first.isoformat(),
        "end": origin.end.isoformat(),
        "as_of": None if origin.as_of is None else origin.as_of.isoformat(),
        "learned_at": None if origin.learned_at is None else origin.learned_at.isoformat(),
        "coverage": origin.coverage,
    }


def parse_origin(document: Mapping[str, object]) -> Origin:
    """Return the origin of a document that ``origin_document`` wrote."""

    def instant(name: str) -> datetime | None:
        text = document.get(name)
        return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None

    return Origin(
        str(document["series"]),
        date.fromisoformat(str(document["first"])),
        date.fromisoformat(str(document["end"])),
        instant("as_of"),
        instant("learned_at"),
        float(str(document["coverage"])),
    )


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _checked(used: UsedShape, known: Known, field: str) -> UsedShape:
    limit = known.as_of
    knows = used.known_at
    if limit is not None and knows is not None and knows > limit:
        made = "was written" if used.origin is None else "was learned from prices known"
        why = (
            f"{made} at {knows.isoformat()}, after as_of {limit.isoformat()}: use a shape learned as of "
            "then, or leave shape out"
        )
        raise InvalidParameters((field, why, used.name))
    return used
