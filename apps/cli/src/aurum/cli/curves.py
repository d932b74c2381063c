"""``aurum curves``: forward curves, their quotes and how they moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import (
    AsLoaded,
    AsOf,
    CurrencyCode,
    Earlier,
    Field,
    Key,
    Keys,
    Kinds,
    Later,
    Tenant,
    TradeDate,
    UnitText,
    curve_reading,
    number,
    trade_day,
)
from aurum.cli.curve_builds import register as register_builds
from aurum.cli.curve_derived import register as register_derived
from aurum.cli.curve_explain import register as register_explain
from aurum.cli.curve_files import register as register_files
from aurum.cli.curve_plots import register as register_plots
from aurum.cli.curve_rolls import register as register_rolls
from aurum.cli.curve_sets import app as sets_app
from aurum.cli.curve_spreads import register as register_spreads
from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from datetime import date

    from aurum.assembly.store import Store
    from aurum.services.curves import CurvesPage, DiffAnswer, QuotesAnswer
    from aurum.services.curves.sparklines import Sparkline
    from aurum.storage.ports.curves import StoredProduct

app = typer.Typer(help="Forward curves: products, quotes, strips and builds.", no_args_is_help=True)
register_builds(app)
register_derived(app)
register_explain(app)
register_files(app)
register_rolls(app)
app.add_typer(sets_app, name="sets")
register_spreads(app)
register_plots(app)


@app.command("list")
def list_curves(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="Words that the key or the title must have.")] = None,
    commodity: Annotated[str | None, typer.Option(help="power, gas, oil ...")] = None,
    area: Annotated[str | None, typer.Option()] = None,
    block: Annotated[str | None, typer.Option(help="base, peak ...")] = None,
    venue: Annotated[str | None, typer.Option(help="EEX, NYMEX ...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also products without quotes.")] = False,
    tenant: Tenant = "local",
    limit: Annotated[int, typer.Option(min=1)] = 50,
    sparkline: Annotated[
        bool, typer.Option("--sparkline", help="Also the price of the front month over the last 30 trade dates.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the curves that have quotes, ascending by key."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.curves import curves_page
    from aurum.services.curves.sparklines import sparklines
    from aurum.storage.ports.curves import ProductFilter

    criteria = ProductFilter(commodity, area, block, venue, text, quoted=not everything)

    async def run(store: Store) -> tuple[CurvesPage, Mapping[int, Sparkline]]:
        reading = curve_reading(store, tenant)
        page = await curves_page(reading, criteria, after=None, limit=limit)
        return page, await sparklines(reading, page.products[:limit]) if sparkline else {}

    page, lines = with_store(context.obj, run)
    products = page.products[:limit]
    if as_json:
        print_json([_document(one) | _line_document(lines, one, wanted=sparkline) for one in products], facets=page.facets)
        return
    rows = [
        (
            str(one.product.key),
            one.product.title,
            one.product.unit,
            _day(one.first_trade_date),
            _day(one.last_trade_date),
            *([_blocks(lines, one)] if sparkline else []),
        )
        for one in products
    ]
    console().print(table(["key", "title", "unit", "first", "last", *(["front"] if sparkline else [])], rows))
    if len(page.products) > limit:
        print(f"only the first {limit} curves are shown: raise --limit for more")


@app.command("show")
def show(
    context: typer.Context,
    key: Key,
    trade_date: TradeDate = "latest",
    kind: Kinds = None,
    period: Annotated[str | None, typer.Option(help="History of this delivery period instead, e.g. Q1-25 or 2025.")] = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    tenant: Tenant = "local",
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the quotes of a curve on a trade date, or one delivery period through the trade dates."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.curves import QuotesQuestion, curve_of, plan_quotes, read_quotes

    wanted = trade_day(trade_date, "--trade-date")

    async def run(store: Store) -> QuotesAnswer:
        reading = curve_reading(store, tenant)
        question = QuotesQuestion(
            store.clock.now(),
            None if period is not None else wanted,
            as_of=as_of,
            as_loaded=as_loaded,
            kinds=kind or (),
            periods=() if period is None else (period,),
            unit=unit,
            currency=currency,
            default=None,
        )
        plan = await plan_quotes(reading, [await curve_of(reading, key)], question)
        return await read_quotes(reading, plan)

    answer = with_store(context.obj, run)
    (product,) = answer.plan.products
    shown_unit, _ = answer.plan.conversions.unit_of(product)
    frame = answer.frame.tail(rows) if period is not None else answer.frame.head(rows)
    named = frame.rows(named=True)
    if as_json:
        data = [{**row, "period": answer.periods[row["period"]].document()} for row in named]
        data = [{name: value for name, value in row.items() if name != "curve_id"} for row in data]
        more = {} if answer.reason is None else {"reason": answer.reason}
        print_json(data, curve=_document(product), unit=shown_unit, truncated=answer.frame.height > rows, **more)
        return
    out = console()
    out.print(f"{key}  {product.product.title}  {shown_unit}  version {product.version}")
    lines = [
        (row["trade_date"], answer.periods[row["period"]].period.label, *(number(row[name]) for name in _SHOWN))
        for row in named
    ]
    if answer.reason is not None:
        print(answer.reason)
        return
    out.print(table(["trade date", "period", *_SHOWN], lines, right=_SHOWN))
    if answer.frame.height > rows:
        print(f"only {rows} of {answer.frame.height:,} rows are shown: raise --rows for more")


@app.command("diff")
def diff(
    context: typer.Context,
    curves: Keys,
    a: Earlier = "previous",
    b: Later = "latest",
    field: Field = "price",
    kind: Kinds = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    tenant: Tenant = "local",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what moved most between two trade dates, by delivery period."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves import DiffQuestion, curves_of, plan_diff, read_diff

    earlier, later = trade_day(a, "--a"), trade_day(b, "--b")

    async def run(store: Store) -> DiffAnswer:
        reading = curve_reading(store, tenant)
        question = DiffQuestion(
            store.clock.now(),
            earlier,
            later,
            field=field,
            as_of=as_of,
            as_loaded=as_loaded,
            kinds=kind or (),
            unit=unit,
            currency=currency,
            limit=limit,
        )
        plan = await plan_diff(reading, await curves_of(reading, curves), question)
        return await read_diff(reading, plan)

    answer = with_store(context.obj, run)
    if as_json:
        _print_move_documents(answer)
    else:
        _print_moves(answer)


def _print_move_documents(answer: DiffAnswer) -> None:
    plan, keys = answer.plan, _keys(answer)
    data = [
        {
            "curve": keys[row["curve_id"]],
            "period": answer.periods[row["period"]].document(),
            **{name: row[name] for name in ("a", "b", "move", "relative", "status", "a_from", "b_from")},
        }
        for row in answer.frame.rows(named=True)
    ]
    more = {} if answer.reason is None else {"reason": answer.reason}
    print_json(data, a=plan.a, b=plan.b, field=plan.question.field, total=answer.total, **more)


def _print_moves(answer: DiffAnswer) -> None:
    from aurum.cli.render import console, table

    plan, keys = answer.plan, _keys(answer)
    out = console()
    out.print(f"{plan.question.field}: {_day(plan.a)} to {_day(plan.b)}")
    if answer.reason is not None:
        print(answer.reason)
    lines = [
        (
            keys[row["curve_id"]],
            answer.periods[row["period"]].period.label,
            *(number(row[name]) for name in ("a", "b", "move")),
            row["status"],
        )
        for row in answer.frame.rows(named=True)
    ]
    if answer.mids:
        named_mids = ", ".join(f"{keys[curve_id]} {label}" for curve_id, label in answer.mids)
        out.print(f"no settlement, so the mean of bid and ask: {named_mids}")
    out.print(table(["curve", "period", "a", "b", "move", "status"], lines, right=["a", "b", "move"]))
    if answer.total > answer.frame.height:
        print(f"only {answer.frame.height} of {answer.total:,} rows are shown: raise --limit for more")


def _keys(answer: DiffAnswer) -> Mapping[int, str]:
    return {one.curve_id: str(one.product.key) for one in answer.plan.products}


_SHOWN = ("settle", "bid", "ask", "volume_mwh", "open_interest")


def _document(stored: StoredProduct) -> dict[str, object]:
    return {
        **stored.product.to_document(),
        "owner": "shared" if stored.tenant is None else "tenant",
        "version": stored.version,
        "first_trade_date": stored.first_trade_date,
        "last_trade_date": stored.last_trade_date,
    }


def _line_document(lines: Mapping[int, Sparkline], stored: StoredProduct, *, wanted: bool) -> dict[str, object]:
    from aurum.services.curves.sparklines import NO_SPARKLINE

    if not wanted:
        return {}
    line = lines.get(stored.curve_id, NO_SPARKLINE)
    return {"sparkline": {"first": line.first, "last": line.last, "points": line.points, "svg": line.svg}}


def _blocks(lines: Mapping[int, Sparkline], stored: StoredProduct) -> str:
    from aurum.charts.sparkline import sparkline_blocks
    from aurum.services.curves.sparklines import NO_SPARKLINE

    return sparkline_blocks(lines.get(stored.curve_id, NO_SPARKLINE).points)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
