"""Spreads: sums of prices of legs, each converted to one unit and counted with a weight, over many trade dates and periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class SpreadSide(StrEnum):
    """The side of a spread: what is paid for it, or received."""

    SETTLE = "settle"
    """Settlements, and without one the mean of bid and ask."""
    BID = "bid"
    """Bids of what is bought, asks of what is sold."""
    ASK = "ask"
    """Asks of what is bought, bids of what is sold."""
    MID = "mid"
    """The mean of bid and ask, of each leg."""

    def of_leg(self, weight: float) -> SpreadSide:
        """Return the side of a leg. A negative weight sells it."""
        return _OTHER.get(self, self) if weight < 0 else self


_OTHER = {SpreadSide.BID: SpreadSide.ASK, SpreadSide.ASK: SpreadSide.BID}


class Alignment(StrEnum):
    """How December contracts of allowances become a price of a delivery period."""

    FLAT_DECEMBER = "flat_december"
    """The December contract of each delivery year, carried flat through the year."""
    INTERPOLATE = "interpolate"
    """Between the December contracts before and after each delivery day, by days; in front of the first that is listed still,
    its price."""
    PERIOD = "period"
    """No contract of December: the price of the period itself, as of any other leg."""


CONTRACT_DAY = (12, 15)
"""Month and day at which interpolation takes the price of a December contract: the middle of its month."""


@dataclass(frozen=True, slots=True)
class LegPrices:
    """A leg over some rows.

    ``weight``: signed. ``unit_factor``: from the unit of the price to that of ``converted``, without an exchange of currency.
    ``factor``: by which a converted price counts: heat rate, emission intensity ... ``price``: Float64 (rows), NaN: missing.
    ``rate``: Float64 (rows): price of one unit of the leg's currency in that of the answer; NaN: missing.
    """

    weight: float
    unit_factor: float
    factor: float
    price: Floats
    rate: Floats


@dataclass(frozen=True, slots=True)
class Spread:
    """A spread over some rows, NaN where it has no value. ``converted``, ``contributions``: of each leg, in their order."""

    value: Floats
    converted: Sequence[Floats]
    contributions: Sequence[Floats]


def spread(legs: Sequence[LegPrices]) -> Spread:
    """Return value = sum of contributions, and contribution = weight x factor x converted price.

    A row in which any leg has no price or no rate has no value.
    """
    converted = [one.price * one.unit_factor * one.rate for one in legs]
    contributions = [(one.weight * one.factor) * prices for one, prices in zip(legs, converted, strict=True)]
    return Spread(np.sum(contributions, axis=0), converted, contributions)


def implied_heat_rate(power: Floats, fuel: Floats, unit_factor: float = 1.0) -> Floats:
    """Return the heat rate at which power is worth as much as its fuel: power / fuel; NaN where fuel costs nothing or less.

    ``power``, ``fuel``: prices in one unit of energy. ``unit_factor``: from that unit to the one that the rate counts fuel in.
    """
    usable = np.where(fuel > 0, fuel, np.nan)
    return power / usable * unit_factor


@lru_cache(maxsize=4096)
def december_weights(first: date, end: date, alignment: Alignment) -> Mapping[int, float]:
    """Return the weight of the December contract of each year in the price of the days ``[first, end)``; they sum to 1.

    ``FLAT_DECEMBER``: the share of days in each year. ``INTERPOLATE``: each day lies between the
    contract days of two Decembers and has a weight of each by its distance; the result is the mean over the days.

    >>> december_weights(date(2025, 10, 1), date(2026, 4, 1), Alignment.FLAT_DECEMBER)[2025] * 182
    92.0
    """
    days = np.arange(first.toordinal(), end.toordinal())
    years = np.arange(first.year - 1, end.year + 2)
    if alignment is Alignment.FLAT_DECEMBER:
        starts = np.array([date(int(year), 1, 1).toordinal() for year in years])
        counts = np.bincount(np.searchsorted(starts, days, side="right") - 1, minlength=len(years)).astype(np.float64)
    elif alignment is Alignment.INTERPOLATE:
        points = np.array([date(int(year), *CONTRACT_DAY).toordinal() for year in years])
        before = np.searchsorted(points, days, side="right") - 1
        share = (days - points[before]) / (points[before + 1] - points[before])
        counts = np.bincount(before, weights=1 - share, minlength=len(years))
        counts += np.bincount(before + 1, weights=share, minlength=len(years))
    else:
        raise ValueError(f"{alignment} has no December contracts")
    return {int(year): float(count / len(days)) for year, count in zip(years, counts, strict=True) if count > 0}
