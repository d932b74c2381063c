"""``aurum curves build`` and ``aurum curves shape``: curves made from quotes."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import Key, Tenant, curve_reading, trade_day
from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import choice, day_of

if TYPE_CHECKING:
    from datetime import date

    from aurum.assembly.store import Store
    from aurum.services.curves.build_answer import BuildAnswer
    from aurum.services.curves.build_question import InlineQuote, Prior, Wave

TradeDate = Annotated[
    str, typer.Option("--trade-date", help="Session of the quotes: a date, latest or previous; of quotes you pass: their date.")
]
Quotes = Annotated[
    list[str] | None,
    typer.Option("--quote", metavar="PERIOD=PRICE", help="A quote that takes the place of the stored ones; may be repeated."),
]
Together = Annotated[
    list[str] | None, typer.Option("--together", help="Key of a curve of another block, built on the same grid.")
]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Quotes and spot prices as they were known at this time (UTC).")]
ShapeName = Annotated[
    str | None, typer.Option("--shape", help="Name of a shape; without it, learned from the spot prices of the product.")
]
ProfileName = Annotated[str, typer.Option("--profile", help="auto, multiplicative or additive.")]
Rows = Annotated[int, typer.Option("--rows", min=1, help="Most rows to show, from the start.")]


_OF_BUILD = (
    "trade_date", "quote", "together", "period", "grid", "objective", "prior_curve", "prior_shape", "prior_season", "profile",
    "shape", "in_delivery", "extrapolate", "strict", "as_of",
)  # fmt: skip
"""Options of a build, which its receipt has."""


def register(group: typer.Typer) -> None:
    """Add the commands to ``aurum curves``."""
    group.command("build")(build_curve)
    group.command("shape")(show_shape)


def build_curve(
    context: typer.Context,
    key: Key,
    trade_date: TradeDate = "latest",
    quote: Quotes = None,
    together: Together = None,
    period: Annotated[
        list[str] | None, typer.Option("--period", help="A period whose price to show. Default: the months of the curve.")
    ] = None,
    grid: Annotated[str, typer.Option("--grid", help="P1D, PT1H, PT30M or PT15M.")] = "P1D",
    objective: Annotated[str, typer.Option("--objective", help="smooth, flat or shape.")] = "smooth",
    prior_curve: Annotated[
        str | None, typer.Option("--prior-curve", help="Key of a curve; the difference of the answer from it is smooth.")
    ] = None,
    prior_shape: Annotated[str | None, typer.Option("--prior-shape", help="Name of a shape, used like --prior-curve.")] = None,
    prior_season: Annotated[
        str | None,
        typer.Option(
            "--prior-season",
            metavar="AMPLITUDE@DAY",
            help="A yearly wave with its peak on this day of the year, used like --prior-curve: 10@15.",
        ),
    ] = None,
    profile: ProfileName = "auto",
    shape: ShapeName = None,
    in_delivery: Annotated[str, typer.Option("--in-delivery", help="exclude or net_realised.")] = "exclude",
    extrapolate: Annotated[str, typer.Option("--extrapolate", help="none, flat or trend.")] = "none",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse quotes that contradict each other.")] = False,
    as_of: AsOf = None,
    tenant: Tenant = "local",
    receipt: Annotated[Path | None, typer.Option("--receipt", help="File that gets the receipt of the build.")] = None,
    repeat: Annotated[
        Path | None,
        typer.Option("--repeat", help="Receipt of an earlier build to repeat; no option of the build goes with it."),
    ] = None,
    rows: Rows = 36,
    as_json: AsJson = False,
) -> None:
    """Build a curve that reprices its quotes: the prices of its months, and what its quotes say of each other."""
    from aurum.cli.wiring import with_store
    from aurum.core.curves.build import Objective
    from aurum.core.curves.grids import Resolution
    from aurum.core.curves.layers import Extrapolate
    from aurum.core.curves.shapes import Profile
    from aurum.services.curves import build as builds
    from aurum.services.curves.build_question import BuildQuestion, InDelivery
    from aurum.services.curves.receipts import parse_receipt
    from aurum.services.observations import parse_as_of

    if repeat is not None:
        _check_alone(context)
    question = BuildQuestion(
        curve=key,
        together=tuple(together or ()),
        trade_date=_session(trade_date),
        quotes=None if not quote else tuple(map(_quote, quote)),
        as_of=parse_as_of(as_of),
        grid=choice(Resolution, grid, "--grid"),
        objective=choice(Objective, objective, "--objective"),
        prior=_prior(prior_curve, prior_shape, prior_season),
        profile=choice(Profile, profile, "--profile"),
        shape=shape,
        in_delivery=choice(InDelivery, in_delivery, "--in-delivery"),
        extrapolate=choice(Extrapolate, extrapolate, "--extrapolate"),
        strict=strict,
        periods=tuple(period or ()),
    )

    async def run(store: Store) -> BuildAnswer:
        reading = curve_reading(store, tenant)
        if repeat is not None:
            return await builds.repeat(reading, parse_receipt(repeat.read_bytes()))
        return await builds.build(reading, question)

    answer = with_store(context.obj, run)
    if receipt is not None:
        receipt.write_text(answer.receipt.model_dump_json(indent=2) + "\n", encoding="utf-8")
    documents = answer.documents(("periods", "report", "receipt"))
    if as_json:
        print_json(documents["periods"], report=documents["report"], receipt=documents["receipt"], meta=answer.meta())
    else:
        _print_build(answer, rows)


def _check_alone(context: typer.Context) -> None:
    """Refuse options of a build beside a receipt, which has them all. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    for name in _OF_BUILD:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            option = f"--{name.replace('_', '-')}"
            why = "does not go with --repeat: the receipt has the whole question"
            raise InvalidParameters((option, why, str(context.params[name])))


