"""Delivery periods of quotes: their names, their instants and the hours of their block, once for each distinct period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import polars as pl

from aurum.core.curves.calendars import hours
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.periods import Period, PeriodKind, name_period
from aurum.core.errors import InvalidParameters
from aurum.services.curves.reference import Terms

_NAMED_BY_TRADE_DATE = frozenset({PeriodKind.CUSTOM})
"""Kinds of spans whose name may depend on the trade date: the rest of a month, of a year, a day ahead."""


@dataclass(frozen=True, slots=True)
class DeliveryPeriod:
    """A delivery period of a product. ``start``, ``end``: UTC, half-open. ``hours``: of the block of the product."""

    period: Period
    start: datetime
    end: datetime
    hours: float

    def document(self) -> dict[str, object]:
        """Return the period as answers show it."""
        whole = int(self.hours)
        return {
            "label": self.period.label,
            "kind": str(self.period.kind),
            "start": self.start,
            "end": self.end,
            "hours": whole if whole == self.hours else self.hours,
        }


@lru_cache(maxsize=16_384)
def delivery_period(terms: Terms, first: date, end: date, trade_date: date | None = None) -> DeliveryPeriod:
    """Return the period of a span of delivery days ``[first, end)``. ``trade_date``: that of the quote; None: unknown."""
    return delivered(terms, name_period(first, end, seasons=terms.seasons, trade_date=trade_date))


def delivered(terms: Terms, period: Period) -> DeliveryPeriod:
    """Return a named period with its instants and hours."""
    start, end = terms.calendar.bounds(period.first, period.end)
    return DeliveryPeriod(period, start, end, hours(terms.calendar, period.first, period.end, terms.block))


def requested_period(terms: Terms, text: str, *, trade_date: date | None = None) -> DeliveryPeriod:
    """Return the period that a text names. Raises ``InvalidParameters`` about ``period``."""
    try:
        period = terms.period(text.strip(), trade_date=trade_date)
    except InvalidPeriod as error:
        raise InvalidParameters(("period", error.detail, text), **dict(error.facts)) from error
    return delivered(terms, period)


def requested_periods(terms: Terms, texts: Sequence[str], *, trade_date: date | None = None) -> Sequence[DeliveryPeriod]:
    """Return the periods that some texts name, in order, without repeats. A text may hold several, separated by commas."""
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip())
    if not names:
        raise InvalidParameters(("period", "is missing: name a delivery period, such as Jan-25, Q1-25 or 2025", None))
    return [requested_period(terms, name, trade_date=trade_date) for name in names]


def with_periods(frame: pl.DataFrame, terms: Mapping[int, Terms]) -> tuple[pl.DataFrame, Sequence[DeliveryPeriod]]:
    """Return quotes with the column ``period``, the place of their period in the list beside them (UInt32), in their order.

    ``frame``: has ``curve_id``, ``trade_date``, ``delivery_start``, ``delivery_end``. ``terms``: by curve id.
    """
    distinct_terms = list(dict.fromkeys(terms.values()))
    places = {one: place for place, one in enumerate(distinct_terms)}
    if len(distinct_terms) == 1:
        numbered = frame.with_columns(pl.lit(0, pl.UInt32).alias("__terms"))
    else:
        by_curve = {curve_id: places[one] for curve_id, one in terms.items()}
        of_curve = pl.col("curve_id").replace_strict(by_curve, return_dtype=pl.UInt32)
        numbered = frame.with_columns(of_curve.alias("__terms"))
    span = ["__terms", "delivery_start", "delivery_end"]
    spans = numbered.select(span).unique(maintain_order=True)
    rows: list[tuple[int, date, date]] = spans.rows()
    named = [delivery_period(distinct_terms[place], first, end) for place, first, end in rows]
    spans = spans.with_row_index("period")
    dated = [place for place, one in enumerate(named) if one.period.kind in _NAMED_BY_TRADE_DATE]
    placed = numbered.join(spans, on=span, how="left", maintain_order="left")
    if not dated:
        return placed.drop("__terms"), named
    is_dated = pl.col("period").is_in(dated)
    some = placed.filter(is_dated).select(*span, "trade_date").unique(maintain_order=True)
    dated_rows: list[tuple[int, date, date, date]] = some.rows()
    more = [delivery_period(distinct_terms[place], first, end, day) for place, first, end, day in dated_rows]
    some = some.with_row_index("__dated", offset=len(named))
    placed = placed.join(some, on=[*span, "trade_date"], how="left", maintain_order="left")
    return (
        placed.with_columns(pl.coalesce("__dated", "period").alias("period")).drop("__dated", "__terms"),
        [*named, *more],
    )


def of_kinds(frame: pl.DataFrame, periods: Sequence[DeliveryPeriod], kinds: frozenset[PeriodKind]) -> pl.DataFrame:
    """Return the rows of a frame of ``with_periods`` whose period has one of some kinds."""
    return frame.filter(pl.col("period").is_in([place for place, one in enumerate(periods) if one.period.kind in kinds]))
