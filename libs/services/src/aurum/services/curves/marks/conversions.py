"""Marks in another unit or currency, at the exchange rate of their trade date as known when they were submitted."""

from __future__ import annotations

import polars as pl

from aurum.services.curves.known import Known
from aurum.services.curves.marks.reading import SetMarks
from aurum.services.curves.prices import PriceConversions, conversions_of_units, converted
from aurum.services.curves.reading import CurveReading

_PRICES = ("quoted", "quoted_bid", "quoted_ask", "override", "value")
"""The prices of marks that quotes do not have, too."""


async def conversions_of_marks(
    reading: CurveReading, made: SetMarks, unit: str | None, currency: str | None
) -> PriceConversions:
    """Return the conversions of marks, by the place of their own unit among ``_units``. Raises ``InvalidParameters``.

    The unit is that of the mark: the product may have another one since it was pinned.
    """
    # rows: one of each unit
    names = dict(made.frame.unique("unit", keep="first", maintain_order=True).select("unit", "curve").rows())
    return await conversions_of_units(reading, dict(enumerate(_units(made.frame))), unit, currency, names)


async def converted_marks(reading: CurveReading, made: SetMarks, conversions: PriceConversions) -> pl.DataFrame:
    """Return marks, schema ``NAMED_MARKS``, with their prices converted. Raises ``InvalidParameters`` without a rate.

    ``conversions``: of ``conversions_of_marks``.
    """
    frame, one = made.frame, made.plan.curve_set
    if not conversions.by_curve or frame.is_empty():
        return frame
    places = {own: place for place, own in enumerate(_units(frame))}
    numbered = frame.with_columns(
        pl.col("unit").replace_strict(places, return_dtype=pl.Int32).alias("curve_id"), trade_date=pl.lit(one.trade_date)
    )
    known = Known(as_of=one.as_of or one.pinned_at)
    priced = await converted(reading, numbered, conversions, known=known, also=_PRICES)
    units = {own: str(conversions.by_curve[place].target) for own, place in places.items()}
    currencies = {own: conversions.by_curve[place].target.currency for own, place in places.items()}
    own = pl.col("unit")
    return priced.with_columns(
        own.replace_strict(units, return_dtype=pl.String),
        own.replace_strict(currencies, return_dtype=pl.String).alias("currency"),
    ).select(frame.columns)


def _units(frame: pl.DataFrame) -> list[str]:
    return frame["unit"].unique().sort().to_list()
