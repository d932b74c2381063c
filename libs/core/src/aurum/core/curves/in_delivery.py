"""Quotes in delivery: what is left of them once their realised hours are subtracted.

The front month is quoted while it delivers, and so is the running week. Their price is the mean of the hours that are realised
and of those to come, so as forward prices they are excluded, or the realised hours are subtracted:
rest = (price * hours - sum of realised price * hours) / (hours - realised hours).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from aurum.core.curves.overlaps import Quote, Quoted, Weight, quote_name
from aurum.core.curves.smooth import Floats
from aurum.core.errors import Invalid


class InDelivery(StrEnum):
    """Treatment of quotes whose delivery has begun."""

    EXCLUDE = "exclude"
    NET_REALISED = "net_realised"
    """Realised hours are subtracted; the quote stands for the days that are left."""


class RealisedMissing(Invalid):
    """Realised prices that ``net_realised`` needs and that are not known. Facts: ``quote``, ``missing_hours``, ``first``,
    ``until``."""


@dataclass(frozen=True, slots=True)
class Realised:
    """Realised prices of the days ``[first, first + days)``.

    ``amounts``: (days,) sums of price times hours, and ``hours``: (days,) numbers of hours that they cover; of the hours of the
    block alone, if the quotes are of a block. Days without prices have 0 hours.
    """

    first: date
    amounts: Floats
    hours: Floats

    def between(self, first: date, until: date) -> tuple[float, float]:
        """Return (amount, hours) of the days ``[first, until)``; days outside the arrays have none."""
        low, high = (max((day - self.first).days, 0) for day in (first, until))
        return math.fsum(self.amounts[low:high]), math.fsum(self.hours[low:high])


@dataclass(frozen=True, slots=True)
class Netted:
    """A quote in delivery and its rest.

    ``index``: its place among the quotes. ``realised_hours``, ``realised``: number and mean price of the subtracted hours; the
    mean is None without any.
    """

    index: int
    realised_hours: float
    realised: float | None
    rest: Quote


@dataclass(frozen=True, slots=True)
class Forward:
    """Quotes by delivery. ``ahead``: places of those that begin after the trade date. ``netted``: those in delivery with days
    left, where they were netted. ``excluded``: places of the others: in delivery, or delivered."""

    ahead: tuple[int, ...]
    netted: tuple[Netted, ...]
    excluded: tuple[int, ...]


def price_of_rest(price: float, hours: float, realised_amount: float, realised_hours: float) -> float:
    """Return the price of the hours that are left of a quote. Raises ``Invalid``: none are left.

    January 2021 on 5 January, less four weeks: what the first three days cost.

    >>> weeks = (56.01 + 48.68 + 46.01 + 48.21) * 168
    >>> round(price_of_rest(49.35, 744, weeks, 4 * 168), 6)
    45.826667
    """
    rest = hours - realised_hours
    if rest <= 0:
        raise Invalid(f"{realised_hours:g} realised hours leave none of {hours:g}", hours=hours, realised_hours=realised_hours)
    return (price * hours - realised_amount) / rest


def forward_quotes(
    quotes: Sequence[Quoted],
    trade_date: date,
    *,
    how: InDelivery = InDelivery.EXCLUDE,
    weight: Weight | None = None,
    realised: Realised | None = None,
    until: date | None = None,
) -> Forward:
    """Return which quotes are ahead of their trade date, and what is left of those that are in delivery.

    A quote is ahead if its first delivery day is after ``trade_date``. For ``net_realised``: ``weight``: hours of a span (of
    the quotes' block); ``realised``; ``until``: the first day that is not realised, the one after ``trade_date`` unless stated
    (after the auction of a day it may be one later). A quote whose days are all realised is excluded: nothing is left of it.
    Raises ``RealisedMissing``: a day of a quote before ``until`` lacks realised hours; ``Invalid``: ``weight`` or ``realised``
    is missing.
    """
    ahead = tuple(index for index, quote in enumerate(quotes) if quote.first > trade_date)
    begun = [index for index, quote in enumerate(quotes) if quote.first <= trade_date]
    if how is InDelivery.EXCLUDE:
        return Forward(ahead, (), tuple(begun))
    if weight is None or realised is None:
        raise Invalid("net_realised needs the hours of spans and the realised prices", in_delivery=how.value)
    cut = until if until is not None else date.fromordinal(trade_date.toordinal() + 1)
    running = [index for index in begun if quotes[index].end > cut and weight(cut, quotes[index].end) > 0]
    netted = tuple(_net(index, quotes[index], cut, weight, realised) for index in running)
    return Forward(ahead, netted, tuple(index for index in begun if index not in running))


def realised_by_day(day: Sequence[int] | Floats, values: Floats, hours: Floats, days: int, first: date) -> Realised:
    """Return realised prices by day.

    ``day``: (cells,) numbers of days from ``first``. ``values``, ``hours``: (cells,) prices and lengths of hours (of a block);
    NaN prices are missing hours.
    """
    numbers = np.asarray(day, np.int64)
    is_known = np.isfinite(values)
    amounts = np.bincount(numbers, weights=np.where(is_known, values, 0.0) * hours, minlength=days)
    known = np.bincount(numbers, weights=hours * is_known, minlength=days)
    return Realised(first, amounts.astype(np.float64), known.astype(np.float64))


def _net(index: int, quote: Quoted, cut: date, weight: Weight, realised: Realised) -> Netted:
    amount, hours = realised.between(quote.first, cut)
    expected = weight(quote.first, cut)
    if abs(expected - hours) > 1e-9 * max(1.0, expected):
        raise RealisedMissing(
            f"quote {quote_name(quote)}: {expected - hours:g} of {expected:g} hours before {cut} have no realised price",
            quote=quote_name(quote),
            missing_hours=expected - hours,
            first=quote.first.isoformat(),
            until=cut.isoformat(),
        )
    whole = weight(quote.first, quote.end)
    price = price_of_rest(quote.price, whole, amount, hours)
    rest = Quote(cut, quote.end, price, quote.label, quote.scale * whole / (whole - hours))
    return Netted(index, hours, amount / hours if hours else None, rest)
