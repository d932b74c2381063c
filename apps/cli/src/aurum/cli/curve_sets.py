"""``aurum curves sets``: curves that a desk marks together, from draft to official.

The command works on the store as its operator, who is not a known person: sets that the operator submits cannot be approved,
and the operator cannot approve. With an API key in the variable AURUM_KEY it acts as that key, with its scopes and its owner.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aurum.cli.curve_arguments import Keys, curve_reading, number, trade_day
from aurum.cli.json_output import AsJson, plain, print_json
from aurum.cli.option_values import choice, day_of, name_and_value

if TYPE_CHECKING:
    import polars as pl

    from aurum.assembly.store import Store
    from aurum.core.curves.marks import Override
    from aurum.services.curves import CurveReading
    from aurum.services.curves.marks import Comparison, Delivery, SetMarks, Tolerance
    from aurum.storage.ports.access import Actor
    from aurum.storage.ports.curve_sets import CurveSet

app = typer.Typer(help="Curve sets: curves that a desk marks together.", no_args_is_help=True)

T = TypeVar("T")
_KEY = "aurum.key"
"""Name of the key in the state of the command."""
SetId = Annotated[str, typer.Argument(help="Id of the set, from `list`.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Tenant whose sets they are; that of AURUM_KEY, if it is set.")]
Version = Annotated[int | None, typer.Option(min=1, help="Version that you have read: another one is refused.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    """The store as one person of a tenant sees and changes it."""

    store: Store
    reading: CurveReading
    by: Actor


@app.callback()
def act_as(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="AURUM_KEY",
            show_default=False,
            help="API key to act as, with its scopes and its owner; keep it in the variable, where no list of processes shows "
            "it. Default: the operator, who is not a known person and approves nothing.",
        ),
    ] = None,
) -> None:
    """Curve sets: curves that a desk marks together."""
    context.meta[_KEY] = key


@app.command("list")
def list_sets(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="draft, submitted, approved or official.")] = None,
    trade_date: Annotated[str | None, typer.Option(help="YYYY-MM-DD.")] = None,
    name: Annotated[str | None, typer.Option(help="Only sets of this name.")] = None,
    tenant: Tenant = "local",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List sets, the newest first."""
    from aurum.cli.render import console, table
    from aurum.core.curves.marks import SetState
    from aurum.storage.ports.curve_sets import CurveSetFilter

    wanted = None if state is None else choice(SetState, state, "--state")
    criteria = CurveSetFilter(wanted, day_of(trade_date, "--trade-date"), name)

    async def run(desk: _Desk) -> list[CurveSet]:
        assert desk.reading.tenant is not None
        return list(await desk.store.curve_sets.page(desk.reading.tenant, criteria, before=None, limit=limit))

    sets = _with_desk(context, tenant, run)
    if as_json:
        print_json(sets)
        return
    rows = [
        (
            one.set_id,
            one.name,
            one.trade_date,
            str(one.state),
            one.version,
            len(one.curves),
            one.created_at,
            one.supersedes or "",
            one.superseded_by or "",
        )
        for one in sets
    ]
    names = ["set", "name", "trade date", "state", "version", "curves", "created", "supersedes", "superseded by"]
    console().print(table(names, rows))


@app.command("new")
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the set.")],
    curves: Keys,
    trade_date: Annotated[str, typer.Option(help="YYYY-MM-DD, or latest.")] = "latest",
    as_of: Annotated[str | None, typer.Option(help="Quotes as known at this time (UTC). Default: when it is read.")] = None,
    overrides_of: Annotated[
        str | None, typer.Option(help="Id of a set whose overrides with an expiry are copied, if they hold still.")
    ] = None,
    tenant: Tenant = "local",
) -> None:
    """Create a draft and print its id."""
    from aurum.services.curves.marks import NewCurveSet, create_set

    day = trade_day(trade_date, "--trade-date")

    async def run(desk: _Desk) -> CurveSet:
        store, request = desk.store, NewCurveSet(name, day, curves, as_of, overrides_of)
        now = store.clock.now()
        return await create_set(store.transactions, store.curve_sets, desk.reading, request, by=desk.by, now=now)

    print(_with_desk(context, tenant, run, needs="curves:write").set_id)


