"""``aurum curves spread`` and ``aurum curves templates``: margins and differences of curves."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import AsLoaded, AsOf, Tenant, curve_reading, number, trade_day
from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import choice, day_of, name_and_value
from aurum.cli.pictures import Height, Out, Width, picture_file, write_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.store import Store
    from aurum.core.curves.spread_factors import SpreadParameters
    from aurum.services.curves.spread_question import FxQuestion, LegQuestion
    from aurum.services.curves.spreads import SpreadAnswer

Legs = Annotated[
    list[str],
    typer.Option(
        "--leg",
        metavar="NAME=CURVE[@PERIOD]",
        help="A leg: power=power:DE:base:EEX, near=power:DE:base:EEX@Q1-25, or a price, as 'gas=40 EUR/MWh'.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter: efficiency=0.5, heat_rate=7, heating_value=HHV ..."),
]
Weights = Annotated[
    list[str] | None, typer.Option("--weight", metavar="NAME=NUMBER", help="Size of a leg; with its sign in a custom spread.")
]


def register(group: typer.Typer) -> None:
    """Add the commands to ``aurum curves``."""
    group.command("spread")(spread)
    group.command("templates")(list_templates)


def spread(
    context: typer.Context,
    template: Annotated[str, typer.Argument(help="Name of a template; see `aurum curves templates`.")],
    leg: Legs,
    period: Annotated[
        list[str] | None, typer.Option("--period", help="A delivery period, e.g. Q1-25 or 2025; may be repeated.")
    ] = None,
    parameter: Settings = None,
    weight: Weights = None,
    trade_date: Annotated[
        str, typer.Option("--trade-date", help="YYYY-MM-DD; latest, the newest with quotes of every leg; or previous.")
    ] = "latest",
    start: Annotated[str | None, typer.Option("--from", help="First trade date, in the place of --trade-date.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last trade date.")] = None,
    side: Annotated[str, typer.Option("--side", help="settle, bid, ask or mid.")] = "settle",
    alignment: Annotated[str, typer.Option("--alignment", help="flat_december, interpolate or period.")] = "flat_december",
    fx: Annotated[
        str, typer.Option("--fx", help="trade_date; a rate, as EURUSD=1.10; or the key of a curve of exchange rates.")
    ] = "trade_date",
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of the answer, e.g. USD/MWh.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Currency of the answer, e.g. EUR.")] = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    tenant: Tenant = "local",
    rows: Annotated[int, typer.Option("--rows", min=1, help="Most rows to show, from the end.")] = 36,
    out: Out = None,
    width: Width = None,
    height: Height = None,
    as_json: AsJson = False,
) -> None:
    """Show a spread, such as a clean spark, a dark, a crack or a calendar spread, with what each leg contributes."""
    from aurum.cli.wiring import with_store
    from aurum.core.curves.spreads import Alignment, SpreadSide
    from aurum.services.curves import LATEST
    from aurum.services.curves.spread_question import SpreadQuestion
    from aurum.services.curves.spreads import plan_spread, read_spread

    legs = _legs(leg, weight or [])
    is_span = start is not None or end is not None
    wanted = trade_day(trade_date, "--trade-date")
    file = picture_file(out, width, height, as_json=as_json)

    async def run(store: Store) -> SpreadAnswer:
        reading = curve_reading(store, tenant)
        question = SpreadQuestion(
            now=store.clock.now(),
            template=template,
            legs=legs,
            periods=tuple(period or ()),
            trade_date=None if is_span and wanted == LATEST else wanted,
            first=day_of(start, "--from"),
            last=day_of(end, "--to"),
            as_of=as_of,
            as_loaded=as_loaded,
            parameters=_parameters(parameter or []),
            alignment=choice(Alignment, alignment, "--alignment"),
            side=choice(SpreadSide, side, "--side"),
            unit=unit,
            currency=currency,
            fx=_exchange(fx),
        )
        return await read_spread(reading, await plan_spread(reading, question))

    answer = with_store(context.obj, run)
    if file is None:
        _show(answer, rows, as_json=as_json)
        return
    from aurum.services.curves.spread_chart import spread_chart

    write_picture(spread_chart(answer), file)


def list_templates(as_json: AsJson = False) -> None:
    """List the templates of spreads with their legs and parameters."""
    from aurum.cli.render import console, table
    from aurum.core.curves.spread_templates import default_spread_templates
    from aurum.services.curves.spread_facts import template_document

    templates = default_spread_templates()
    if as_json:
        print_json([template_document(one) for one in templates])
        return
    lines = [
        (one.name, ", ".join(leg.name for leg in one.legs) or "any", ", ".join(one.required) or "-", one.formula)
        for one in templates
    ]
    console().print(table(["template", "legs", "needs", "formula"], lines))


def _show(answer: SpreadAnswer, rows: int, *, as_json: bool) -> None:
    from aurum.cli.render import console, table
    from aurum.services.curves.spread_facts import notes_of, spread_facts

    facts = spread_facts(answer.plan)
    frame = answer.frame.hstack(answer.leg_documents()).tail(rows)
    names = [one.plan.factors.leg.name for one in answer.legs]
    shown = frame.rows(named=True)
    labels = [None if one is None else one.document() for one in answer.periods]
    if as_json:
        data = [
            {
                "trade_date": row["trade_date"],
                "period": labels[row["period"]],
                **{name: row[name] for name in ("value", "implied_heat_rate")},
                "legs": [row[name] for name in names],
                "reason": row["reason"],
            }
            for row in shown
        ]
        print_json(data, meta=facts, truncated=answer.frame.height > rows)
        return
    print(f"{facts['template']}  {facts['side']}  {facts['unit']}  {facts['formula']}")
    lines = [
        (
            row["trade_date"] or "",
            "" if (period := answer.periods[row["period"]]) is None else period.period.label,
            *(number(row[name]["contribution"]) for name in names),
            number(row["value"]),
            row["reason"] or "",
        )
        for row in shown
    ]
    columns = ["trade date", "period", *names, "value", "reason"]
    console().print(table(columns, lines, right=[*names, "value"]))
    for note in notes_of(answer.plan):
        print(note)
    if answer.frame.height > rows:
        print(f"only {rows} of {answer.frame.height:,} rows are shown: raise --rows for more")


def _legs(texts: Sequence[str], weights: Sequence[str]) -> dict[str, LegQuestion]:
    from aurum.core.errors import InvalidParameters
    from aurum.services.curves.spread_question import LegQuestion

    sizes = {name: _decimal(text, "--weight") for name, text in (name_and_value(one, "--weight") for one in weights)}
    legs: dict[str, LegQuestion] = {}
    for one in texts:
        name, text = name_and_value(one, "--leg")
        if name in legs:
            raise InvalidParameters(("--leg", f"{name} is named twice", one))
        first, _, unit = text.partition(" ")
        if ":" in text:
            key, _, period = text.partition("@")
            legs[name] = LegQuestion(key, period or None, weight=sizes.get(name))
        elif text.startswith("@"):
            legs[name] = LegQuestion(period=text[1:], weight=sizes.get(name))
        else:
            legs[name] = LegQuestion(value=_decimal(first, "--leg"), unit=unit or None, weight=sizes.get(name))
    for name in sizes:
        if name not in legs:
            raise InvalidParameters(("--weight", f"there is no leg {name}; the legs: {', '.join(legs)}", name))
    return legs


def _parameters(texts: Sequence[str]) -> SpreadParameters:
    from aurum.core.curves.spread_factors import HeatingValue, SpreadParameters
    from aurum.core.errors import InvalidParameters
    from aurum.core.names import nearest

    names = [one.name for one in fields(SpreadParameters)]
    values: dict[str, object] = {}
    for text in texts:
        name, value = name_and_value(text, "--set")
        if name not in names:
            raise InvalidParameters(("--set", f"must be among {', '.join(names)}", name), nearest=list(nearest(name, names)))
        if name.endswith("heating_value"):
            if value not in list(HeatingValue):
                raise InvalidParameters(("--set", f"{name} must be one of {', '.join(HeatingValue)}", value))
            values[name] = HeatingValue(value)
        else:
            values[name] = value if name.endswith("_unit") else _decimal(value, "--set")
    return SpreadParameters(**values)  # type: ignore[arg-type]


def _exchange(text: str) -> FxQuestion:
    from aurum.services.curves.spread_question import FxKind, FxQuestion

    if text == FxKind.TRADE_DATE:
        return FxQuestion()
    if "=" not in text:
        return FxQuestion(FxKind.CURVE, curve=text)
    pair, rate = name_and_value(text, "--fx")
    return FxQuestion(FxKind.RATE, rate=_decimal(rate, "--fx"), pair=pair)


def _decimal(text: str, option: str) -> float:
    from aurum.core.errors import InvalidParameters

    try:
        value = float(text)
    except ValueError:
        raise InvalidParameters((option, "must have a decimal number, such as 0.5", text)) from None
    if value - value != 0:
        raise InvalidParameters((option, "must have a finite number", text))
    return value
