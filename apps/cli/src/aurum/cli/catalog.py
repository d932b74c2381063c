"""``aurum catalog``: reference data that administrators change. This module has the mapped spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli import catalog_blocks, catalog_calendars
from aurum.cli.catalog_blocks import Version
from aurum.cli.json_output import AsJson, print_json, renamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.store import Store
    from aurum.core.catalog.mapping_kinds import MappingKind
    from aurum.services.catalog.unknown_labels import UnknownLabel
    from aurum.storage.ports.mappings import StoredMapping

app = typer.Typer(help="The reference data of an installation: blocks, calendars, spellings.", no_args_is_help=True)
mappings = typer.Typer(help="Spellings of labels and units that files have and no release knows.", no_args_is_help=True)
app.add_typer(mappings, name="mappings")
app.add_typer(catalog_blocks.app, name="blocks")
app.add_typer(catalog_calendars.app, name="calendars")

KindText = Annotated[
    str | None,
    typer.Option("--kind", help="product, area, location, block, period, unit, quoted_unit, fuel or place. Default: all."),
]
MappingId = Annotated[int, typer.Argument(help="Id of the mapping, as `list` shows it.")]


@mappings.command("list")
def list_mappings(context: typer.Context, kind: KindText = None, as_json: AsJson = False) -> None:
    """List the mappings that were added to the release."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    wanted = _kind(kind)

    async def fetch(store: Store) -> Sequence[StoredMapping]:
        return await store.catalog.mappings.mappings(kind=wanted)

    stored = with_store(context.obj, fetch)
    if as_json:
        print_json([_document(one) for one in stored])
        return
    rows = [
        (one.mapping_id, one.kind, one.scope, one.spelling, one.target, one.version, one.updated_at, one.updated_by)
        for one in stored
    ]
    console().print(table(["id", "kind", "scope", "spelling", "target", "version", "changed", "by"], rows, right=["id"]))


@mappings.command("unknown")
def list_unknown(context: typer.Context, kind: KindText = None, as_json: AsJson = False) -> None:
    """List labels of loaded files that no mapping knows. Their cells are in quarantine: map one, then load the file again."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.unknown_labels import unknown_labels

    wanted = _kind(kind)

    async def fetch(store: Store) -> Sequence[UnknownLabel]:
        return await unknown_labels(store.catalog.mappings, kind=wanted)

    labels = with_store(context.obj, fetch)
    if as_json:
        print_json([renamed(one, file_name="file") for one in labels])
        return
    rows = [(one.kind, one.scope, one.label, one.where, one.columns, one.files, one.last_seen, one.file_name) for one in labels]
    console().print(table(["kind", "scope", "label", "of", "columns", "files", "last seen", "file"], rows, right=["columns"]))


@mappings.command("add")
def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="product, area, location, block, period, unit, quoted_unit, fuel or place.")],
    spelling: Annotated[str, typer.Argument(help="Text as files have it; of quoted_unit: commodity:area, e.g. gas:NBP.")],
    target: Annotated[str, typer.Argument(help="Canonical word, area, word of a period, unit, fuel, or name of a place.")],
    scope: Annotated[
        str,
        typer.Option(help="Scheme of labels (europe, ...), broker of quoted_unit, source of fuel and place, or *."),
    ] = "*",
) -> None:
    """Map a spelling. Files that are loaded from then on are read with it."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.mappings import add_mapping
    from aurum.storage.ports.access import Actor

    wanted = _kind(kind)
    assert wanted is not None

    async def run(store: Store) -> StoredMapping:
        by = Actor("operator")
        return await add_mapping(store.transactions, wanted, spelling=spelling, target=target, scope=scope, by=by)

    stored = with_store(context.obj, run)
    print(f"mapping {stored.mapping_id}: {stored.kind} {stored.spelling!r} is {stored.target}")


@mappings.command("change")
def change(
    context: typer.Context,
    mapping_id: MappingId,
    target: Annotated[str, typer.Argument(help="New canonical word, area, word of a period, unit, fuel, or name of a place.")],
    version: Version = None,
) -> None:
    """Give a mapping another target. What is stored stays; files that are loaded from then on are read with it."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.mappings import change_mapping
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> StoredMapping:
        reader, by = store.catalog.mappings, Actor("operator")
        return await change_mapping(store.transactions, reader, mapping_id, target, version=version, by=by)

    stored = with_store(context.obj, run)
    print(f"mapping {stored.mapping_id} is at version {stored.version}: {stored.kind} {stored.spelling!r} is {stored.target}")


@mappings.command("remove")
def remove(context: typer.Context, mapping_id: MappingId, version: Version = None) -> None:
    """Remove a mapping: its spelling is unknown again. What is stored stays."""
    from aurum.cli.wiring import with_store
    from aurum.services.catalog.mappings import remove_mapping
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> StoredMapping:
        reader, by = store.catalog.mappings, Actor("operator")
        return await remove_mapping(store.transactions, reader, mapping_id, version=version, by=by)

    removed = with_store(context.obj, run)
    print(f"removed mapping {removed.mapping_id}: {removed.kind} {removed.spelling!r} was {removed.target}")


def _kind(text: str | None) -> MappingKind | None:
    from aurum.core.catalog.mapping_kinds import MappingKind
    from aurum.core.errors import InvalidParameters

    if text is None:
        return None
    if text not in tuple(MappingKind):
        raise InvalidParameters(("kind", f"must be one of {', '.join(MappingKind)}", text))
    return MappingKind(text)


def _document(stored: StoredMapping) -> dict[str, object]:
    return {name: value for name, value in renamed(stored, mapping_id="id").items() if name != "folded"}
