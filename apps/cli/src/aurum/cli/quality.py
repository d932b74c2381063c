"""``aurum quality``: how good and how fresh what is there is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.cli.wiring import Store
    from aurum.core.catalog.entries import DatasetQuality

app = typer.Typer(help="How good and how fresh what is there is.", no_args_is_help=True)


@app.command("show")
def show(context: typer.Context, source: Annotated[str | None, typer.Argument(help="Only this source.")] = None) -> None:
    """Show freshness, gaps and quarantine of every dataset."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def read(store: Store) -> list[DatasetQuality]:
        return list(await store.quality.datasets_quality(now=store.clock.now(), source=source))

    rows = [
        (
            f"{one.source}:{one.dataset}",
            one.series,
            str(one.newest_ts)[:16] if one.newest_ts else "",
            {None: "", True: "stale", False: "fresh"}[one.stale],
            one.incomplete_days,
            one.missing_intervals,
            one.quarantined,
            one.refused_files,
        )
        for one in with_store(context.obj, read)
    ]
    numbers = ["series", "days with gaps", "missing", "quarantined", "refused files"]
    console().print(table(["dataset", "series", "newest", "", *numbers[1:]], rows, right=numbers))


@app.command("validate")
def validate(context: typer.Context, path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Run a file's expectation suite through Great Expectations itself. Exit code 1 when one fails."""
    from aurum.cli.render import console, table
    from aurum.common.contracts import contracts_directory
    from aurum.pipelines.quality.great_expectations import validate as run_suite
    from aurum.pipelines.registry import default_registry
    from aurum.pipelines.source import Document

    document = Document(path.name, path.read_bytes())
    source, file_format = default_registry().recognise(document)
    folder = contracts_directory(context.obj.contracts_dir) / "expectations"
    failed = False
    for parsed in file_format.parse(document):
        results = run_suite(parsed, folder / f"{source.name}_{parsed.dataset.name}.json")
        rows = [(one.expectation, one.severity, "ok" if one.success else "failed", one.unexpected) for one in results]
        console().print(f"{source.name}:{parsed.dataset.name}, {parsed.rows.height:,} observations")
        console().print(table(["expectation", "severity", "", "unexpected"], rows, right=["unexpected"]))
        failed = failed or not all(one.success for one in results)
    if failed:
        raise typer.Exit(1)
