"""The chart of a continuous series: its prices, the adjusted ones, and a mark at each roll."""

from __future__ import annotations

import polars as pl

from aurum.charts import Line, LineChart, Mark
from aurum.core.curves.continuous import Adjust
from aurum.core.errors import InvalidParameters
from aurum.services.curves.chart_parts import BREAK_US, caption_of, days_us, values_of
from aurum.services.curves.continuous import ContinuousAnswer

_MOST_MARKS = 24
"""Rolls that are marked: the marks of more, such as of days ahead, would hide the line."""


def continuous_chart(answer: ContinuousAnswer) -> LineChart:
    """Return the chart of a continuous series. Raises ``InvalidParameters`` where it has no price to draw."""
    plan, product = answer.plan, answer.plan.product
    if not answer.series.points:
        raise InvalidParameters(("front", f"{answer.summary()['reason']}: nothing to draw", plan.question.front))
    starts = days_us(answer.frame["trade_date"])
    columns = {"price": plan.question.field}
    if plan.question.adjust is not Adjust.NONE:
        columns["value"] = f"adjusted by {plan.question.adjust}"
    # The price itself covers the adjusted one from the last roll on.
    lines = tuple(
        Line(label, starts, None, values_of(answer.frame[name]), BREAK_US, is_overlay=name == "price" and len(columns) > 1)
        for name, label in columns.items()
    )
    rolls = answer.rolls if len(answer.rolls) <= _MOST_MARKS else ()
    marks = tuple(Mark(at, "roll") for at in days_us(pl.Series([one.date for one in rolls], dtype=pl.Date)).tolist())
    hidden = "" if rolls or not answer.rolls else f", {len(answer.rolls)} rolls without marks"
    subtitle = f"{plan.question.field} of {plan.tenor} by trade date, roll {plan.rule}{hidden}"
    unit = plan.conversions.unit_of(product)[0]
    return LineChart(caption_of(product, subtitle, unit, plan.known, None, zone="UTC"), lines, marks, of_days=True)