def show_shape(
    context: typer.Context,
    key: Key,
    start: Annotated[str | None, typer.Option("--from", help="First delivery day. Default: that of the curve.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Delivery day to end before. Default: the end of the curve.")] = None,
    resolution: Annotated[str, typer.Option("--resolution", help="PT1H, PT30M or PT15M.")] = "PT1H",
    trade_date: TradeDate = "latest",
    quote: Quotes = None,
    together: Together = None,
    shape: ShapeName = None,
    profile: ProfileName = "auto",
    as_of: AsOf = None,
    tenant: Tenant = "local",
    rows: Rows = 48,
    as_json: AsJson = False,
) -> None:
    """Show the hourly price-forward curve: the quotes with the daily and weekly profile of the spot prices."""
    from aurum.cli.wiring import with_store
    from aurum.core.curves.build import Objective
    from aurum.core.curves.grids import Resolution
    from aurum.core.curves.shapes import Profile
    from aurum.services.curves import build as builds
    from aurum.services.curves.build_question import BuildQuestion
    from aurum.services.observations import parse_as_of

    question = BuildQuestion(
        curve=key,
        together=tuple(together or ()),
        trade_date=_session(trade_date),
        quotes=None if not quote else tuple(map(_quote, quote)),
        as_of=parse_as_of(as_of),
        grid=choice(Resolution, resolution, "--resolution"),
        objective=Objective.SHAPE,
        profile=choice(Profile, profile, "--profile"),
        shape=shape,
        first=day_of(start, "--from"),
        end=day_of(end, "--to"),
    )
    answer = with_store(context.obj, lambda store: builds.build(curve_reading(store, tenant), question))
    frame = answer.cells()
    if as_json:
        print_json(frame.head(rows).to_dicts(), meta=answer.meta(), truncated=frame.height > rows)
        return
    from aurum.cli.render import console, table

    out = console()
    out.print(_title(answer))
    zone = answer.terms[0].calendar.zone
    shown = frame.head(rows)
    local = shown.with_columns(shown["start"].dt.convert_time_zone(zone).dt.to_string("%Y-%m-%d %H:%M %Z"))
    names = [name for name in local.columns if name != "end"]
    out.print(table(names, [[row[0], *map(_price, row[1:])] for row in local.select(names).rows()], right=names[1:]))
    _print_rest(frame.height, rows)