@app.command("show")
def show(
    context: typer.Context,
    set_id: SetId,
    tenant: Tenant = "local",
    rows: Annotated[int, typer.Option(min=1, help="Most marks to show.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show a set: its steps, overrides with their reasons, marks with their flags, and quotes that changed since the submit."""
    from aurum.cli.render import console, table

    made = _with_desk(context, tenant, lambda desk: _marks(desk, set_id))
    one = made.plan.curve_set
    if as_json:
        print_json([_document(made, rows)], truncated=made.frame.height > rows)
        return
    out = console()
    out.print(f"{one.name}  {one.trade_date}  {one.state}  version {one.version}")
    steps = [(step.step, step.at, step.person or step.by, step.reason) for step in one.steps]
    out.print(table(["step", "at", "by", "reason"], steps))
    shown = made.frame.head(rows).select("curve", "label", "quoted", "override", "value", "source", "unit", "flags")
    columns = ["curve", "period", "quoted", "override", "value", "source", "unit", "flags"]
    out.print(table(columns, _cells(shown), right=["quoted", "override", "value"]))
    if made.missing:
        print(f"without quotes: {', '.join(made.missing)}")
    if made.plan.overrides:
        columns = ["curve", "period", "price", "reason", "expires", "made", "by"]
        out.print(table(columns, [_override_line(made, override) for override in made.plan.overrides], right=["price"]))
    if made.changed.height:
        print(f"quotes that have changed since the set was submitted: {made.changed.height:,}")
        changed = made.changed.head(rows).select(
            "curve", "delivery_start", "delivery_end", "source", "pinned", "current", "known_at"
        )
        lines = [(curve, _label(made, (curve, first, end)), *facts) for curve, first, end, *facts in _cells(changed)]
        out.print(table(["curve", "period", "marked by", "submitted", "now", "known"], lines, right=["submitted", "now"]))
    if made.frame.height > rows:
        print(f"only {rows} of {made.frame.height:,} marks are shown: raise --rows for more")


@app.command("override")
def override(
    context: typer.Context,
    set_id: SetId,
    curve: Annotated[str, typer.Argument(help="Key of a curve of the set.")],
    period: Annotated[str, typer.Argument(help="Delivery period, e.g. Q1-25.")],
    settle: Annotated[float, typer.Argument(help="Price in the unit of the curve.")],
    reason: Annotated[str, typer.Option(help="Why the quote does not stand.")],
    bid: Annotated[float | None, typer.Option()] = None,
    ask: Annotated[float | None, typer.Option()] = None,
    expires: Annotated[str | None, typer.Option(help="Last trade date, or the instant at which it ends.")] = None,
    version: Version = None,
    tenant: Tenant = "local",
) -> None:
    """Replace the quote of one period of a draft."""
    from aurum.services.curves.marks import NewOverride, put_override

    async def run(desk: _Desk) -> CurveSet:
        request = NewOverride(curve, period, settle, reason, bid, ask, expires)
        store, now = desk.store, desk.store.clock.now()
        changed, *_ = await put_override(
            store.transactions, store.curve_sets, desk.reading, set_id, request, version=version, by=desk.by, now=now
        )
        return changed

    _say(_with_desk(context, tenant, run, needs="curves:write"))


@app.command("delete-override")
def delete(
    context: typer.Context,
    set_id: SetId,
    curve: Annotated[str, typer.Argument(help="Key of a curve of the set.")],
    period: Annotated[str, typer.Argument(help="Delivery period of the override, e.g. Q1-25.")],
    version: Version = None,
    tenant: Tenant = "local",
) -> None:
    """Delete an override of a draft, so that the quote stands again."""
    from aurum.services.curves.marks import delete_override

    async def run(desk: _Desk) -> CurveSet:
        store = desk.store
        return await delete_override(
            store.transactions, store.curve_sets, desk.reading, set_id, curve, period, version=version, by=desk.by
        )

    _say(_with_desk(context, tenant, run, needs="curves:write"))


@app.command("submit")
def submit(
    context: typer.Context,
    set_id: SetId,
    allow_missing: Annotated[bool, typer.Option(help="Although curves have no quotes.")] = False,
    version: Version = None,
    tenant: Tenant = "local",
) -> None:
    """Submit a draft: its marks are pinned as they are now."""
    from aurum.services.curves.marks import submit_set

    async def run(desk: _Desk) -> CurveSet:
        store = desk.store
        return await submit_set(
            store.transactions,
            store.curve_sets,
            desk.reading,
            set_id,
            version=version,
            allow_missing=allow_missing,
            by=desk.by,
            now=store.clock.now(),
        )

    _say(_with_desk(context, tenant, run, needs="curves:write"))


@app.command("approve")
def approve(context: typer.Context, set_id: SetId, version: Version = None, tenant: Tenant = "local") -> None:
    """Approve a submitted set, as another person: needs an API key with an owner and the scope curves:approve in AURUM_KEY."""
    from aurum.services.curves.marks import approve_set

    async def run(desk: _Desk) -> CurveSet:
        store = desk.store
        return await approve_set(store.transactions, desk.reading, set_id, version=version, by=desk.by, now=store.clock.now())

    _say(_with_desk(context, tenant, run, needs="curves:approve"))


@app.command("reject")
def reject(
    context: typer.Context,
    set_id: SetId,
    reason: Annotated[str, typer.Option(help="Why.")],
    version: Version = None,
    tenant: Tenant = "local",
) -> None:
    """Make a submitted set a draft again instead of approving it. A key in AURUM_KEY needs the scope curves:approve."""
    from aurum.services.curves.marks import reject_set

    async def run(desk: _Desk) -> CurveSet:
        store, now = desk.store, desk.store.clock.now()
        return await reject_set(store.transactions, desk.reading, set_id, reason, version=version, by=desk.by, now=now)

    _say(_with_desk(context, tenant, run, needs="curves:approve"))


@app.command("close")
def close(context: typer.Context, set_id: SetId, version: Version = None, tenant: Tenant = "local") -> None:
    """Make an approved set official: its marks stay for ever."""
    from aurum.services.curves.marks import close_set

    async def run(desk: _Desk) -> CurveSet:
        store = desk.store
        return await close_set(store.transactions, desk.reading, set_id, version=version, by=desk.by, now=store.clock.now())

    _say(_with_desk(context, tenant, run, needs="curves:write"))


@app.command("reopen")
def reopen(
    context: typer.Context,
    set_id: SetId,
    reason: Annotated[str, typer.Option(help="Why.")],
    version: Version = None,
    tenant: Tenant = "local",
) -> None:
    """Make a set a draft again; of an official one, which stays, make a new draft."""
    from aurum.services.curves.marks import reopen_set

    async def run(desk: _Desk) -> CurveSet:
        store, now = desk.store, desk.store.clock.now()
        return await reopen_set(store.transactions, desk.reading, set_id, reason, version=version, by=desk.by, now=now)

    _say(_with_desk(context, tenant, run, needs="curves:write"))


@app.command("compare")
def compare(
    context: typer.Context,
    set_id: SetId,
    against: Annotated[list[str] | None, typer.Option(help="CURVE=OTHER, repeatable.")] = None,
    venue: Annotated[str | None, typer.Option(help="Venue of the other curves.")] = None,
    tolerance: Annotated[
        list[str] | None, typer.Option(help="0.5 or 2%, of all curves; or PATTERN=0.5, PATTERN=2%. Repeatable.")
    ] = None,
    tenant: Tenant = "local",
    as_json: AsJson = False,
) -> None:
    """List marks that differ from other prices by more than a tolerance, the largest difference first."""
    from aurum.cli.render import console, table
    from aurum.services.curves.marks import ComparisonQuestion, compare_set, mark_rows, period_document

    limits = dict(_tolerance(one) for one in tolerance or ())
    default = limits.pop("", None)
    others = dict(name_and_value(one, "--against") for one in against or ())

    async def run(desk: _Desk) -> Comparison:
        question = ComparisonQuestion(desk.store.clock.now(), others, venue, default, limits)
        return await compare_set(desk.reading, desk.store.derived_curves, await _marks(desk, set_id), question)

    compared = _with_desk(context, tenant, run)
    breaches = compared.frame.filter("is_breach")
    if as_json:
        skipped = [{**plain(one), "period": plain(period_document(one.period))} for one in compared.not_compared]
        print_json(
            mark_rows(breaches),
            compared=compared.frame.height,
            not_compared=skipped,
            not_independent=compared.not_independent,
        )
        return
    columns = ["curve", "label", "value", "other", "difference", "tolerance", "method"]
    out = console()
    out.print(table(columns, _cells(breaches.select(columns)), right=columns[2:6]))
    print(f"{breaches.height:,} of {compared.frame.height:,} compared marks are outside their tolerance")
    for one in compared.not_independent:
        print(f"not independent: {one.curve} beside {one.other_curve}: {one.reason}")
    for one in compared.not_compared:
        print(f"not compared: {one.curve}{f' {one.period.period.label}' if one.period else ''}: {one.reason}")


@app.command("export")
def export(
    context: typer.Context,
    set_id: SetId,
    path: Annotated[Path, typer.Argument(help="File to write: .csv, .parquet or .arrow.")],
    unit: Annotated[str | None, typer.Option(help="Unit of the prices, e.g. USD/MMBtu. Default: that of each curve.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of the prices, at the rate of the trade date. Default: that of each curve.")
    ] = None,
    tenant: Tenant = "local",
) -> None:
    """Write the marks of a set to a file."""
    from aurum.services.curves.marks import check_suffix, conversions_of_marks, converted_marks, write_marks

    check_suffix(path)

    async def run(desk: _Desk) -> tuple[CurveSet, pl.DataFrame]:
        made = await _marks(desk, set_id)
        conversions = await conversions_of_marks(desk.reading, made, unit, currency)
        return made.plan.curve_set, await converted_marks(desk.reading, made, conversions)

    one, frame = _with_desk(context, tenant, run)
    write_marks(frame, path)
    print(f"{path}: {frame.height:,} marks of {one.name}, {one.state}")


def _with_desk(
    context: typer.Context,
    tenant: str,
    action: Callable[[_Desk], Awaitable[T]],
    *,
    needs: str = "curves:read",
) -> T:
    """Run an action on the sets of a tenant, as the key of the environment or as the operator. ``needs``: scope of the key.

    Raises ``MissingScope``, ``Unauthenticated``, and ``InvalidParameters`` for another tenant than that of the key.
    """
    from aurum.cli.wiring import with_store
    from aurum.core.access import MissingScope, Permission
    from aurum.core.errors import InvalidParameters
    from aurum.services.access import caller_of_key
    from aurum.storage.ports.access import Actor

    needed = Permission(needs)

    async def run(store: Store) -> T:
        by, owner = Actor("operator"), tenant
        if text := context.meta.get(_KEY):
            caller = await caller_of_key(store.access.keys, text, now=store.clock.now())
            if not caller.may(needed):
                raise MissingScope(needed)
            if tenant not in ("local", caller.tenant):
                raise InvalidParameters(("--tenant", f"is not that of the key, {caller.tenant}", tenant))
            by, owner = Actor(caller.subject, caller.tenant, person=caller.person), caller.tenant
        await store.access.tenants.tenant(owner)
        return await action(_Desk(store, curve_reading(store, owner), by))

    return with_store(context.obj, run)


async def _marks(desk: _Desk, set_id: str) -> SetMarks:
    from aurum.services.curves.marks import plan_set, read_set

    sets = desk.store.curve_sets
    return await read_set(desk.reading, sets, await plan_set(desk.reading, sets, set_id, now=desk.store.clock.now()))


def _cells(frame: pl.DataFrame) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a frame as a table shows them: prices by ``number``, and nothing for null."""

    def cell(value: object) -> object:
        return number(value) if isinstance(value, float) else "" if value is None else value

    return [tuple(map(cell, row)) for row in frame.rows()]


def _say(one: CurveSet) -> None:
    print(f"{one.set_id} is {one.state}, version {one.version}")


def _members(one: CurveSet) -> Mapping[str, object]:
    names = ("set_id", "name", "trade_date", "as_of", "state", "version", "curves", "created_at", "steps", "pinned_at")
    return {name: getattr(one, name) for name in (*names, "supersedes", "superseded_by")}


def _document(made: SetMarks, rows: int) -> Mapping[str, object]:
    """Return a set with its marks, ``rows`` at most, and periods as the API shows them."""
    from aurum.services.curves.marks import delivery_rows, mark_rows, override_row

    overrides = [override_row(one, made.periods.get((one.curve, one.first, one.end))) for one in made.plan.overrides]
    return {
        **_members(made.plan.curve_set),
        "values": mark_rows(made.frame.head(rows)),
        "overrides": overrides,
        "findings": delivery_rows(made, made.findings),
        "missing": made.missing,
        "changed_since": delivery_rows(made, made.changed),
    }


def _override_line(made: SetMarks, one: Override) -> tuple[object, ...]:
    expires = one.expires if one.holds(made.plan.curve_set.trade_date, made.plan.now) else f"expired {one.expires}"
    label = _label(made, (one.curve, one.first, one.end))
    return (one.curve, label, number(one.settle), one.reason, expires, one.made_at, one.person or one.made_by)


def _label(made: SetMarks, delivery: Delivery) -> str:
    period = made.periods.get(delivery)
    return f"{delivery[1]}..{delivery[2]}" if period is None else period.period.label


def _tolerance(text: str) -> tuple[str, Tolerance]:
    """Return the pattern, empty for all curves, and the tolerance of a text such as ``gas:*=2%``.

    Raises ``InvalidParameters``.
    """
    from aurum.core.curves.quotes import MOST
    from aurum.core.errors import InvalidParameters
    from aurum.services.curves.marks import Tolerance

    name, limit = name_and_value(text, "--tolerance") if "=" in text else ("", text)
    is_relative = limit.endswith("%")
    try:
        value = float(limit.removesuffix("%"))
    except ValueError:
        value = nan
    if not 0 <= value <= (100 if is_relative else MOST):
        raise InvalidParameters(
            ("--tolerance", "must be a number from 0, such as 0.5, or a share up to 100%, such as 2%", text)
        )
    return name, Tolerance(relative=value / 100) if is_relative else Tolerance(value)
