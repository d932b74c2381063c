"""Strips: the price of a period as the weighted average of the quotes that tile it.

A strip takes the tiling with the fewest parts among the quotes inside the period, without the quote of the period itself: a
quarter is made of its months, a year of its quarters, as exchanges cascade them (EEX, Contract Specifications). Where nothing
tiles the period, its own quote stands, then a build if there is one, and else there is no value but the reason: never an
average of the part that is quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.overlaps import Weight
from aurum.core.curves.period_labels import Span
from aurum.core.curves.periods import Period
from aurum.core.errors import Invalid

Build = Callable[[Period], float | None]
"""Price of a period by a built curve, or None where the curve has none."""

STRIP_QUOTES = pl.Schema(
    {"trade_date": pl.Date(), "delivery_start": pl.Date(), "delivery_end": pl.Date(), "price": pl.Float64()}
)
"""Input of ``strip_history``, in any order; at most one row of each period and trade date. Null price: listed, unpriced."""


class StripMethod(StrEnum):
    """How the value of a strip was made."""

    QUOTED = "quoted"
    FROM_FINER = "from_finer"
    FROM_BUILD = "from_build"
    FROM_BLOCKS = "from_blocks"
    """Off-peak, from strips of base and of peak by their hours."""


METHODS = pl.Enum([method.value for method in StripMethod])

STRIP_HISTORY = pl.Schema(
    {
        "trade_date": pl.Date(),
        "value": pl.Float64(),
        "quoted": pl.Float64(),
        "difference": pl.Float64(),
        "method": METHODS,
        "coverage": pl.Float64(),
    }
)
"""Output of ``strip_history``, ascending by trade date."""


class NoHours(Invalid):
    """A price is requested of a period that has no hours of its block. Facts: ``start``, ``end`` where they are known."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a strip: the quote over ``[first, end)``, its weight (hours, days, ...) and its price."""

    first: date
    end: date
    weight: float
    value: float


@dataclass(frozen=True, slots=True)
class Strip:
    """The price of a period.

    ``value``: None where the quotes do not give it; ``reason`` then says why. ``quoted``: the quote of the period itself, if it
    has a price. ``difference``: value - quoted, where both exist. ``coverage``: fraction of the period's hours that lies in
    any priced quote. ``is_consistent``: |difference| is at most one tick; True where there is none to compare.
    """

    value: float | None
    quoted: float | None
    difference: float | None
    method: StripMethod | None
    coverage: float
    parts: tuple[Part, ...]
    reason: str | None
    is_consistent: bool = True


def strip(
    quotes: pl.DataFrame,
    period: Period,
    *,
    weight: Weight,
    tick: float,
    build: Build | None = None,
    hours: Weight | None = None,
) -> Strip:
    """Return the strip of a period from the quotes of one trade date.

    ``quotes``: ``delivery_start``, ``delivery_end`` (Date), ``price`` (Float64, null: unpriced; bids for a strip of bids).
    ``weight``: of a part: its hours of the block, its days, or 1 where every part counts alike. ``hours``: of a span, for
    ``coverage``; ``weight`` unless stated. ``tick``: in the unit of the price. Raises ``NoHours``: the period has no hours.
    """
    hours = hours or weight
    total = _hours_of(period, hours)
    priced = quotes.select("delivery_start", "delivery_end", pl.col("price").fill_nan(None)).drop_nulls()
    spans = list(zip(priced["delivery_start"].to_list(), priced["delivery_end"].to_list(), strict=True))
    prices = dict(zip(spans, priced["price"].to_list(), strict=True))
    coverage = _covered(spans, period, hours) / total
    quoted = prices.get((period.first, period.end))
    tiles = tiling(spans, period.first, period.end)
    if tiles is not None:
        parts = tuple(Part(first, end, weight(first, end), prices[first, end]) for first, end in tiles)
        value = _average(parts, period)
        return _beside(value, quoted, StripMethod.FROM_FINER, coverage, parts, tick)
    if quoted is not None:
        part = Part(period.first, period.end, weight(period.first, period.end), quoted)
        return Strip(quoted, quoted, 0.0, StripMethod.QUOTED, coverage, (part,), None)
    built = build(period) if build is not None else None
    if built is not None:
        return _beside(built, None, StripMethod.FROM_BUILD, coverage, (), tick)
    return Strip(None, None, None, None, coverage, (), _why_none(spans, period, coverage, built=build is not None))


