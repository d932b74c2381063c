"""Exchange rates of days, and conversion of observations from one currency to another at the rate of their day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aurum.core.calendars import BusinessDays, is_business_day
from aurum.core.errors import Invalid
from aurum.core.frames import OBSERVATIONS, conform
from aurum.core.markettime import local_day
from aurum.core.units import Unit, factor_at_par

DAILY_GAP = timedelta(days=10)
"""Greatest age of a daily rate when it is used. The longest gap between fixings of the ECB is five days, at Easter."""

DAY_RATES = pl.Schema({"day": pl.Date(), "rate": pl.Float64(), "rate_day": pl.Date()})
"""Rates of days. ``rate_day``: the day that the rate is of."""

RATES_PREFIX = "ecb:reference_rates:"
"""How the keys of all series of exchange rates begin."""

_RATE_KEY = RATES_PREFIX + "EUR{currency}:rate"
_RATE = re.compile(re.escape(_RATE_KEY).replace(re.escape("{currency}"), "([A-Z]{3})"))


def rate_key(currency: str) -> str:
    """Return the key of the series that money in a currency is converted with: the price of one euro in it."""
    return _RATE_KEY.format(currency=currency)


def rated_currency(key: str) -> str | None:
    """Return the currency that a series of exchange rates is for; None for any other series.

    >>> rated_currency("ecb:reference_rates:EURUSD:rate")
    'USD'
    """
    match = _RATE.fullmatch(key)
    return match[1] if match is not None else None


class MissingRate(Invalid):
    """A day without an exchange rate. Facts: ``source``, ``target`` (currencies), ``day`` (the first such day).

    ``newest``: the newest day with a rate, where that is before the day: a later one may not be published yet.
    """

    def __init__(self, source: str, target: str, day: date, *, newest: date | None = None) -> None:
        later = f": it is not published yet, or not loaded; the newest known one is of {newest}" if newest is not None else ""
        super().__init__(f"no rate {source} to {target} for {day}{later}", source=source, target=target, day=str(day))


class WrongPair(Invalid):
    """Rates of one pair of currencies for units of another. A bug of the caller's."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Daily exchange rates: the price of one ``source`` in ``target`` (ISO 4217 codes).

    ``frame``: schema ``OBSERVATIONS``; rows that are withdrawn or not positive are dropped. ``zone``: IANA name of the clock in
    which the days of the rates are counted. ``max_age``: for how long a rate also holds for later days without one.
    """

    source: str
    target: str
    frame: pl.DataFrame
    zone: str
    max_age: timedelta = DAILY_GAP

    def __post_init__(self) -> None:
        usable = pl.col("value").is_finite() & (pl.col("value") > 0)
        object.__setattr__(self, "frame", conform(self.frame, OBSERVATIONS).filter(usable).sort("ts"))

    @classmethod
    def from_series(cls, unit: Unit, frame: pl.DataFrame, *, zone: str, max_age: timedelta = DAILY_GAP) -> Rates:
        """Return the rates in a series whose unit is an exchange rate: ``USD/EUR`` is the price of one EUR in USD."""
        if unit.dimension != "exchange rate":
            raise WrongPair(f"{unit} is not an exchange rate")
        target, _, source = unit.text.partition("/")
        return cls(source, target, frame, zone, max_age)

    def inverse(self) -> Rates:
        """Return the rates in the other direction: the price of one ``target`` in ``source``."""
        return Rates(self.target, self.source, self.frame.with_columns(value=1 / pl.col("value")), self.zone, self.max_age)

    def then(self, other: Rates) -> Rates:
        """Return the rates through a third currency: EUR to USD, then USD to CAD, is EUR to CAD, on the days of ``self``."""
        if self.target != other.source:
            raise WrongPair(f"{self.source} to {self.target} does not lead to {other.source} to {other.target}")
        joined = _with_rates(self.frame.with_columns(day=local_day(pl.col("ts"), self.zone)), other)
        return Rates(self.source, other.target, _multiplied(joined.drop_nulls("rate"), 1), self.zone, self.max_age)


def convert_currency(frame: pl.DataFrame, rates: Rates, *, source: Unit, target: Unit, zone: str) -> pl.DataFrame:
    """Convert observations in ``source`` to ``target``: the same rows and columns, in the same order.

    ``frame``: ``ts``, ``value``, ``quality``, ``known_at``, and any other columns. ``zone``: the clock in which the days of the
    observations are counted: an hour in New York at 21:00 has the rate of its own day, although it is the next day in
    Frankfurt. A day without a rate has the last one before it, up to ``rates.max_age`` old. The result has the worse quality
    and the later ``known_at`` of observation and rate. Units may differ in more than currency (``GBp/therm`` to ``EUR/MWh``).

    Raises ``MissingRate`` with the first day without a rate, ``IncompatibleUnits``, ``WrongPair``.
    """
    if (source.currency, target.currency) != (rates.source, rates.target):
        raise WrongPair(f"rates from {rates.source} to {rates.target} cannot convert {source} to {target}")
    factor = factor_at_par(source, target)
    joined = _with_rates(frame.with_columns(day=local_day(pl.col("ts"), zone)), rates)
    missing = joined.filter(pl.col("rate").is_null())["day"].min()
    if isinstance(missing, date):
        raise MissingRate(rates.source, rates.target, missing)
    return _multiplied(joined, factor).select(frame.columns)


def rates_of_days(days: pl.Series, rates: Rates) -> pl.DataFrame:
    """Return the rate of each day, ascending: schema ``DAY_RATES``.

    ``days`` (Date): a day on which the ECB publishes no rates, a weekend or a holiday of TARGET, has the rate of the last day
    before it on which the ECB does. ``rates``: also of some days after the last one, which tell a rate that is not published
    yet from one that is missing. Raises ``MissingRate`` with the first day without its rate.
    """
    wanted = pl.DataFrame({"day": days.unique().sort()}, schema={"day": pl.Date})
    first, last = wanted["day"].min(), wanted["day"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return pl.DataFrame(schema=DAY_RATES)
    calendar = pl.date_range(first - DAILY_GAP, last, eager=True)
    published = pl.DataFrame({"due": calendar.filter(is_business_day(calendar, BusinessDays.TARGET))})
    known = rates.frame.select(rate_day=local_day(pl.col("ts"), rates.zone), rate=pl.col("value")).sort("rate_day")
    by_day = wanted.join_asof(published, left_on="day", right_on="due", strategy="backward", coalesce=False).join_asof(
        known, left_on="day", right_on="rate_day", strategy="backward", coalesce=False
    )
    missing = by_day.filter(pl.col("rate_day").is_null() | (pl.col("rate_day") < pl.col("due")))
    if not missing.is_empty():
        day, due = missing.select("day", "due").row(0)
        newest: date | None = known.select(pl.col("rate_day").max()).item()
        raise MissingRate(rates.source, rates.target, day, newest=newest if newest is not None and newest < due else None)
    return by_day.select(list(DAY_RATES))


def days_of_rates(rate_days: pl.Series) -> pl.Series:
    """Return the days, ascending, that ``rates_of_days`` may give the rates of some days to: ``day`` (Date).

    A rate holds on its own day, and on the days after it on which the ECB publishes none.
    """
    own = pl.DataFrame({"rate_day": rate_days.unique()}, schema={"rate_day": pl.Date})
    later = own.select("rate_day", day=pl.date_ranges("rate_day", pl.col("rate_day") + DAILY_GAP)).explode("day")
    published = later["day"].unique().sort()
    published = published.filter(is_business_day(published, BusinessDays.TARGET))
    due = later.sort("day").join_asof(pl.DataFrame({"due": published}), left_on="day", right_on="due", strategy="backward")
    held = due.filter((pl.col("day") == pl.col("rate_day")) | (pl.col("due").fill_null(date.min) <= pl.col("rate_day")))
    return held["day"].unique().sort()


def _with_rates(frame: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """Add ``rate``, ``rate_quality`` and ``rate_known_at`` to a frame with a ``day``; null on days without a rate."""
    known = rates.frame.select(
        local_day(pl.col("ts"), rates.zone).alias("day"),
        pl.col("value").alias("rate"),
        pl.col("quality").alias("rate_quality"),
        pl.col("known_at").alias("rate_known_at"),
    ).sort("day")
    days = frame.select(pl.col("day").unique().sort())
    by_day = days.join_asof(known, on="day", strategy="backward", tolerance=rates.max_age)
    return frame.join(by_day, on="day", how="left", maintain_order="left")


def _multiplied(joined: pl.DataFrame, factor: float) -> pl.DataFrame:
    return joined.with_columns(
        value=pl.col("value") * (pl.col("rate") * factor),
        quality=pl.max_horizontal("quality", "rate_quality"),
        known_at=pl.max_horizontal("known_at", "rate_known_at"),
    )
