"""Discount curves: zero rates of a trade date become discount factors at any date.

A rate z is quoted for the last delivery day of its period (a period of one day is its maturity), with annual compounding by
ACT/365: DF = (1 + z) ** (-days / 365), days counted from the trade date (ISDA 2006 Definitions, section 4.16(d), Actual/365
Fixed). Between maturities the logarithm of DF is linear in days, from DF = 1 on the trade date: the forward rate is constant
between two neighbouring maturities (Hagan and West, 2006, "raw" interpolation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.errors import Invalid

YEAR_DAYS = 365.0


class InvalidRates(Invalid):
    """Rates that make no discount curve. Facts: ``maturity`` where one is to blame."""


class BeyondRates(Invalid):
    """A date after the last maturity, or before the trade date. Facts: ``date``, ``last``."""


@dataclass(frozen=True, slots=True)
class DiscountCurve:
    """Discount factors of one trade date.

    ``days``: from the trade date to each maturity, ascending, above 0. ``log_factors``: logarithms of DF there.
    """

    trade_date: date
    days: NDArray[np.float64]
    log_factors: NDArray[np.float64]

    @property
    def last(self) -> date:
        """The last maturity."""
        return self.trade_date + timedelta(days=int(self.days[-1]))

    def factors(self, dates: Sequence[date], *, extrapolate: bool = False) -> NDArray[np.float64]:
        """Return the discount factors at some dates.

        ``extrapolate``: after the last maturity its zero rate holds. Without it such a date raises ``BeyondRates``, as one
        before the trade date does.
        """
        return np.exp(self._logs(self._days_to(dates, extrapolate=extrapolate)))

    def zero_rates(self, dates: Sequence[date], *, extrapolate: bool = False) -> NDArray[np.float64]:
        """Return the zero rates of some dates: numbers such as 0.0231, with annual compounding, ACT/365.

        On the trade date itself it is that of the first maturity, which holds up to there. Raises ``BeyondRates``.
        """
        days = self._days_to(dates, extrapolate=extrapolate)
        at = np.maximum(days, 1.0)  # the rate is constant up to the first maturity
        return np.expm1(-self._logs(at) * YEAR_DAYS / at)

    def _days_to(self, dates: Sequence[date], *, extrapolate: bool) -> NDArray[np.float64]:
        days = np.array([(day - self.trade_date).days for day in dates], np.float64)
        for number, day in zip(days, dates, strict=True):
            if number < 0:
                why = f"{day} is before the trade date {self.trade_date}"
                raise BeyondRates(why, date=day.isoformat(), last=self.last.isoformat())
            if number > self.days[-1] and not extrapolate:
                why = f"{day} is after the last maturity {self.last}: its zero rate is used there only if you ask for it"
                raise BeyondRates(why, date=day.isoformat(), last=self.last.isoformat())
        return days

    def _logs(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        inner = np.interp(days, np.append(0.0, self.days), np.append(0.0, self.log_factors))
        return np.where(days > self.days[-1], self.log_factors[-1] * days / self.days[-1], inner)


def discount_curve(quotes: pl.DataFrame, trade_date: date, *, scale: float = 1.0) -> DiscountCurve:
    """Return the discount curve of the rates of one trade date.

    ``quotes``: ``delivery_end`` (Date) and ``settle`` (Float64; null: unpriced, left out). ``scale``: of the unit, 0.01 for
    percent. Maturities that are not after the trade date are left out. Raises ``InvalidRates``: no rate is left, two different
    ones have one maturity, or a rate is -100 % or less.
    """
    rates = (
        quotes.select(maturity=pl.col("delivery_end").dt.offset_by("-1d"), rate=pl.col("settle").fill_nan(None) * scale)
        .drop_nulls()
        .filter(pl.col("maturity") > trade_date)
        .unique()
        .sort("maturity")
    )
    if rates.is_empty():
        raise InvalidRates(f"no rate of {trade_date} has a maturity after it")
    repeated = rates.filter(pl.col("maturity").is_duplicated())
    if not repeated.is_empty():
        maturity, some = repeated["maturity"][0], repeated.filter(pl.col("maturity") == repeated["maturity"][0])["rate"]
        why = f"rates of {trade_date} contradict each other at the maturity {maturity}: {', '.join(map(str, some))}"
        raise InvalidRates(why, maturity=maturity.isoformat())
    if not (lost := rates.filter(pl.col("rate") <= -1)).is_empty():
        maturity = lost["maturity"][0]
        raise InvalidRates(f"the rate {lost['rate'][0]} of {maturity} loses everything", maturity=maturity.isoformat())
    days = rates.select((pl.col("maturity") - trade_date).dt.total_days().cast(pl.Float64))["maturity"].to_numpy()
    return DiscountCurve(trade_date, days, -days / YEAR_DAYS * np.log1p(rates["rate"].to_numpy()))
