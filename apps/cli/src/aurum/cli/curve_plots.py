"""``aurum curves plot``: pictures of curves, in the terminal or as files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from aurum.cli.curve_arguments import AsOf, CurrencyCode, Key, Kinds, Tenant, UnitText, curve_reading, trade_day
from aurum.cli.pictures import Height, Out, Width, picture_file, write_picture

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.charts import ForwardCurveChart, LineChart

_MARKERS = ("hd", "x", "o", "+", "*", "#", "%", "@", "s", "z", "v", "=")
"""Markers of curves and periods, of plotext: high resolution, then characters."""

_FEW_DATES = 5


def register(group: typer.Typer) -> None:
    """Add the command to ``aurum curves``."""
    group.command("plot")(plot)


def plot(
    context: typer.Context,
    key: Key,
    trade_date: Annotated[
        str | None, typer.Option("--trade-date", help="YYYY-MM-DD, latest or previous. Default: latest.")
    ] = None,
    vs: Annotated[str | None, typer.Option("--vs", help="An earlier trade date, or previous: its quotes as well.")] = None,
    period: Annotated[str | None, typer.Option(help="History of these periods instead, e.g. Q1-25,2025.")] = None,
    out: Out = None,
    kind: Kinds = None,
    as_of: AsOf = None,
    field: Annotated[
        str | None,
        typer.Option("--field", help="settle, bid, ask, mid, last ... Default: settle; mid of a curve without settlements."),
    ] = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    tenant: Tenant = "local",
    width: Width = None,
    height: Height = None,
) -> None:
    """Plot the quotes of a curve on a trade date, or delivery periods through the trade dates."""
    from aurum.cli.wiring import with_store
    from aurum.core.errors import InvalidParameters

    file = picture_file(out, width, height)
    if period is not None:
        for option, value in (("--vs", vs), ("--trade-date", trade_date)):
            if value is not None:
                raise InvalidParameters((option, "does not go with --period: leave one of them out", value))

    async def run(store: Store) -> ForwardCurveChart | LineChart:
        return await _chart(store, key, trade_date or "latest", vs, period, kind or (), as_of, field, unit, currency, tenant)

    chart = with_store(context.obj, run)
    if file is None:
        _show(chart)
    else:
        write_picture(chart, file)


async def _chart(
    store: Store,
    key: str,
    trade_date: str,
    vs: str | None,
    period: str | None,
    kinds: Sequence[str],
    as_of: str | None,
    field: str | None,
    unit: str | None,
    currency: str | None,
    tenant: str,
) -> ForwardCurveChart | LineChart:
    from aurum.services.curves import QuotesQuestion, charts, curve_of, plan_quotes, plan_reference, read_quotes

    reading = curve_reading(store, tenant)
    product = await curve_of(reading, key)
    question = QuotesQuestion(
        store.clock.now(),
        None if period is not None else trade_day(trade_date, "--trade-date"),
        as_of=as_of,
        kinds=kinds,
        periods=() if period is None else (period,),
        fields=() if field is None else (field,),
        unit=unit,
        currency=currency,
        default=None,
    )
    plan = await plan_quotes(reading, [product], question)
    answer = await read_quotes(reading, plan)
    if period is not None:
        return charts.history_chart(answer)
    if vs is None:
        return charts.quotes_chart(answer)
    earlier = await plan_reference(reading, plan, question, trade_day(vs, "--vs"), parameter="--vs")
    return charts.quotes_chart(answer, await read_quotes(reading, earlier))


def _show(chart: ForwardCurveChart | LineChart) -> None:
    """Print a chart on the terminal."""
    import plotext  # pyright: ignore[reportMissingTypeStubs] - ships no types

    from aurum.charts import ForwardCurveChart
    from aurum.charts.layers import uncovered
    from aurum.charts.paths import path_of, step_path

    if isinstance(chart, ForwardCurveChart):
        curves = [chart.curve, *([chart.reference] if chart.reference is not None else [])]
        strokes = [(curve.label, step_path(layer)) for curve in curves for layer in uncovered(curve.layers)]
    else:
        strokes = [(line.label, path_of(line, 200)) for line in chart.lines]
    plotext.clear_figure()
    plotext.date_form("Y-m-d")
    plotext.theme("clear")
    # Colours are lost in a pipe: each label has a marker of its own.
    labels = list(dict.fromkeys(label for label, _ in strokes))
    markers = {label: _MARKERS[place % len(_MARKERS)] for place, label in enumerate(labels)}
    named: set[str] = set()
    dates: set[str] = set()
    for label, (x, y) in strokes:
        shown = [(at, value) for at, value in zip(x.tolist(), y.tolist(), strict=True) if value == value]
        if shown:
            days = [datetime.fromtimestamp(at, ZoneInfo(chart.caption.zone)).strftime("%Y-%m-%d") for at, _ in shown]
            values = [value for _, value in shown]
            plotext.plot(days, values, marker=markers[label], label=None if label in named else label)
            named.add(label)
            dates.update(days)
    if len(dates) <= _FEW_DATES:  # plotext would show one of them several times
        plotext.xticks(sorted(dates))
    plotext.ylabel(chart.caption.unit)
    print(f"{chart.caption.title}  {chart.caption.subtitle}")  # plotext leaves out a title that is wider than the plot
    picture: str = plotext.build()
    print(picture if sys.stdout.isatty() else plotext.uncolorize(picture))
    print(chart.caption.footnote)
