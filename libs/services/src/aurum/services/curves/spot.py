"""Spot prices that a product settles on, as known at ``as_of``: realised hours of quotes in delivery, windows of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.calendars import day_edges, day_hours
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.series.model import Series
from aurum.services.curves.build_terms import BuildTerms
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.receipts import digest
from aurum.services.observations import Question, read_one, series_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SpotPrices:
    """Spot prices of one series, ascending in time, without withdrawn and missing values.

    ``starts``: ``datetime64[us]``, UTC. ``hours``: the lengths of the intervals.
    """

    series: str
    starts: NDArray[np.datetime64]
    hours: NDArray[np.float64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def digest(self) -> str:
        """A digest of all instants and values."""
        return digest([self.starts.astype(np.int64).tolist(), self.values.tolist()])

    def frame(self) -> pl.DataFrame:
        """Return ``ts`` (UTC) and ``value``."""
        return pl.DataFrame({"ts": pl.Series(self.starts).dt.replace_time_zone("UTC"), "value": self.values})


async def spot_series(reading: CurveReading, series_key: str, field: str) -> Series:
    """Return a series of spot prices. ``field``: the parameter that an error names. Raises ``InvalidParameters``."""
    try:
        series = await series_of(reading.observations.catalog, series_key)
    except UnknownName as error:
        why = f"needs the spot prices {series_key}, which the store does not have: load them first"
        raise InvalidParameters((field, why, None), series=series_key) from error
    if series.spec.interval.step is None or series.spec.interval.step > timedelta(hours=1):
        why = f"needs hourly or finer prices; {series_key} has intervals of {series.spec.interval}"
        raise InvalidParameters((field, why, None), series=series_key)
    return series


async def spot_prices(
    reading: CurveReading,
    series_key: str,
    start: datetime,
    end: datetime,
    known: Known,
    *,
    field: str,
    unit: str | None = None,
) -> SpotPrices:
    """Return the spot prices of a span as known at ``as_of``. ``field``: the parameter that an error names.

    ``unit``: of the prices; None: that of the series.

    Raises ``InvalidParameters`` for a series that the store does not have, and for one without intervals of a fixed length.
    """
    series = await spot_series(reading, series_key, field)
    converted = None if unit == series.spec.unit else unit
    question = Question(start=start, end=end, as_of=known.as_of, as_loaded=known.as_loaded, unit=converted)
    answer = await read_one(reading.observations, series, question)
    frame = answer.frame.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    length = (frame["end"] - frame["ts"]).dt.total_microseconds().to_numpy() / 3.6e9
    starts = frame["ts"].dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")
    return SpotPrices(series_key, starts, length.astype(np.float64), frame["value"].to_numpy().astype(np.float64))


def series_that_settles(terms: BuildTerms, field: str) -> str:
    """Return the key of the spot series of a product. Raises ``InvalidParameters`` where none is known."""
    series = None if terms.stored is None else terms.stored.product.settles_on
    if series is None:
        name = terms.key or "a curve without a product"
        why = f"needs the series of spot prices that {name} settles on, and its terms name none (`settles_on`)"
        raise InvalidParameters((field, why, None), curve=terms.key)
    return series


async def realised_prices(
    reading: CurveReading, terms: BuildTerms, first: date, trade_date: date, known: Known
) -> tuple[SpotPrices, date]:
    """Return the spot prices of the delivery days from ``first`` that a quote of a trade date had behind it, and their end.

    The auction of the day after the trade date is held on the trade date, so that day counts if it is stored whole. Raises
    ``InvalidParameters``, which names the series, unless every day up to the trade date is stored whole.
    """
    field = "in_delivery"
    series = series_that_settles(terms, field)
    last = trade_date + 2 * _DAY
    start, end = terms.calendar.bounds(first, last)
    prices = await spot_prices(reading, series, start, end, known, field=field, unit=terms.unit)
    edges = day_edges(terms.calendar, first, last)
    days = np.searchsorted(edges, prices.starts, side="right") - 1
    stored = np.bincount(days, weights=prices.hours, minlength=len(edges) - 1)
    needed = day_hours(terms.calendar, first, last)
    whole = np.abs(stored - needed) < 1e-6
    count = int(np.argmin(whole)) if not whole.all() else len(whole)
    until = first + count * _DAY
    if until <= trade_date:
        at = "now" if known.as_of is None else f"at {known.as_of.isoformat()}"
        why = (
            f"net_realised needs every spot hour of {series} from {first} to {trade_date}; of {until} the store has "
            f"{stored[count]:g} of {needed[count]:g} hours as known {at}: load them, or build with exclude"
        )
        raise InvalidParameters((field, why, "net_realised"), series=series, day=str(until))
    is_realised = prices.starts < edges[count]
    return SpotPrices(series, prices.starts[is_realised], prices.hours[is_realised], prices.values[is_realised]), until
