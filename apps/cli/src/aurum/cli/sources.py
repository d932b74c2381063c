"""``aurum sources``: lists sources, datasets, file formats and words for fuels without a meaning; writes a new source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from aurum.cli.json_output import AsJson, plain, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.core.series.model import Series
    from aurum.pipelines.plugins import Plugin
    from aurum.pipelines.registry import Registry
    from aurum.pipelines.source import Dataset, Source


class _ListByDefault(TyperGroup):
    """A group in which anything that is not the name of a command is an argument of ``list``: ``aurum sources nyiso``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_command = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if is_command else ["list", *args])


app = typer.Typer(
    cls=_ListByDefault,
    help="Sources: list them, their datasets and formats (`aurum sources [SOURCE]`), and write a new one.",
    no_args_is_help=False,
)


@app.command("list")
def show(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Only this source. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List sources, their datasets and the formats of their files, those of installed plugins too.

    Of one source also the keys that its addresses need, and whether a file from them has been loaded.
    """
    from aurum.cli.render import console, safe, table
    from aurum.pipelines.registry import default_registry

    registry = default_registry()
    chosen = registry.sources if source is None else (_source(registry, source),)
    refused = [plugin for plugin in registry.refused if source is None]
    proven = _proven(context.obj) if source is not None else None
    documents = [_document(one, registry.plugins.get(one.name), proven) for one in chosen]
    if as_json:
        print_json(documents, refused=refused)
        return
    members = ["granularity", "needs", "state"] if source is not None else ["granularity"]
    rows = [
        (one.name, dataset.name, dataset.frequency, dataset.title, *(fetch.get(member) or "" for member in members))
        for one in chosen
        for dataset in one.datasets
        for fetch in [_fetch(one, dataset, proven) or {}]
    ]
    out = console()
    out.print(table(["source", "dataset", "step", "title", "fetch", *members[1:]], rows, text=["title"]))
    if source is not None:
        out.print()
        out.print(table(["format"], [(file_format.name,) for file_format in chosen[0].formats]))
        out.print(f"\n{', '.join(filter(None, (chosen[0].title, chosen[0].homepage)))}. {chosen[0].terms}")
    for plugin in registry.plugins.values():
        if plugin.source in chosen:
            out.print(f"{plugin.name} is a plugin: {safe(plugin.package)}")
    for plugin in refused:
        out.print(f"[yellow]refused[/yellow] plugin {safe(plugin.name)} of {safe(plugin.package)}: {safe(plugin.reason)}")


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Name of the source: lower-case letters, digits and single underscores.")],
    folder: Annotated[
        Path, typer.Option("--dir", file_okay=False, help="Where to make the folder of the package.", show_default="here")
    ] = Path(),
    address: Annotated[
        str | None, typer.Option("--address", help="The folder with the publisher's files, http:// or https://.")
    ] = None,
) -> None:
    """Write the package of a new source: dataset, parser, address, suite, page, sample and tests."""
    from aurum.pipelines.registry import default_registry
    from aurum.pipelines.scaffold import EXAMPLE_ADDRESS, write_source

    registry = default_registry()
    used = [*(source.name for source in registry.sources), *(plugin.name for plugin in registry.refused)]
    package = write_source(name, folder, used=used, address=address or EXAMPLE_ADDRESS)
    print(f"wrote {package}")
    print("next: run its tests there (python -m pytest), and change it as its README.md says")


def _source(registry: Registry, name: str) -> Source:
    """Return a source. Raises ``UnknownName``, and ``Invalid`` with the reason for a plugin that is refused."""
    from aurum.core.errors import Invalid

    for plugin in registry.refused:
        if plugin.name == name and name not in registry.plugins:
            raise Invalid(f"the plugin {name} of {plugin.package} is refused: {plugin.reason}", source=name)
    return registry.source(name)


@app.command("unmapped")
def unmapped(context: typer.Context, as_json: AsJson = False) -> None:
    """List the stored series with a word for a fuel that is in no group."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.catalog.dimensions import FUEL_LABEL

    series = with_store(context.obj, _unmapped)
    documents = [
        {
            "source": one.key.source,
            "dataset": one.key.dataset,
            FUEL_LABEL: one.spec.labels.get(FUEL_LABEL, ""),
            "key": str(one.key),
            "first": one.first_ts,
            "last": one.last_ts,
        }
        for one in series
    ]
    if as_json:
        print_json(documents)
        return
    if not documents:
        print("every word for a fuel has a meaning")
        return
    lines = [
        (one["source"], one["dataset"], one[FUEL_LABEL], one["key"], _day(one["first"]), _day(one["last"])) for one in documents
    ]
    console().print(table(["source", "dataset", "word", "key", "first", "last"], lines, text=["word"]))
    print(f"{len(documents)} series: their values are stored and read like any other, but a filter by fuel does not list them")


async def _unmapped(store: Store) -> list[Series]:
    from contextlib import aclosing

    from aurum.core.catalog import Fuel
    from aurum.services.catalog import each_series
    from aurum.storage.ports.catalog import SeriesFilter

    criteria = [SeriesFilter(fuel=Fuel.UNMAPPED)]
    async with aclosing(each_series(store.catalog.reader, criteria, lambda _: True)) as series:
        return [one async for one in series]


def _day(instant: object) -> str:
    return str(instant)[:10] if instant else ""


def _document(source: Source, plugin: Plugin | None, proven: frozenset[tuple[str, str]] | None) -> dict[str, object]:
    """Return a source with its datasets, named as in /v2/catalog/sources and /v2/catalog/datasets, and its formats.

    ``plugin``: name and version of the package of a plugin; None for a source of Aurum. ``proven``: as ``_proven`` returns it.
    """
    return {
        "name": source.name,
        "title": source.title,
        "homepage": source.homepage,
        "terms": source.terms,
        "plugin": plugin.package if plugin is not None else None,
        "datasets": [_dataset(dataset) | {"fetch": _fetch(source, dataset, proven)} for dataset in source.datasets],
        "formats": [{"name": known.name, "columns": plain(known.columns)} for known in source.formats],
    }


def _proven(settings: Settings | None) -> frozenset[tuple[str, str]] | None:
    """Return source and name of the datasets of which a file from their addresses has been loaded; None without a store."""
    from aurum.cli.wiring import with_store
    from aurum.core.errors import Unavailable

    async def fetched(store: Store) -> frozenset[tuple[str, str]]:
        return frozenset((state.source, state.dataset) for state in await store.fetches.states())

    is_new = settings is not None and settings.database.url is None and not settings.data_dir.exists()
    if settings is None or is_new:
        return None
    try:
        return with_store(settings, fetched)
    except Unavailable as error:
        typer.echo(f"the states of fetches are not shown: {error.operator_detail}", err=True)
        return None


def _state(source: Source, dataset: Dataset, proven: frozenset[tuple[str, str]] | None) -> str | None:
    if proven is None or source.public_files(dataset.name) is None:
        return None
    return "proven" if (source.name, dataset.name) in proven else "unproven"


def _fetch(source: Source, dataset: Dataset, proven: frozenset[tuple[str, str]] | None) -> dict[str, object] | None:
    from aurum.pipelines.declarations import fetch_of

    fetch = fetch_of(source, dataset)
    return None if fetch is None else fetch | {"state": _state(source, dataset, proven)}


def _dataset(dataset: Dataset) -> dict[str, object]:
    from aurum.pipelines.declarations import publication_of, schedule_of

    return {
        "source": dataset.source,
        "name": dataset.name,
        "title": dataset.title,
        "market": dataset.market,
        "tz": dataset.zone,
        "frequency": str(dataset.frequency),
        "measures": [{"name": one.name, "unit": one.unit, "title": one.title} for one in dataset.measures],
        "reference": dataset.reference,
        "schedule": schedule_of(dataset),
        "publication": plain(publication_of(dataset)),
        "is_forecast": dataset.is_forecast,
        "freshness_hours": dataset.freshness_hours,
    }