def _print_build(answer: BuildAnswer, rows: int) -> None:
    from aurum.cli.render import console, table

    out = console()
    report, quotes = answer.built.report, answer.built.quotes
    out.print(_title(answer))
    lines = [
        (one.period.label, one.block, str(one.period.first), str(one.period.end), f"{one.hours:g}", _price(one.value))
        for one in answer.periods[:rows]
    ]
    out.print(table(["period", "block", "first", "end", "hours", "price"], lines, right=["hours", "price"]))
    _print_rest(len(answer.periods), rows)
    print(
        f"{report.quotes} quotes, {len(report.independent)} independent, {len(report.rounding)} within rounding, "
        f"{len(report.contradictions)} contradictions; largest error {report.max_abs_error:.1e}"
    )
    for one in report.contradictions:
        by = ", ".join(f"{quotes[place].label} ({weight:g})" for place, weight in one.implied_by)
        print(
            f"{quotes[one.quote].label} at {one.price:g} contradicts {by}, which imply {one.implied:.6g}: {one.residual:+.6g}"
        )
    if answer.forward.excluded:
        print(f"in delivery, left out: {', '.join(one.label for one in answer.forward.excluded)}")
    if answer.forward.without_hours:
        print(f"without hours of their block, left out: {', '.join(one.label for one in answer.forward.without_hours)}")


def _title(answer: BuildAnswer) -> str:
    meta = answer.meta()
    parts = (meta["curve"] or meta["calendar"], meta["trade_date"], meta["unit"], meta["grid"], meta["objective"])
    return "  ".join(str(part) for part in parts if part is not None)


def _print_rest(count: int, rows: int) -> None:
    if count > rows:
        print(f"only {rows} of {count:,} rows are shown: raise --rows for more")


def _price(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:,.4f}".rstrip("0").rstrip(".")


def _quote(text: str) -> InlineQuote:
    from aurum.core.errors import InvalidParameters
    from aurum.services.curves.build_question import InlineQuote

    period, separator, price = text.rpartition("=")
    try:
        if separator and period:
            return InlineQuote(float(price), period)
    except ValueError:
        pass
    raise InvalidParameters(("--quote", "write it as PERIOD=PRICE, for example Q1-25=98.31", text))


def _prior(curve: str | None, shape: str | None, season: str | None) -> Prior | None:
    """Return the prior that one of three options names; None without one. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters
    from aurum.services.curves.build_question import Prior

    options = {"--prior-curve": curve, "--prior-shape": shape, "--prior-season": season}
    named = {option: text for option, text in options.items() if text is not None}
    if len(named) > 1:
        raise InvalidParameters(
            *((option, "a build has one prior: give one of these options", text) for option, text in named.items())
        )
    if season is not None:
        return Prior(season=_wave(season))
    return Prior(curve=curve, shape=shape) if named else None


def _wave(text: str) -> Wave:
    from aurum.core.errors import InvalidParameters
    from aurum.services.curves.build_question import Wave

    amplitude, _, day = text.partition("@")
    try:
        wave = Wave(float(amplitude), float(day))
    except ValueError:
        wave = None
    if wave is None or not isfinite(wave.amplitude) or not 0 <= wave.peak_day <= 366:
        why = "write it as AMPLITUDE@DAY: an amplitude in the unit of the curve and a day of the year up to 366, such as 10@15"
        raise InvalidParameters(("--prior-season", why, text))
    return wave


def _session(text: str) -> date | str | None:
    """Return the date of the option, ``previous``, or None for the last one with quotes."""
    from aurum.services.curves import LATEST

    return None if text == LATEST else trade_day(text, "--trade-date")
