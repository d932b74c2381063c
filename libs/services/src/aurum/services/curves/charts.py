"""Charts of answers about curves: what a picture of quotes, histories, strips, moves and built curves shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from aurum.charts import BarChart, Caption, Curve, ForwardCurveChart, Line, LineChart
from aurum.core.curves.build_report import Fill
from aurum.core.curves.grids import Resolution
from aurum.core.curves.quotes import MID, price_of
from aurum.core.curves.strips import StripMethod
from aurum.core.errors import InvalidParameters
from aurum.services.curves.build_answer import BuildAnswer
from aurum.services.curves.chart_parts import (
    BREAK_US,
    MOST_BARS,
    MOST_LINES,
    as_of_text,
    caption_of,
    curve_of_periods,
    day_text,
    days_us,
    left_out,
    moves_between,
    values_of,
)
from aurum.services.curves.diff import DiffAnswer
from aurum.services.curves.known import Known
from aurum.services.curves.periods import delivery_period
from aurum.services.curves.quotes import QuotesAnswer
from aurum.services.curves.strips import PeriodStrip, StripsPlan

_NOT_BOTH = "no period is priced on both trade dates"
_MOST_NAMED = 4
"""Periods of a history that its subtitle names."""
_FILLED = {
    Fill.NONE: "no price",
    Fill.INTERPOLATED: "interpolated",
    Fill.FLAT: "extrapolated, flat",
    Fill.TREND: "extrapolated by trend",
}
_HOW_OFTEN = {
    Resolution.DAY: "daily",
    Resolution.HOUR: "hourly",
    Resolution.HALF_HOUR: "half-hourly",
    Resolution.QUARTER_HOUR: "quarter-hourly",
}


def quotes_chart(answer: QuotesAnswer, reference: QuotesAnswer | None = None) -> ForwardCurveChart:
    """Return the chart of the quotes of one curve on one trade date. ``reference``: of an earlier one, drawn as well.

    It shows ``settle``, or the first of the requested fields; the mean of bid and ask where no quote has a settlement. Raises
    ``InvalidParameters`` where there is no price to draw.
    """
    (product,) = answer.plan.products
    field, frame = _drawn(answer)
    day = _one_day(answer)
    curve = curve_of_periods(day_text(day), frame, answer.periods, field)
    _check_priced(answer, curve, day, field)
    moves = earlier = None
    if reference is not None:
        since = _one_day(reference, parameter="vs")
        of_earlier = _with_mid(reference.frame) if field == MID else reference.frame
        earlier = curve_of_periods(day_text(since), of_earlier, reference.periods, field)
        _check_priced(reference, earlier, since, field, parameter="vs")
        moves = moves_between(curve, earlier, f"Move since {day_text(since)}")
    drawn = [answer.frame["known_at"], *([] if reference is None else [reference.frame["known_at"]])]
    known_at = pl.concat(drawn).max()
    unit, zone = answer.plan.conversions.unit_of(product)[0], answer.plan.terms[product.curve_id].calendar.zone
    unpriced: list[int] = frame.filter(pl.col(field).is_null())["period"].to_list()
    note = left_out([answer.periods[place].period.label for place in unpriced])
    subtitle = f"{field} on {day_text(day)}"
    caption = caption_of(product, subtitle, unit, answer.plan.known, known_at, zone=zone, trade_date=day, note=note)
    return ForwardCurveChart(caption, curve, earlier, moves)


def history_chart(answer: QuotesAnswer) -> LineChart:
    """Return the chart of delivery periods of one curve through the trade dates, in the order of the question.

    Its price is that of ``quotes_chart``. Raises ``InvalidParameters``.
    """
    (product,) = answer.plan.products
    field, frame = _drawn(answer)
    wanted = () if answer.plan.span is None else answer.plan.span.deliveries
    quoted: list[int] = frame.filter(pl.col(field).is_not_null())["period"].unique(maintain_order=True).to_list()
    spans = {place: (answer.periods[place].period.first, answer.periods[place].period.end) for place in quoted}
    places = sorted(quoted, key=lambda place: wanted.index(spans[place]))
    if len(places) > MOST_LINES:
        why = f"a picture shows at most {MOST_LINES} delivery periods, and these are {len(places)}: request fewer"
        raise InvalidParameters(("period", why, None))
    by_period = {key[0]: rows for key, rows in frame.partition_by("period", as_dict=True, maintain_order=True).items()}
    lines = tuple(
        Line(
            answer.periods[place].period.label,
            days_us(by_period[place]["trade_date"]),
            None,
            values_of(by_period[place][field]),
            BREAK_US,
        )
        for place in places
    )
    if not lines:
        why = f"{product.product.key} has no {field} of these periods to draw{_because(answer)}"
        raise InvalidParameters(("period", why, None))
    labels = ", ".join(line.label for line in lines) if len(lines) <= _MOST_NAMED else f"{len(lines)} delivery periods"
    terms = answer.plan.terms[product.curve_id]
    note = left_out([delivery_period(terms, *one).period.label for one in wanted if one not in spans.values()])
    unit = answer.plan.conversions.unit_of(product)[0]
    known_at = answer.frame["known_at"].max()
    caption = caption_of(
        product, f"{field} of {labels} by trade date", unit, answer.plan.known, known_at, zone="UTC", note=note
    )
    return LineChart(caption, lines, of_days=True)


def strips_chart(plan: StripsPlan, strips: Sequence[PeriodStrip], side: str) -> ForwardCurveChart:
    """Return the chart of the prices of periods. Raises ``InvalidParameters`` where none has a price."""
    product = plan.legs[0]
    frame = pl.DataFrame(
        {
            "period": range(len(strips)),
            "value": [one.value for one in strips],
            "built": [one.method is StripMethod.FROM_BUILD for one in strips],
        },
        schema={"period": pl.UInt32, "value": pl.Float64, "built": pl.Boolean},
    )
    curve = curve_of_periods("", frame, [one.period for one in strips], "value")
    reason = next((one.reason for one in strips if one.value is None and one.reason), None)
    if not curve.layers:
        why = f"none of the periods has a price to draw{f': {reason}' if reason else ''}"
        raise InvalidParameters(("period", why, None))
    subtitle = f"{side} of delivery periods on {day_text(plan.trade_date)}, weights by {plan.weighting}, {plan.block}"
    unit, zone = plan.conversions.unit_of(product)[0], plan.terms[0].calendar.zone
    note = left_out([one.period.period.label for one in strips if one.value is None], reason)
    caption = caption_of(product, subtitle, unit, plan.known, None, zone=zone, trade_date=plan.trade_date, note=note)
    return ForwardCurveChart(caption, curve)


def diff_chart(answer: DiffAnswer) -> ForwardCurveChart | BarChart:
    """Return the chart of moves: of one curve both trade dates with the move below, of several the largest moves as bars.

    Raises ``InvalidParameters`` where nothing moved that has both prices.
    """
    plan, field = answer.plan, answer.plan.question.field
    rows = answer.frame.filter(pl.col("move").is_not_null())
    if rows.is_empty():
        dates = f"{day_text(plan.a)} and {day_text(plan.b)}"
        why = f"no delivery period has a {field} on both trade dates ({dates}): nothing to draw"
        raise InvalidParameters(("a", why, None if plan.a is None else str(plan.a)))
    keys = {one.curve_id: one for one in plan.products}
    drawn = rows["curve_id"].unique().to_list()
    units = dict.fromkeys(plan.conversions.unit_of(keys[one])[0] for one in drawn)
    if len(plan.products) == 1:
        (product,) = plan.products
        sides = ((plan.b, "b"), (plan.a, "a"))
        now, before = (curve_of_periods(day_text(day), answer.frame, answer.periods, name) for day, name in sides)
        subtitle = f"{field} on {day_text(plan.b)}, and on {day_text(plan.a)}"
        zone = plan.terms[product.curve_id].calendar.zone
        caption = caption_of(product, subtitle, next(iter(units)), plan.known, answer.known_at, zone=zone, trade_date=plan.b)
        return ForwardCurveChart(caption, now, before, moves_between(now, before, f"Move since {day_text(plan.a)}"))
    if len(units) > 1:
        why = f"the curves are priced in {', '.join(units)}: request one unit for all of them to draw their moves together"
        raise InvalidParameters(("unit", why, None))
    top = rows.head(MOST_BARS)
    named: list[tuple[int, int]] = top.select("curve_id", "period").rows()
    labels = [f"{keys[curve_id].product.key} {answer.periods[place].period.label}" for curve_id, place in named]
    more = f", the first {MOST_BARS} of {rows.height:,}" if rows.height > MOST_BARS else ""
    title = f"Moves of {field} from {day_text(plan.a)} to {day_text(plan.b)}"
    note = left_out([str(one.product.key) for one in plan.products if one.curve_id not in drawn], _NOT_BOTH)
    footnote = note + as_of_text(plan.known, answer.known_at)
    caption = Caption(title, f"of {len(plan.products)} curves{more}", next(iter(units)), footnote)
    return BarChart(caption, tuple(zip(labels, top["move"].to_list(), strict=True)))


def build_chart(answer: BuildAnswer) -> LineChart:
    """Return the chart of a built curve of a product. Raises ``InvalidParameters`` where it has no price."""
    terms, question = answer.terms[0], answer.question
    starts, ends = answer.starts, answer.ends
    lines = tuple(Line(name, starts, ends, np.ascontiguousarray(values)) for name, values in answer.values.items())
    if all(np.isnan(line.values).all() for line in lines):
        why = f"the curve {question.curve} has no price to draw: {answer.reason}"
        raise InvalidParameters(("from", why, None if question.first is None else str(question.first)))
    if len(lines) == 1:
        lines = (replace(lines[0], label=""),)
    product = terms.stored.product if terms.stored is not None else None
    title = question.curve or "Forward curve" if product is None else product.title
    how = f"{_HOW_OFTEN[question.grid]} {question.objective} curve of {day_text(answer.trade_date)}"
    subtitle = " · ".join([*([question.curve] if question.curve else []), how, *_shape_text(answer)])
    as_of = as_of_text(Known(question.as_of, question.as_loaded), None)
    source = "" if product is None else f" Built from quotes of {product.key.venue}."
    caption = Caption(title, subtitle, terms.unit or "", f"{_beyond(answer)}{as_of}{source}", terms.calendar.zone)
    return LineChart(caption, lines, of_days=question.grid is Resolution.DAY)


def _shape_text(answer: BuildAnswer) -> Iterator[str]:
    """Yield the days of the spot prices that the shape of a curve is learned from, or the name of its shape."""
    shape = None if answer.form is None else answer.form.shape
    if shape is not None:
        learned = "first" in shape and "end" in shape
        yield f"shape of the spot prices from {shape['first']} up to {shape['end']}" if learned else f"shape {shape['name']}"


def _beyond(answer: BuildAnswer) -> str:
    """Return a sentence about the days of an answer that no quote covers; empty without such days."""
    report = answer.built.report
    spans = [
        (max(one.first, answer.first), min(one.end, answer.end), one.fill) for one in (*report.uncovered, *report.extrapolated)
    ]
    texts = dict.fromkeys(f"{first} up to {end} ({_FILLED[fill]})" for first, end, fill in sorted(spans) if first < end)
    return f"Without quotes: {', '.join([*texts][:_MOST_NAMED])}. " if texts else ""


def _because(answer: QuotesAnswer) -> str:
    return "" if answer.reason is None else f": {answer.reason}"


def _drawn(answer: QuotesAnswer) -> tuple[str, pl.DataFrame]:
    """Return the field whose prices are drawn, and the quotes with it."""
    field = "settle" if "settle" in answer.plan.fields else answer.plan.fields[0]
    has_sides = {"bid", "ask"} <= set(answer.plan.fields)
    if field == "settle" and has_sides and answer.frame["settle"].null_count() == answer.frame.height:
        return MID, _with_mid(answer.frame)
    return field, answer.frame


def _with_mid(frame: pl.DataFrame) -> pl.DataFrame:
    return frame if MID in frame.columns else frame.with_columns(price_of(MID).alias(MID))


def _one_day(answer: QuotesAnswer, *, parameter: str = "trade_date") -> date:
    span = answer.plan.span
    (product,) = answer.plan.products
    if span is None:
        raise InvalidParameters((parameter, f"{product.product.key} has no quotes to draw{_because(answer)}", None))
    if span.first is None or span.first != span.last:
        raise InvalidParameters(
            ("from", "a picture of quotes shows one trade date: send trade_date, or format json", str(span.first))
        )
    return span.first


def _check_priced(answer: QuotesAnswer, curve: Curve, day: date, field: str, *, parameter: str = "trade_date") -> None:
    if curve.layers:
        return
    (product,) = answer.plan.products
    why = answer.reason or f"none of its quotes on {day} has {field}"
    raise InvalidParameters((parameter, f"{product.product.key} has no price to draw: {why}", str(day)))