def strip_history(quotes: pl.DataFrame, period: Period, *, weight: Weight, hours: Weight | None = None) -> pl.DataFrame:
    """Return the strip of one period on each trade date: ``STRIP_HISTORY``.

    ``quotes``: ``STRIP_QUOTES``. Trade dates with the same priced periods share one tiling, so the work is a product of
    matrices for each of the few sets of periods that occur. There is a row for each trade date of ``quotes``; ``value`` and
    ``method`` are null where ``strip`` without a build has none. Raises ``NoHours``.
    """
    hours = hours or weight
    total = _hours_of(period, hours)
    dates, spans, prices = _matrix(quotes, period)
    count = len(dates)
    value, coverage = np.full(count, np.nan), np.zeros(count)
    method = np.full(count, -1, np.int64)
    own = spans.index((period.first, period.end)) if (period.first, period.end) in spans else None
    quoted = np.full(count, np.nan) if own is None else prices[:, own]
    patterns, which = _patterns(np.isfinite(prices))
    for number, pattern in enumerate(patterns):
        rows = which == number
        present = [spans[index] for index in np.flatnonzero(pattern)]
        coverage[rows] = _covered(present, period, hours) / total
        tiles = tiling(present, period.first, period.end)
        if tiles is not None:
            weights = np.array([weight(first, end) for first, end in tiles])
            columns = [spans.index(tile) for tile in tiles]
            value[rows] = prices[rows][:, columns] @ weights / weights.sum()
            method[rows] = 1
        elif own is not None and pattern[own]:
            value[rows] = quoted[rows]
            method[rows] = 0
    names = np.array([str(StripMethod.QUOTED), str(StripMethod.FROM_FINER), None], dtype=object)
    return pl.DataFrame(
        [
            pl.Series("trade_date", dates),
            *(
                pl.Series(name, column, nan_to_null=True)
                for name, column in (("value", value), ("quoted", quoted), ("difference", value - quoted))
            ),
            pl.Series("method", names[method].tolist(), dtype=METHODS),
            pl.Series("coverage", coverage),
        ]
    )


def tiling(spans: Sequence[tuple[date, date]], first: date, end: date) -> list[tuple[date, date]] | None:
    """Return the fewest spans that tile ``[first, end)``, without that span itself, or None.

    Of two tilings with the same number of parts, the one whose earliest part is the longest.

    >>> spans = [(date(2025, 1, d), date(2025, 1, d + 1)) for d in (1, 2)] + [(date(2025, 1, 1), date(2025, 1, 3))]
    >>> len(tiling(spans, date(2025, 1, 1), date(2025, 1, 3)))
    2
    """
    starts: dict[date, list[date]] = {}
    for start, stop in spans:
        if first <= start < stop <= end and (start, stop) != (first, end):
            starts.setdefault(start, []).append(stop)
    best: dict[date, tuple[int, date]] = {end: (0, end)}
    for start in sorted(starts, reverse=True):
        reachable = [(best[stop][0] + 1, stop) for stop in starts[start] if stop in best]
        if reachable:
            best[start] = min(reachable, key=lambda step: (step[0], -step[1].toordinal()))
    if first not in best:
        return None
    tiles: list[tuple[date, date]] = []
    day = first
    while day != end:
        tiles.append((day, best[day][1]))
        day = best[day][1]
    return tiles


def off_peak(base: float, hours: float, peak: float, peak_hours: float) -> float:
    """Return the price of the hours outside the peak block: (base * hours - peak * peak_hours) / (hours - peak_hours).

    Peak below base is legal. Raises ``NoHours``: the two numbers of hours leave none.

    >>> round(off_peak(90.84, 720, 105, 252), 6)
    83.215385
    """
    rest = hours - peak_hours
    if rest <= 0:
        raise NoHours(f"a period of {hours:g} hours has no hours outside {peak_hours:g} hours of peak")
    return (base * hours - peak * peak_hours) / rest


