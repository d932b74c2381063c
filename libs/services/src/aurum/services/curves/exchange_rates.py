"""Exchange rates of trade dates: the one rule by which prices of curves are converted to another currency.

The rate is the ECB's of the trade date, as known at the question. On a weekend or a holiday of TARGET, when the ECB publishes
none, it is that of the last day before on which the ECB does. Any other trade date without its rate is refused, and never
converted at the rate of another day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.currency import DAILY_GAP, DAY_RATES, MissingRate, rates_of_days
from aurum.core.errors import InvalidParameters
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.observations.rates import RateSeries, read_pair
from aurum.services.observations.reading import reader_as_loaded

_EURO = "EUR"
_ONE_DAY = timedelta(days=1)


async def day_rates(reading: CurveReading, series: RateSeries, days: pl.Series, known: Known) -> pl.DataFrame:
    """Return the rate of each trade date, schema ``DAY_RATES``: the price of one unit of the source currency in the target.

    Raises ``MissingRate`` with the first trade date without its rate.
    """
    first, last = days.min(), days.max()
    if not isinstance(first, date) or not isinstance(last, date):
        return pl.DataFrame(schema=DAY_RATES)
    # Later rates tell a trade date whose rate is missing from one whose rate is not published yet.
    span = Span(_midnight(first), _midnight(last) + _ONE_DAY + DAILY_GAP)
    reader = await reader_as_loaded(reading.observations, known.as_loaded)
    rates = await read_pair(reader, series, span=span, as_of=known.as_of, max_age=timedelta())
    assert rates is not None
    return rates_of_days(days, rates)


def refused_rate(error: MissingRate, series: RateSeries, field: str, value: str, remedy: str) -> InvalidParameters:
    """Return the refusal of a question that needs a missing rate of a pair. ``remedy``: what to do but to load the rate.

    A rate after the last one of its pair may never come, as that of EURRUB after March 2022: the refusal names the last one.
    """
    pair = "".join(market_pair(series.source, series.target))
    facts = {**error.facts, "pair": pair, "trade_date": error.facts["day"]}
    why, last = error.detail, series.last_day
    if last is not None and str(last) < str(error.facts["day"]):
        shown = "" if str(last) in why else f": the last rate of {pair} is of {last}"
        why = f"{why}{shown}: load later ones if the ECB publishes them, or {remedy}"
        facts["last_rate"] = str(last)
    else:
        why = f"{why}: load the ECB's reference rates, or {remedy}"
    return InvalidParameters((field, why, value), **facts)


def market_pair(source: str, target: str) -> tuple[str, str]:
    """Return two currencies as the ECB quotes them: the euro first, and else the currency that is converted."""
    return (target, source) if target == _EURO else (source, target)


def exchanges_of(rates: pl.DataFrame, series: RateSeries) -> Sequence[Mapping[str, object]]:
    """Return rates of ``day_rates`` as answers show them.

    ``rate``: the price of one unit of the first currency of ``pair``, such as EURUSD, in the second. ``date``: its own day.
    """
    pair = market_pair(series.source, series.target)
    shown = pl.col("rate") if pair[0] == series.source else 1 / pl.col("rate")
    named = rates.select(pair=pl.lit("".join(pair)), trade_date="day", rate=shown, date="rate_day")
    return named.to_dicts()  # rows: of one trade date or two


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
