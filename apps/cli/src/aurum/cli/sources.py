"""``aurum sources``: lists the sources, datasets and file formats that can be loaded."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("sources")(sources)


def sources(
    source: Annotated[str | None, typer.Argument(help="Only this source. Default: all.")] = None,
) -> None:
    """List sources, their datasets and the formats of their files."""
    from aurum.cli.render import console, table
    from aurum.pipelines.registry import default_registry

    registry = default_registry()
    chosen = registry.sources if source is None else (registry.source(source),)
    rows = [
        (one.name, dataset.name, dataset.frequency, dataset.title, "yes" if dataset.name in one.urls else "")
        for one in chosen
        for dataset in one.datasets
    ]
    out = console()
    out.print(table(["source", "dataset", "step", "title", "fetch"], rows))
    if source is not None:
        out.print()
        out.print(table(["format"], [(file_format.name,) for file_format in chosen[0].formats]))
        out.print(f"\n{chosen[0].title}, {chosen[0].homepage}. {chosen[0].terms}")
