"""``aurum sources``: lists the sources, datasets and file formats that can be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, plain, print_json

if TYPE_CHECKING:
    from aurum.pipelines.source import Dataset, Source


def register(app: typer.Typer) -> None:
    app.command("sources")(sources)


def sources(
    source: Annotated[str | None, typer.Argument(help="Only this source. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List sources, their datasets and the formats of their files."""
    from aurum.cli.render import console, table
    from aurum.pipelines.registry import default_registry

    registry = default_registry()
    chosen = registry.sources if source is None else (registry.source(source),)
    if as_json:
        print_json([_document(one) for one in chosen])
        return
    rows = [
        (one.name, dataset.name, dataset.frequency, dataset.title, "yes" if dataset.name in one.urls else "")
        for one in chosen
        for dataset in one.datasets
    ]
    out = console()
    out.print(table(["source", "dataset", "step", "title", "fetch"], rows, text=["title"]))
    if source is not None:
        out.print()
        out.print(table(["format"], [(file_format.name,) for file_format in chosen[0].formats]))
        out.print(f"\n{chosen[0].title}, {chosen[0].homepage}. {chosen[0].terms}")


def _document(source: Source) -> dict[str, object]:
    """Return a source with its datasets, named as in /v2/catalog/sources and /v2/catalog/datasets, and its formats."""
    return {
        "name": source.name,
        "title": source.title,
        "homepage": source.homepage,
        "terms": source.terms,
        "datasets": [_dataset(dataset) | {"fetch": dataset.name in source.urls} for dataset in source.datasets],
        "formats": [{"name": known.name, "columns": plain(known.columns)} for known in source.formats],
    }


def _dataset(dataset: Dataset) -> dict[str, object]:
    return {
        "source": dataset.source,
        "name": dataset.name,
        "title": dataset.title,
        "market": dataset.market,
        "tz": dataset.zone,
        "frequency": str(dataset.frequency),
        "measures": [{"name": one.name, "unit": one.unit, "title": one.title} for one in dataset.measures],
        "reference": dataset.reference,
        "freshness_hours": dataset.freshness_hours,
    }
