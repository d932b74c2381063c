"""Questions about builds, as a caller states them."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from aurum.core.curves.build import Objective
from aurum.core.curves.grids import Resolution
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.shapes import Profile
from aurum.core.errors import Invalid, InvalidParameters

MOST_QUOTES = 2_000
"""Most quotes of one build, of the question or stored: the system that it solves has an equation for each."""
MOST_DAYS = 36_525
"""Most days of one build: a hundred years."""
MOST_CELLS = 1_500_000
"""Most cells of one build: forty years of quarter hours."""
MOST_WEIGHTS = 5_000_000
"""Most quotes times days of one build, which bounds its memory and its time: a thousand quotes over thirteen years."""
MOST_PERIODS = 400
"""Most periods whose prices a question may want."""
MOST_TOGETHER = 4
"""Most curves built together with another one."""
MOST_KINDS = 20


class InDelivery(StrEnum):
    """The treatment of quotes whose delivery has begun on their trade date."""

    EXCLUDE = "exclude"
    NET_REALISED = "net_realised"
    """The stored spot hours are subtracted, and the price of the remaining hours is a quote."""


@dataclass(frozen=True, slots=True)
class InlineQuote:
    """A quote in the question. The period is named by ``period``, or by ``start`` and ``end``: dates, or instants.

    ``block``: name of a block of the delivery calendar; None: the block of the curve.
    """

    price: float
    period: str | None = None
    start: str | None = None
    end: str | None = None
    block: str | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """A yearly wave: ``amplitude`` x cos(2 pi (day of the year - ``peak_day``) / 365.25), in the unit of the quotes."""

    amplitude: float
    peak_day: float


@dataclass(frozen=True, slots=True)
class Prior:
    """The curve whose difference from the answer is smooth. Exactly one field is set.

    ``curve``: key of another curve, built from its quotes of the same trade date. ``shape``: name of a shape. ``learned``: the
    shape learned from the spot prices of the product.
    """

    season: Wave | None = None
    curve: str | None = None
    shape: str | None = None
    learned: bool = False


@dataclass(frozen=True, slots=True)
class BuildQuestion:
    """A request to build a curve.

    ``curve``: key of the product. ``together``: keys of products with other blocks, built on the same grid. ``trade_date``: a
    date, ``latest`` or ``previous``; None: the last one with quotes, and no date for ``quotes`` in the question. ``quotes``:
    quotes that take the place of the stored ones; None: stored ones. ``calendar``: name of a delivery calendar, for quotes
    without a curve. ``as_of``: what was known to the market by then. ``as_loaded``: the store with the files committed up to
    then. ``shape``: name of the shape of ``Objective.SHAPE``; None: the one learned from the spot prices of the product.
    ``first``, ``end``: delivery days of the answer; None: those of the quotes. ``kinds``: stored quotes of these kinds
    of period only; empty: all. ``periods``: labels of periods whose prices the answer states; empty: the months of the curve.
    """

    curve: str | None = None
    together: tuple[str, ...] = ()
    trade_date: date | str | None = None
    quotes: tuple[InlineQuote, ...] | None = None
    calendar: str | None = None
    as_of: datetime | None = None
    as_loaded: datetime | None = None
    grid: Resolution = Resolution.DAY
    objective: Objective = Objective.SMOOTH
    prior: Prior | None = None
    profile: Profile = Profile.AUTO
    shape: str | None = None
    in_delivery: InDelivery = InDelivery.EXCLUDE
    extrapolate: Extrapolate = Extrapolate.NONE
    first: date | None = None
    end: date | None = None
    strict: bool = False
    kinds: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


def check_size(question: BuildQuestion, place: str = "") -> None:
    """Raise ``InvalidParameters`` for more members than one build may have. ``place``: where the question is, for errors."""
    members: tuple[tuple[str, Sized, int], ...] = (
        ("quotes", question.quotes or (), MOST_QUOTES),
        ("periods", question.periods, MOST_PERIODS),
        ("together", question.together, MOST_TOGETHER),
        ("kinds", question.kinds, MOST_KINDS),
    )
    for name, values, most in members:
        if len(values) > most:
            raise InvalidParameters((f"{place}{name}", f"may have {most:,} members, and has {len(values):,}", len(values)))


def check_extent(quotes: int, first: date, end: date, grid: Resolution) -> None:
    """Raise ``InvalidParameters`` for a build that would need too much memory. ``quotes``: their number."""
    days = (end - first).days
    if days > MOST_DAYS:
        raise InvalidParameters(("to", f"a build has at most {MOST_DAYS:,} days, and this one {days:,} from {first}", str(end)))
    if quotes * days > MOST_WEIGHTS:
        why = f"{quotes:,} quotes over the {days:,} days from {first} to {end} are too many at once: build a part of them"
        raise InvalidParameters(("quotes", why, quotes))
    if grid.minutes is not None and days * (1500 // grid.minutes) > MOST_CELLS:
        why = f"has more than {MOST_CELLS:,} cells from {first} to {end}: choose a coarser grid or fewer quotes"
        raise InvalidParameters(("grid", why, str(grid)))


class NothingToBuild(Invalid):
    """No quote is left to build from. Facts: ``curve``, ``trade_date``, ``excluded``: labels of quotes in delivery.

    ``errors``: as of ``InvalidParameters``, about ``trade_date``, or ``quotes`` of the question.
    """
