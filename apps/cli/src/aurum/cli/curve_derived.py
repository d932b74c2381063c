"""``aurum curves derived``: curves whose quotes are computed from those of other curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import curve_reading
from aurum.cli.json_input import read_json
from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import day_of

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.storage.ports.derived_curves import DerivedCurve

app = typer.Typer(help="Curves that are computed from others.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(help="Id or key of the derived curve.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Tenant to which the curve belongs.")]
Shared = Annotated[bool, typer.Option("--shared", help="A curve that belongs to all, and not to the tenant.")]

_PAGE = 1_000


def register(group: typer.Typer) -> None:
    """Add the commands to ``aurum curves``."""
    group.add_typer(app, name="derived")


@app.command("list")
def list_derived(context: typer.Context, tenant: Tenant = "local", as_json: AsJson = False) -> None:
    """List the shared derived curves and those of a tenant, ascending by key, with their state."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.curves.expressions import inputs_of, read_expression

    async def run(store: Store) -> Sequence[DerivedCurve]:
        return await _all(store, tenant)

    curves = with_store(context.obj, run)
    if as_json:
        print_json([_document(one) for one in curves])
        return
    rows = [
        (one.key, str(one.state), _moment(one), ", ".join(inputs_of(read_expression(one.expression))), one.derived_id)
        for one in curves
    ]
    console().print(table(["key", "state", "built at", "inputs", "id"], rows))


@app.command("show")
def show(context: typer.Context, curve: Named, tenant: Tenant = "local", as_json: AsJson = False) -> None:
    """Show a derived curve: its expression, its state with what made it stale, and the report of its last build."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.derived import stale_inputs

    async def run(store: Store) -> DerivedCurve:
        return await _named(store, curve, tenant)

    shown = with_store(context.obj, run)
    if as_json:
        print_json(_document(shown))
        return
    print(f"{shown.key}  {shown.state}  built {_moment(shown) or 'never'}  id {shown.derived_id}")
    print(json.dumps(shown.expression))
    for one in stale_inputs(shown):
        changed = "the terms" if one.trade_dates is None else f"{one.trade_dates} trade dates"
        within = "" if one.first is None else f", {one.first} to {one.last}"
        print(f"stale: {changed} of {one.key} changed{within}, since {one.since}")
    if shown.waits_for:
        print(f"waits for: {', '.join(shown.waits_for)}")
    if shown.error:
        print(f"failed: {shown.error}")
    for name, value in (shown.report or {}).items():
        print(f"  {name}: {json.dumps(value)}")


@app.command("add")
def add(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of the new curve, e.g. power:DE:base:DESK.")],
    expression: Annotated[
        str, typer.Argument(help='JSON, e.g. \'{"op": "shift", "curve": "power:DE:base:EEX", "by": 1}\'; @FILE reads it.')
    ],
    title: Annotated[str | None, typer.Option(help="Title of its product.")] = None,
    tick: Annotated[float | None, typer.Option(min=0, help="Smallest step of a price. Default: by the first input.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First trade date, YYYY-MM-DD.")] = None,
    tenant: Tenant = "local",
    shared: Shared = False,
) -> None:
    """Add a derived curve, and build it at once unless its inputs have many quotes. If that build fails nothing is added."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.derived import NewDerived, add_derived

    new = NewDerived(key, read_json("expression", expression), title, tick, day_of(first, "--from"))

    async def run(store: Store) -> DerivedCurve:
        from aurum.storage.ports.access import Actor

        return await add_derived(
            store.transactions,
            store.derived_curves,
            curve_reading(store, tenant),
            store.files.loader,
            new,
            tenant=None if shared else tenant,
            by=Actor("operator"),
            now=store.clock.now(),
        )

    _tell(with_store(context.obj, run))


@app.command("rebuild")
def rebuild(context: typer.Context, curve: Named, tenant: Tenant = "local") -> None:
    """Compute all trade dates of a derived curve now. What did not change is not stored again."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.derived import build_derived

    async def run(store: Store) -> DerivedCurve:
        from aurum.storage.ports.access import Actor

        named = await _named(store, curve, tenant)
        return await build_derived(
            store.transactions,
            store.derived_curves,
            curve_reading(store, tenant),
            store.files.loader,
            named.derived_id,
            tenant=named.tenant,
            by=Actor("operator"),
            whole=True,
        )

    _tell(with_store(context.obj, run))


@app.command("remove")
def remove(context: typer.Context, curve: Named, tenant: Tenant = "local") -> None:
    """End the derivation of a curve. Its quotes stay, and the title of its product says until when they were derived."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.derived import remove_derived

    async def run(store: Store) -> DerivedCurve:
        from aurum.storage.ports.access import Actor

        named = await _named(store, curve, tenant)
        return await remove_derived(
            store.transactions,
            store.derived_curves,
            curve_reading(store, tenant),
            named.derived_id,
            tenant=named.tenant,
            by=Actor("operator"),
            now=store.clock.now(),
        )

    print(f"{with_store(context.obj, run).key} is not derived any more; its quotes stay")


def _tell(curve: DerivedCurve) -> None:
    report = curve.report or {}
    if curve.error:
        print(f"{curve.key} {curve.state}: {curve.error}  id {curve.derived_id}")
        raise typer.Exit(1)
    names = ("new", "revised", "withdrawn", "unchanged", "left_out")
    counts = ", ".join(f"{report[name]} {name.replace('_', ' ')}" for name in names if name in report)
    print(f"{curve.key} {curve.state}: {counts or 'a job builds it'}  id {curve.derived_id}")


async def _all(store: Store, tenant: str) -> Sequence[DerivedCurve]:
    curves: list[DerivedCurve] = []
    while page := await store.derived_curves.page(tenant=tenant, after=curves[-1].key if curves else None, limit=_PAGE):
        curves += page
    return curves


async def _named(store: Store, text: str, tenant: str) -> DerivedCurve:
    """Return the derived curve with an id or a key, of a tenant or shared. Raises ``UnknownDerivedCurve``."""
    if ":" in text:
        named = [one for one in await _all(store, tenant) if one.key == text]
        if named:
            return named[0]
    return await store.derived_curves.curve(text, tenant=tenant)


def _document(curve: DerivedCurve) -> Mapping[str, object]:
    from aurum.services.curves.derived import stale_inputs

    return {
        "derived_id": curve.derived_id,
        "key": curve.key,
        "owner": "shared" if curve.tenant is None else "tenant",
        "expression": curve.expression,
        "first_trade_date": curve.first,
        "state": str(curve.state),
        "inputs": [{"curve": one.key, "built_version": one.version} for one in curve.inputs],
        "stale": [
            {"curve": one.key, "trade_dates": one.trade_dates, "first": one.first, "last": one.last, "since": one.since}
            for one in stale_inputs(curve)
        ],
        "waits_for": list(curve.waits_for),
        "error": curve.error or None,
        "failed_at": curve.failed_at,
        "built_at": curve.built_at,
        "report": curve.report,
        "created_at": curve.created_at,
        "created_by": curve.created_by,
    }


def _moment(curve: DerivedCurve) -> str:
    return "" if curve.built_at is None else f"{curve.built_at:%Y-%m-%d %H:%M:%S}"
