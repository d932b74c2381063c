"""``aurum catalog blocks``: blocks of market calendars, and their changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurum.cli.json_input import read_object
from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.storage.ports.blocks import StoredBlock

app = typer.Typer(help="Blocks of market calendars, such as on-peak hours.", no_args_is_help=True)

Calendar = Annotated[str, typer.Argument(help="Calendar of blocks, such as pjm.")]
Name = Annotated[str, typer.Argument(help="Name of the block, not an alias.")]
Version = Annotated[int | None, typer.Option(min=1, help="Version that you have read. Default: the current one.")]


@app.command("list")
def list_blocks(
    context: typer.Context,
    calendar: Annotated[str | None, typer.Option(help="Only blocks of this calendar.")] = None,
    as_json: AsJson = False,
) -> None:
    """List blocks with their versions, ascending by calendar and name."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> Sequence[StoredBlock]:
        return await store.catalog.blocks.blocks()

    blocks = [one for one in with_store(context.obj, fetch) if calendar in (None, one.calendar)]
    if as_json:
        print_json([_document(one) for one in blocks])
        return
    rows = [
        (one.calendar, one.name, one.document["title"], one.document["zone"], one.version, "yes" if one.is_edited else "")
        for one in blocks
    ]
    console().print(table(["calendar", "name", "title", "zone", "version", "edited"], rows, right=["version"]))


@app.command("show")
def show(context: typer.Context, calendar: Calendar, name: Name, as_json: AsJson = False) -> None:
    """Show a block: its hours, its aliases and its version."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.visible import escaped
    from aurum.services.catalog.block_changes import stored_block

    stored = with_store(context.obj, lambda store: stored_block(store.catalog.blocks, calendar, name))
    if as_json:
        print_json(_document(stored))
        return
    block = _document(stored)
    print(escaped(f"{stored.calendar}:{stored.name}  {block['title']}"))
    print(f"clock {block['zone']}, holidays {block['holidays']}, version {stored.version}{', edited' * stored.is_edited}")
    if block["aliases"]:
        print(escaped(f"aliases {', '.join(block['aliases'])}"))
    if block["complement"]:
        print("all hours outside of:")
    rows = [(", ".join(one["days"]), ", ".join(f"{first}-{last}" for first, last in one["hours"])) for one in block["windows"]]
    console().print(table(["days", "hour endings"], rows))


@app.command("add")
def add(
    context: typer.Context,
    block: Annotated[
        str,
        typer.Argument(
            metavar="JSON",
            help='The block: {"calendar": ..., "name": ..., "zone": ..., "windows": [{"days": ["mon"], "hours": [[15, 18]]}]}; '
            "or @ and the path of a file with it.",
        ),
    ],
) -> None:
    """Add a block to a calendar. A calendar that does not exist begins with it."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.block_changes import add_block
    from aurum.storage.ports.access import Actor

    document = read_object("block", block)
    stored = with_store(context.obj, lambda store: add_block(store.transactions, document, by=Actor("operator")))
    print(f"block {stored.calendar}:{stored.name} is at version {stored.version}")


@app.command("change")
def change(
    context: typer.Context,
    calendar: Calendar,
    name: Name,
    changes: Annotated[
        str, typer.Argument(metavar="JSON", help='New members, such as {"title": "HE 15-18"}; or @ and the path of a file.')
    ],
    version: Version = None,
) -> None:
    """Change members of a block. Hours that quotes of a product depend on stay."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.block_changes import change_block
    from aurum.storage.ports.access import Actor

    members, by = read_object("changes", changes), Actor("operator")
    stored = with_store(
        context.obj, lambda store: change_block(store.transactions, calendar, name, members, version=version, by=by)
    )
    print(f"block {stored.calendar}:{stored.name} is at version {stored.version}")


@app.command("remove")
def remove(context: typer.Context, calendar: Calendar, name: Name, version: Version = None) -> None:
    """Remove a block that was added. Of a changed block of the release, the shipped one holds again."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.block_changes import remove_block
    from aurum.storage.ports.access import Actor

    by = Actor("operator")
    shipped = with_store(context.obj, lambda store: remove_block(store.transactions, calendar, name, version=version, by=by))
    print(f"block {calendar}:{name} is removed" if shipped is None else f"block {calendar}:{name} is that of the release again")


def _document(stored: StoredBlock) -> dict[str, Any]:
    facts = {"version": stored.version, "is_edited": stored.is_edited, "updated_at": stored.updated_at}
    return {**stored.document, **facts}
