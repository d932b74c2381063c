"""Quotes whose delivery has begun on their trade date: left out, or less their realised spot hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from aurum.core.calendars import block_mask
from aurum.core.curves.calendars import day_edges, day_hours, hours
from aurum.core.curves.in_delivery import price_of_rest
from aurum.core.curves.periods import name_period
from aurum.core.curves.products import Weighting
from aurum.core.errors import InvalidParameters
from aurum.services.curves.build_inputs import Quoted
from aurum.services.curves.build_question import InDelivery
from aurum.services.curves.build_terms import BuildTerms
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.spot import SpotPrices, realised_prices


@dataclass(frozen=True, slots=True)
class Netted:
    """A quote in delivery, and the quote of the days that are left of it.

    ``realised``: mean of the realised hours. ``hours``: realised ones. ``rest``: None where nothing is left.
    """

    quote: Quoted
    realised: float
    hours: float
    rest: Quoted | None


@dataclass(frozen=True, slots=True)
class Forward:
    """The quotes to build from.

    ``ahead``: the quotes. ``excluded``: those left out, because their delivery has begun. ``spot``: the subtracted prices.
    ``without_hours``: stored quotes left out, because their period has no hours of their block.
    """

    ahead: Sequence[Quoted]
    excluded: Sequence[Quoted] = ()
    netted: Sequence[Netted] = ()
    spot: SpotPrices | None = None
    without_hours: Sequence[Quoted] = ()


async def forward_quotes(
    reading: CurveReading,
    terms: BuildTerms,
    quotes: Sequence[Quoted],
    trade_date: date | None,
    how: InDelivery,
    known: Known,
) -> Forward:
    """Return the quotes of a trade date as prices of days that are not yet delivered.

    Without a trade date every quote counts as it is. Raises ``InvalidParameters`` where realised hours are not stored.
    """
    if trade_date is None:
        if how is InDelivery.NET_REALISED:
            raise InvalidParameters(("trade_date", "is needed by net_realised: which hours are realised depends on it", None))
        return Forward(quotes)
    ahead = [one for one in quotes if one.period.first > trade_date]
    begun = [one for one in quotes if one.period.first <= trade_date]
    running = [one for one in begun if one.period.end > trade_date]
    if how is InDelivery.EXCLUDE or not running:
        return Forward(ahead, begun)
    first = min(one.period.first for one in running)
    spot, until = await realised_prices(reading, terms, first, trade_date, known)
    netted = [net_of(one, spot, until, terms, trade_date) for one in running]
    rests = [one.rest for one in netted if one.rest is not None]
    return Forward([*rests, *ahead], [one for one in begun if one not in running], netted, spot)


def net_of(quote: Quoted, spot: SpotPrices, until: date, terms: BuildTerms, trade_date: date) -> Netted:
    """Return a quote in delivery less the spot hours of its block before ``until``."""
    period, block = quote.period, quote.block
    until = min(until, period.end)
    edges = day_edges(terms.calendar, period.first, until)
    low, high = edges[[0, -1]]
    is_used = (spot.starts >= low) & (spot.starts < high)
    if block is not None:
        is_used &= block_mask(spot.frame()["ts"], block).to_numpy()
    weights = spot.hours[is_used]
    realised_hours = float(weights.sum())
    whole = hours(terms.calendar, period.first, period.end, block)
    if terms.weighting is not Weighting.HOURS and terms.block is None and block is None:
        # Days count alike, as in the build: an hour of a day of 25 hours is a 25th of it.
        days = np.searchsorted(edges, spot.starts[is_used], side="right") - 1
        weights = weights / day_hours(terms.calendar, period.first, until)[days]
        whole = float((period.end - period.first).days)
    realised, amount = float(weights.sum()), float(weights @ spot.values[is_used])
    mean = amount / realised if realised else float("nan")
    left = whole - realised
    if until == period.end or left <= 0:
        return Netted(quote, mean, realised_hours, None)
    rest = name_period(until, period.end, seasons=terms.seasons, trade_date=trade_date)
    price = price_of_rest(quote.price, whole, amount, realised)
    return Netted(quote, mean, realised_hours, Quoted(rest, price, block, quote.is_mid, quote.label, whole / left))
