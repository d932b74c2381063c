"""Derived curves that convert currencies: which exchange rates a load changed, and on which trade dates they may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from aurum.core.currency import RATES_PREFIX, days_of_rates, rated_currency
from aurum.core.curves.expressions import InvalidExpression, exchanged_currencies, read_expression
from aurum.core.markettime import local_day

if TYPE_CHECKING:
    from aurum.storage.ports.observations import SeriesRows, StoredRows


def changed_rates(part: SeriesRows, series_ids: Sequence[int], stored: StoredRows) -> Mapping[str, Sequence[date]]:
    """Return the days on which the exchange rates that a part of a file changed may be used, ascending, by currency.

    ``series_ids``: of the series of the part, in its order. A rate is used on its own day and on the days after it on which
    the ECB publishes none, as in ``core.currency.rates_of_days``.
    """
    keys = part.series["key"]
    # Most files have thousands of other series: they are passed over at once.
    places: list[int] = keys.str.starts_with(RATES_PREFIX).arg_true().to_list()
    days: dict[str, Sequence[date]] = {}
    for place in places:
        currency = rated_currency(keys[place])
        points = stored.points.filter(pl.col("series_id") == series_ids[place])
        if currency is None or points.is_empty():
            continue
        own = points.select(local_day(pl.col("ts"), part.series["zone"][place]).alias("day"))
        days[currency] = days_of_rates(own["day"]).to_list()
    return days


def rates_used(
    expression: Mapping[str, object], units: Mapping[str, str], days: Mapping[str, Sequence[date]]
) -> Sequence[date]:
    """Return the days on which a stored expression may use changed rates, ascending. ``units``: of its curves, by key.

    One whose units no longer fit counts as using all of them: its next build says why it cannot be computed.
    """
    try:
        currencies = exchanged_currencies(read_expression(expression), units)
    except InvalidExpression:
        currencies = days.keys()
    return sorted({day for currency, of_currency in days.items() if currency in currencies for day in of_currency})
