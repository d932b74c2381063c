"""Charts of spreads: through trade dates, or by delivery on one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import polars as pl

from aurum.charts import Caption, ForwardCurveChart, Line, LineChart
from aurum.core.curves.strips import StripMethod
from aurum.core.errors import InvalidParameters
from aurum.services.curves.chart_parts import (
    BREAK_US,
    MOST_LINES,
    as_of_text,
    curve_of_periods,
    day_text,
    days_us,
    left_out,
    values_of,
)
from aurum.services.curves.periods import DeliveryPeriod
from aurum.services.curves.spread_facts import formula_of, parameters_of
from aurum.services.curves.spread_plan import LegPlan, SpreadPlan
from aurum.services.curves.spreads import SpreadAnswer


def spread_chart(answer: SpreadAnswer) -> LineChart | ForwardCurveChart:
    """Return the chart of a spread: a line for each period through trade dates, or the periods of one trade date.

    Raises ``InvalidParameters`` where it has no value to draw.
    """
    plan, frame = answer.plan, answer.frame
    parameter = "from" if plan.is_span else "periods"
    if frame["value"].null_count() == frame.height:
        reasons = frame["reason"].drop_nulls()
        why = f"the spread has no value to draw{f': {reasons[0]}' if len(reasons) else ''}"
        raise InvalidParameters((parameter, why, None if plan.first is None else str(plan.first)))
    legs = ", ".join(_leg(one) for one in plan.legs)
    # Where every leg has a delivery period of its own, that of the row is none of the spread.
    has_period = any(one.own is None for one in plan.legs)
    about = " · ".join([str(plan.side), *_parameters(plan), formula_of(plan)])
    venues = sorted({one.stored.product.key.venue for one in plan.curves})
    source = f" Source: {', '.join(venues)}." if venues else ""
    priced = set(frame.filter(pl.col("value").is_not_null())["period"].to_list())
    unpriced = [
        one.period.label for place, one in enumerate(answer.periods) if one is not None and has_period and place not in priced
    ]
    reasons = frame.filter(~pl.col("period").is_in(priced))["reason"].drop_nulls()
    note = left_out(unpriced, reasons[0] if len(reasons) else None)
    footnote, unit = f"{note}Legs: {legs}. {as_of_text(plan.known, None)}{source}", plan.unit.text
    if not plan.is_span:
        if None in answer.periods:
            why = "a picture shows delivery periods on their axis: name them, or request another format"
            raise InvalidParameters(("periods", why, None))
        periods = cast("list[DeliveryPeriod]", list(answer.periods))
        built = [one.frame["method"] == StripMethod.FROM_BUILD for one in answer.legs]
        with_origin = frame.with_columns(built=pl.any_horizontal(one.fill_null(value=False) for one in built))
        curve = curve_of_periods("", with_origin, periods, "value")
        zone = plan.curves[0].terms.calendar.zone if plan.curves else "UTC"
        on = "" if plan.trade_date is None else f"{day_text(plan.trade_date)} · "
        caption = Caption(plan.template.title, f"{on}{about}", unit, footnote, zone)
        return ForwardCurveChart(caption, curve)
    if len(answer.periods) > MOST_LINES:
        why = f"a picture shows at most {MOST_LINES} delivery periods, and these are {len(answer.periods)}: request fewer"
        raise InvalidParameters(("periods", why, len(answer.periods)))
    names = [period.period.label if period is not None and has_period else "" for period in answer.periods]
    lines = tuple(
        Line(name, days_us(rows["trade_date"]), None, values_of(rows["value"]), BREAK_US)
        for place, name in enumerate(names)
        if place in priced
        for rows in [frame.filter(pl.col("period") == place)]
    )
    caption = Caption(plan.template.title, f"by trade date · {about}", unit, footnote)
    return LineChart(caption, lines, of_days=True)


def _parameters(plan: SpreadPlan) -> Iterator[str]:
    """Yield the terms of a plant that the spread is of: its efficiency or heat rate, and its emission intensity."""
    stated = parameters_of(plan)
    if not stated:
        return
    heating = f" ({stated['heating_value']})" if stated["heating_value"] else ""
    if plan.question.parameters.efficiency is not None:
        yield f"efficiency {stated['efficiency']:g}{heating}"
    else:
        yield f"heat rate {stated['heat_rate']:g} {stated['heat_rate_unit']}{heating}"
    if "emission_intensity" in stated:
        yield f"emission intensity {stated['emission_intensity']:g} t/MWh of fuel"


def _leg(leg: LegPlan) -> str:
    price = leg.curve.key if leg.curve is not None else f"{leg.value:g} {leg.factors.source}"
    return f"{leg.factors.leg.name} {price}{'' if leg.own is None else f' {leg.own.period.label}'}"
