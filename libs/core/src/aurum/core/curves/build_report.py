"""Report of a build: which quotes were repriced, which were redundant, and which days no quote covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.overlaps import Redundant


class Fill(StrEnum):
    """How days without a quote got their price."""

    NONE = "none"
    """They have none: NaN."""
    INTERPOLATED = "interpolated"
    """Between quotes: the curve goes on through the gap."""
    FLAT = "flat"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Span:
    """Delivery days ``[first, end)`` in which no quote of a block lies, and how they got their price."""

    first: date
    end: date
    block: str | None
    fill: Fill


@dataclass(frozen=True, slots=True)
class RedundantQuote:
    """A quote that finer ones imply. ``quote``: its place among the quotes of the build. ``residual``: price - implied.
    ``implied_by``: places and signed weights (hours) of the quotes that imply it; their sum is ``weight``."""

    quote: int
    price: float
    implied: float
    residual: float
    implied_by: tuple[tuple[int, float], ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Report:
    """Account of a build.

    ``independent``: places of the quotes that were repriced, ascending. ``rounding``: redundant quotes within one tick of what
    finer ones imply; ``contradictions``: those further off. ``max_abs_error``: largest error of an independent quote.
    ``objective``: sum of squared second differences of the daily level (curve minus prior), summed over blocks.
    ``uncovered``: days without a quote that have no price or an interpolated one; ``extrapolated``: those priced on request.
    """

    quotes: int
    independent: tuple[int, ...]
    rounding: tuple[RedundantQuote, ...]
    contradictions: tuple[RedundantQuote, ...]
    max_abs_error: float
    objective: float
    uncovered: tuple[Span, ...]
    extrapolated: tuple[Span, ...]

    @property
    def redundant(self) -> tuple[RedundantQuote, ...]:
        """All quotes that finer ones imply."""
        return self.rounding + self.contradictions


def redundant_quote(each: Redundant, places: Sequence[int]) -> RedundantQuote:
    """Return a redundant quote among those of one block, with places among all quotes of the build."""
    terms = tuple((places[term.index], term.weight) for term in each.terms)
    return RedundantQuote(places[each.index], each.price, each.implied, each.residual, terms, each.weight)


def spans_of(days: NDArray[np.bool_], first: date, block: str | None, fill: Fill) -> tuple[Span, ...]:
    """Return the runs of marked days as spans. ``first``: the date of the first day."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], days, [False]))))
    bounds = [first + timedelta(days=edge) for edge in edges.tolist()]
    return tuple(Span(start, end, block, fill) for start, end in zip(bounds[::2], bounds[1::2], strict=True))
