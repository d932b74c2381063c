"""``aurum catalog calendars``: delivery calendars, sessions and seasons that belong to all, and their changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.curve_arguments import curve_reading
from aurum.cli.json_input import read_object
from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.curves.documents import ReferenceEntry
    from aurum.storage.ports.curves import ReferenceKind

app = typer.Typer(help="Delivery calendars, sessions of venues and seasons, those of all tenants.", no_args_is_help=True)


class CalendarKind(StrEnum):
    """Kind of a calendar."""

    DELIVERY = "delivery"
    SESSIONS = "sessions"
    SEASONS = "seasons"


Kind = Annotated[CalendarKind, typer.Option("--kind", help="Days of delivery, days on which a venue quotes, or seasons.")]
Name = Annotated[str, typer.Argument(help="Name of the calendar, as `list` shows it.")]
Document = Annotated[str, typer.Argument(metavar="JSON", help="A JSON object, or @ and the path of a file with it.")]


@app.command("list")
def list_calendars(context: typer.Context, kind: Kind = CalendarKind.DELIVERY, as_json: AsJson = False) -> None:
    """List the calendars of a kind, ascending by name. Version 0: part of the release."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.curves.documents import reference_entries

    async def fetch(store: Store) -> Sequence[ReferenceEntry]:
        return await reference_entries(curve_reading(store, None), _kind(kind))

    entries = with_store(context.obj, fetch)
    if as_json:
        print_json([_document(one) for one in entries])
        return
    rows = [(one.name, one.document.get("title", ""), one.version, one.updated_at) for one in entries]
    console().print(table(["name", "title", "version", "changed"], rows, right=["version"]))


@app.command("show")
def show(context: typer.Context, name: Name, kind: Kind = CalendarKind.DELIVERY, as_json: AsJson = False) -> None:
    """Show a calendar with its version. Version 0: part of the release."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.documents import reference_entry

    async def fetch(store: Store) -> ReferenceEntry:
        return await reference_entry(curve_reading(store, None), _kind(kind), name)

    entry = with_store(context.obj, fetch)
    if as_json:
        print_json(_document(entry))
        return
    print(f"{entry.name}, version {entry.version}")
    print(json.dumps(entry.document, indent=2))


@app.command("add")
def add(context: typer.Context, calendar: Document, kind: Kind = CalendarKind.DELIVERY) -> None:
    """Add a calendar of all tenants. It may replace one of the release."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.documents import add_reference
    from aurum.storage.ports.access import Actor

    document = read_object("calendar", calendar)

    async def run(store: Store) -> ReferenceEntry:
        by = Actor("operator")
        return await add_reference(store.transactions, curve_reading(store, None), _kind(kind), document, tenant=None, by=by)

    _tell(with_store(context.obj, run), kind)


@app.command("change")
def change(
    context: typer.Context,
    name: Name,
    changes: Document,
    kind: Kind = CalendarKind.DELIVERY,
    version: Annotated[int | None, typer.Option(min=0, help="Version that you have read. Default: the current one.")] = None,
) -> None:
    """Change members of a calendar. All curves that name it are read with it from then on; stored quotes stay."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.documents import change_reference
    from aurum.storage.ports.access import Actor

    members = read_object("changes", changes)

    async def run(store: Store) -> ReferenceEntry:
        return await change_reference(
            store.transactions,
            curve_reading(store, None),
            _kind(kind),
            name,
            members,
            tenant=None,
            version=version,
            by=Actor("operator"),
        )

    _tell(with_store(context.obj, run), kind)


@app.command("remove")
def remove(context: typer.Context, name: Name, kind: Kind = CalendarKind.DELIVERY) -> None:
    """Remove a calendar that was stored. One of the release that it replaced holds again."""
    from aurum.cli.wiring import with_store
    from aurum.services.curves.documents import remove_reference
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> None:
        by = Actor("operator")
        await remove_reference(store.transactions, curve_reading(store, None), _kind(kind), name, tenant=None, by=by)

    with_store(context.obj, run)
    print(f"{kind} {name} is removed")


def _tell(entry: ReferenceEntry, kind: CalendarKind) -> None:
    print(f"{kind} {entry.name} is at version {entry.version}")


def _document(entry: ReferenceEntry) -> Mapping[str, object]:
    return {
        "name": entry.name,
        "owner": "shared" if entry.version else "shipped",
        "version": entry.version,
        "updated_at": entry.updated_at,
        "document": entry.document,
    }


def _kind(kind: CalendarKind) -> ReferenceKind:
    from aurum.storage.ports.curves import ReferenceKind

    return ReferenceKind.DELIVERY_CALENDAR if kind is CalendarKind.DELIVERY else ReferenceKind(kind)
