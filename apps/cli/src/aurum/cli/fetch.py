"""``aurum fetch``: get published files of a range of days, and load them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.common.settings import Settings


def register(app: typer.Typer) -> None:
    app.command("fetch")(fetch)


def fetch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="See `aurum sources`.")],
    dataset: Annotated[str, typer.Argument(help="See `aurum sources SOURCE`.")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    out: Annotated[Path | None, typer.Option("--out", help="Keep the files in this folder.")] = None,
    load: Annotated[bool, typer.Option("--ingest/--no-ingest", help="Load what was fetched.")] = True,
) -> None:
    """Get the files of a dataset for some days from its publisher, and load them."""
    settings: Settings = context.obj
    raise NotImplementedError(settings, source, dataset, first, last, out, load)
