"""``aurum curves explain``: what changed the tenors of curves between two trade dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import (
    AsLoaded,
    CurrencyCode,
    Earlier,
    Field,
    Keys,
    Later,
    Roll,
    Tenant,
    UnitText,
    curve_reading,
    number,
    trade_day,
)
from aurum.cli.json_output import AsJson, print_json
from aurum.cli.pictures import Height, Out, Width, picture_file, write_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.store import Store
    from aurum.services.curves.explain import CurveChanges, ExplainAnswer


def register(group: typer.Typer) -> None:
    """Add the command to ``aurum curves``."""
    group.command("explain")(explain)


def explain(
    context: typer.Context,
    curves: Keys,
    a: Earlier = "previous",
    b: Later = "latest",
    as_of_a: Annotated[
        str | None,
        typer.Option("--as-of-a", help="Prices of a as known at this time. Default: before those of the next trade date were."),
    ] = None,
    as_of_b: Annotated[str | None, typer.Option("--as-of-b", help="All other prices as known at this time (UTC).")] = None,
    as_loaded: AsLoaded = None,
    roll: Roll = "calendar",
    field: Field = "price",
    unit: UnitText = None,
    currency: CurrencyCode = None,
    tenant: Tenant = "local",
    out: Out = None,
    width: Width = None,
    height: Height = None,
    as_json: AsJson = False,
) -> None:
    """Explain the change of each tenor: moves of the held contract, rolls, corrections, and other methods."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves import curves_of
    from aurum.services.curves.explain import ExplainQuestion, plan_explain, read_explain

    file = picture_file(out, width, height, as_json=as_json)
    earlier, later = trade_day(a, "--a"), trade_day(b, "--b")

    async def run(store: Store) -> ExplainAnswer:
        reading = curve_reading(store, tenant)
        question = ExplainQuestion(store.clock.now(), earlier, later, as_of_a, as_of_b, as_loaded, roll, field, unit, currency)
        return await read_explain(reading, await plan_explain(reading, await curves_of(reading, curves), question))

    answer = with_store(context.obj, run)
    if file is not None:
        from aurum.services.curves.explain_chart import explain_chart

        write_picture(explain_chart(answer), file)
        return
    if as_json:
        _print_documents(answer)
        return
    for one in answer.curves:
        _print_changes(answer, one)


def _print_documents(answer: ExplainAnswer) -> None:
    from aurum.core.curves.explain import COMPONENTS

    plan = answer.plan
    data = [
        {
            "bucket": str(one.tenor),
            "from": {"period": one.start.document(), "price": start.price, "method": start.method},
            "to": {"period": one.end.document(), "price": end.price, "method": end.method},
            **{name: None if parts is None else parts.numbers()[name] for name in COMPONENTS},
            "total": one.explained.total,
            "rolls": len(one.rolls),
            "reason": one.explained.reason,
            "curve": str(product.product.key),
        }
        for product, one in answer.changes
        for start, end, parts in [(one.explained.start, one.explained.end, one.explained.components)]
    ]
    curves = [
        {"curve": str(key), "unit": plan.conversions.unit_of(one.product)[0], "as_of_a": one.then.as_of, "mids": one.mids}
        for one in answer.curves
        for key in [one.product.product.key]
    ]
    print_json(
        data,
        **(curves[0] if len(curves) == 1 else {}),
        curves=curves,
        a=plan.span.a,
        b=plan.span.b,
        as_of_b=plan.span.known.as_of,
        roll=str(plan.curves[0].rule),
        field=plan.question.field,
        **({} if answer.reason is None else {"reason": answer.reason}),
    )


def _print_changes(answer: ExplainAnswer, one: CurveChanges) -> None:
    from aurum.cli.render import console, table
    from aurum.core.curves.explain import COMPONENTS

    plan, out = answer.plan, console()
    known = "now" if one.then.as_of is None else f"{one.then.as_of:%Y-%m-%dT%H:%M:%SZ}"
    unit, _ = plan.conversions.unit_of(one.product)
    if answer.reason is not None:
        print(f"{one.product.product.key}: {answer.reason}")
        return
    out.print(f"{one.product.product.key}  {plan.question.field}  {unit}  {plan.span.a} as known {known}, to {plan.span.b}")
    lines: Sequence[tuple[str, ...]] = [
        (
            str(each.tenor),
            each.start.period.label,
            number(each.explained.start.price),
            each.end.period.label,
            number(each.explained.end.price),
            *([""] * len(COMPONENTS) if parts is None else [number(parts.numbers()[name]) for name in COMPONENTS]),
            number(each.explained.total),
            each.explained.reason or "",
        )
        for each in one.changes
        for parts in [each.explained.components]
    ]
    names = [name.replace("_", " ") for name in COMPONENTS]
    numbers = ["price a", "price b", *names, "total"]
    if one.mids:
        out.print(f"no settlement, so the mean of bid and ask: {', '.join(one.mids)}")
    out.print(table(["tenor", "from", "price a", "to", "price b", *names, "total", "reason"], lines, right=numbers))
