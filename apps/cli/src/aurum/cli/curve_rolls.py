"""``aurum curves continuous``: a tenor through trade dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import (
    AsLoaded,
    AsOf,
    CurrencyCode,
    Field,
    Key,
    Roll,
    Tenant,
    UnitText,
    curve_reading,
    number,
)
from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import choice, day_of

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.curves.continuous import ContinuousAnswer


def register(group: typer.Typer) -> None:
    """Add the command to ``aurum curves``."""
    group.command("continuous")(show_continuous)


def show_continuous(
    context: typer.Context,
    key: Key,
    front: Annotated[str, typer.Option("--front", help="Tenor: M+1, Q+1, S+1, Y+1, W+1 ..., DA, WE, BOM or BOY.")] = "M+1",
    roll: Roll = "calendar",
    adjust: Annotated[str, typer.Option("--adjust", help="none, difference or ratio.")] = "none",
    field: Field = "price",
    first: Annotated[str | None, typer.Option("--from", help="First trade date, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last trade date, YYYY-MM-DD.")] = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    tenant: Tenant = "local",
    rows: Annotated[int, typer.Option("--rows", min=1, help="Most rows to show, the newest.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Show the price of a tenor through trade dates, with the rolls from contract to contract and the gaps at them."""
    from aurum.cli.wiring import with_store
    from aurum.core.curves.continuous import Adjust
    from aurum.services.curves import curve_of
    from aurum.services.curves.continuous import ContinuousQuestion, plan_continuous, read_continuous

    wanted = choice(Adjust, adjust, "--adjust")
    start, end = day_of(first, "--from"), day_of(last, "--to")

    async def run(store: Store) -> ContinuousAnswer:
        reading = curve_reading(store, tenant)
        question = ContinuousQuestion(
            store.clock.now(), front, roll, wanted, field, start, end, as_of, as_loaded, unit, currency
        )
        return await read_continuous(reading, await plan_continuous(reading, await curve_of(reading, key), question))

    answer = with_store(context.obj, run)
    if as_json:
        _print_document(answer, rows)
    else:
        _print_series(answer, rows)


def _print_document(answer: ContinuousAnswer, rows: int) -> None:
    plan = answer.plan
    print_json(
        [{**row, "period": answer.periods[row["period"]].document()} for row in answer.frame.tail(rows).rows(named=True)],
        curve=str(plan.product.product.key),
        unit=plan.conversions.unit_of(plan.product)[0],
        front=str(plan.tenor),
        roll=str(plan.rule),
        adjust=str(plan.question.adjust),
        field=plan.question.field,
        summary=answer.summary(),
        rolls=[one.document() for one in answer.rolls],
        missing=answer.missing,
        missing_sessions=answer.sessions,
        truncated=answer.frame.height > rows,
    )


def _print_series(answer: ContinuousAnswer, rows: int) -> None:
    from aurum.cli.render import console, table

    plan, height, out = answer.plan, answer.frame.height, console()
    shown_unit, _ = plan.conversions.unit_of(plan.product)
    out.print(f"{plan.product.product.key}  {plan.tenor}  {shown_unit}  roll {plan.rule}  adjust {plan.question.adjust}")
    lines = [
        (
            row["trade_date"],
            answer.periods[row["period"]].period.label,
            *(number(row[name]) for name in _SHOWN),
            row["reason"] or "",
        )
        for row in answer.frame.tail(rows).rows(named=True)
    ]
    out.print(table(["trade date", "contract", *_SHOWN, "reason"], lines, right=_SHOWN))
    if height > rows:
        print(f"only {rows} of {height:,} rows are shown: raise --rows for more")
    rolled = [
        (one.date, one.last, one.old.period.label, one.new.period.label, *map(number, (one.old_price, one.new_price, one.gap)))
        for one in answer.rolls
    ]
    if rolled:
        out.print(table(["roll", "last session", "from", "to", *_GAPS], rolled, right=_GAPS))
    made = answer.series
    print(
        f"{made.points} prices, {len(rolled)} rolls; change {number(made.naive)}, of the held contract {number(made.held)}, "
        f"gaps {number(made.gaps)}"
    )
    if (reason := answer.summary()["reason"]) is not None:
        print(reason)
    for why, days_without in answer.missing.items():
        print(f"trade dates without a price ({why}): {days_without.count}; the newest {days_without.newest[0]}")
    if answer.sessions is not None and answer.sessions.count:
        print(f"sessions without any quote: {answer.sessions.count}; the newest {answer.sessions.newest[0]}")


_SHOWN = ("price", "value", "move")
_GAPS = ("old price", "new price", "gap")
