"""Strips of marks: the price of a period that a set does not mark, from the finer periods that it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from aurum.core.curves.calendars import hours
from aurum.core.curves.strips import NoHours, StripMethod, strip
from aurum.core.curves.weights import SessionsMissing, part_weight
from aurum.services.curves.periods import delivery_period
from aurum.services.curves.reference import Terms
from aurum.storage.ports.curves import StoredProduct

OWN_STRIPS = pl.Schema(
    {
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "label": pl.String(),
        "kind": pl.String(),
        "starts_at": pl.Datetime("us", "UTC"),
        "ends_at": pl.Datetime("us", "UTC"),
        "hours": pl.Float64(),
        "value": pl.Float64(),
    }
)
"""Strips of marks with the names of their periods."""


def strips_of_marks(
    rows: pl.DataFrame, spans: Sequence[tuple[date, date]], product: StoredProduct, terms: Terms, trade_date: date
) -> pl.DataFrame:
    """Return the strips of some periods that finer marks tile, schema ``OWN_STRIPS``; other periods are left out.

    ``rows``: marks of one curve with a price. Marks weighted by the sessions of a venue have none.
    """
    try:
        weight = part_weight(product.product.weighting, terms.calendar, terms.block, None)
    except SessionsMissing:
        return pl.DataFrame(schema=OWN_STRIPS)

    def of_hours(first: date, end: date) -> float:
        return hours(terms.calendar, first, end, terms.block)

    quotes = rows.select("delivery_start", "delivery_end", price="value")
    strips: list[tuple[object, ...]] = []
    for first, end in spans:
        period = delivery_period(terms, first, end, trade_date)
        try:
            made = strip(quotes, period.period, weight=weight, tick=product.product.tick, hours=of_hours)
        except NoHours:
            continue  # a period without hours of the block has no price on either side
        if made.method is StripMethod.FROM_FINER:
            named = (period.period.label, str(period.period.kind), period.start, period.end, period.hours)
            strips.append((first, end, *named, made.value))
    return pl.DataFrame(strips, schema=OWN_STRIPS, orient="row")
