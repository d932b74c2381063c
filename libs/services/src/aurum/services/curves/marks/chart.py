"""The chart of the marks of a curve set: beside the quotes that overrides replace."""

from __future__ import annotations

import polars as pl

from aurum.charts import Caption, ForwardCurveChart
from aurum.core.errors import InvalidParameters
from aurum.services.curves.chart_parts import as_of_text, curve_of_periods, day_text, moves_between
from aurum.services.curves.known import Known
from aurum.services.curves.marks.reading import SetMarks, delivery_periods

_MOST_NAMED = 5


def marks_chart(made: SetMarks, curve: str | None) -> ForwardCurveChart:
    """Return the chart of the marks of one curve of a set, and of the quotes that overrides replace, with the differences.

    ``curve``: its key; None: the only one. Raises ``InvalidParameters``, also where it has no mark to draw.
    """
    one = made.plan.curve_set
    if curve is None and len(one.curves) > 1:
        why = f"a picture shows one curve, and the set has {len(one.curves)}: name one of {', '.join(one.curves[:_MOST_NAMED])}"
        raise InvalidParameters(("curve", why, None))
    key = next(iter(one.curves)) if curve is None else curve
    frame = made.frame.filter(pl.col("curve") == key)
    places, periods = delivery_periods(frame)
    placed = frame.with_columns(period=places)
    marks = curve_of_periods("marks", placed, periods, "value")
    if not marks.layers:
        raise InvalidParameters(("curve", f"{key} has no mark to draw in this set", key))
    overridden = placed.filter(pl.col("override").is_not_null())
    quotes = curve_of_periods("quotes under overrides", overridden, periods, "quoted")
    stored = next((each for each in made.plan.products if str(each.product.key) == key), None)
    terms = None if stored is None else made.plan.terms.get(stored.curve_id)
    count = overridden.height
    subtitle = " · ".join(
        [
            key,
            f"marks of {one.name}, {one.state}, {day_text(one.trade_date)}",
            f"{count or 'no'} override{'' if count == 1 else 's'}",
        ]
    )
    title = key if stored is None else stored.product.title
    footnote = as_of_text(Known(one.as_of or one.pinned_at), frame["known_at"].max())
    unit: str = frame["unit"].drop_nulls().item(0)
    caption = Caption(title, subtitle, unit, footnote, "UTC" if terms is None else terms.calendar.zone)
    if not quotes.layers:
        return ForwardCurveChart(caption, marks)
    return ForwardCurveChart(caption, marks, quotes, moves_between(marks, quotes, "Override less quote"))