def _hours_of(period: Period, hours: Weight) -> float:
    total = hours(period.first, period.end) if period.end > period.first else 0.0
    if total <= 0:
        raise NoHours(
            f"period {period.label!r} has no hours of the block", start=period.first.isoformat(), end=period.end.isoformat()
        )
    return total


def _average(parts: Sequence[Part], period: Period) -> float:
    total = sum(part.weight for part in parts)
    if total <= 0:
        raise NoHours(
            f"the parts of {period.label!r} have no weight", start=period.first.isoformat(), end=period.end.isoformat()
        )
    return sum(part.weight * part.value for part in parts) / total


def _beside(
    value: float, quoted: float | None, method: StripMethod, coverage: float, parts: tuple[Part, ...], tick: float
) -> Strip:
    difference = None if quoted is None else value - quoted
    is_consistent = difference is None or abs(difference) <= tick * (1 + 1e-9)
    return Strip(value, quoted, difference, method, coverage, parts, None, is_consistent)


def _covered(spans: Sequence[tuple[date, date]], period: Period, hours: Weight) -> float:
    """Return the hours of a period that lie in at least one span."""
    covered, reached = 0.0, period.first
    for first, end in sorted(spans):
        first, end = max(first, reached), min(end, period.end)
        if first < end:
            covered += hours(first, end)
            reached = end
    return covered


def _why_none(spans: Sequence[tuple[date, date]], period: Period, coverage: float, *, built: bool) -> str:
    name = period.label or f"{period.first}..{period.end}"
    touching = sorted(span for span in spans if span[0] < period.end and span[1] > period.first)
    if not touching:
        return f"no priced quote covers any of {name}"
    if coverage < 1 - 1e-12:
        missing = _first_gap(touching, period)
        return f"priced quotes cover {coverage:.4%} of {name}; the first day without one is {missing}"
    if built:
        return f"quotes do not tile {name}, and the curve built from those ahead of their delivery does not cover it"
    straddling = [f"{first}..{end}" for first, end in touching if first < period.first or end > period.end]
    return f"quotes do not tile {name}; a build can derive it from {', '.join(straddling) or 'overlapping quotes'}"


def _first_gap(spans: Sequence[tuple[date, date]], period: Period) -> date:
    reached = period.first
    for first, end in spans:
        if first > reached:
            break
        reached = max(reached, end)
    return min(reached, period.end - timedelta(days=1))


def _matrix(quotes: pl.DataFrame, period: Period) -> tuple[NDArray[np.datetime64], list[Span], NDArray[np.float64]]:
    """Return the trade dates, the priced spans that touch a period, and their prices by date and span; NaN: there is none."""
    days, firsts, ends = (quotes[name].to_numpy().astype("datetime64[D]") for name in STRIP_QUOTES.names()[:3])
    prices = quotes["price"].cast(pl.Float64).to_numpy()
    dates = np.unique(days)
    is_near = (firsts < np.datetime64(period.end)) & (ends > np.datetime64(period.first)) & ~np.isnan(prices)
    pairs = np.stack((firsts[is_near], ends[is_near]), axis=1).astype(np.int64)
    spans, column = np.unique(pairs, axis=0, return_inverse=True)
    matrix = np.full((len(dates), len(spans)), np.nan)
    matrix[np.searchsorted(dates, days[is_near]), column.reshape(-1)] = prices[is_near]
    return dates, [(first, end) for first, end in spans.astype("datetime64[D]").tolist()], matrix


def _patterns(present: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return the distinct rows of a matrix, and which of them each row is."""
    if present.shape[1] == 0:
        return np.zeros((1, 0), np.bool_), np.zeros(len(present), np.intp)
    distinct, which = np.unique(present, axis=0, return_inverse=True)
    return distinct, which.reshape(-1)
