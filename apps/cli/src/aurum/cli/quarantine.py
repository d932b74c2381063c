"""``aurum quarantine``: lists rows that failed a check, and loads them again once the cause is fixed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.core.catalog.entries import QuarantinedRow
    from aurum.pipelines.loading.load import FileReport

app = typer.Typer(help="Rows that failed a check.", no_args_is_help=True)


@app.command("list")
def list_rows(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, e.g. non_numeric.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Include rows that were replayed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List rows in quarantine."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.quality import QuarantineFilter

    async def fetch(store: Store) -> list[QuarantinedRow]:
        criteria = QuarantineFilter(source=source, dataset=dataset, reason=reason, pending_only=not everything)
        return list(await store.quality.log.quarantine_page(criteria, limit=limit))

    page = with_store(context.obj, fetch)
    if as_json:
        print_json(page)
        return
    rows = [(row.row_id, row.file_name, row.line, row.column, row.reason, row.raw[:60]) for row in page]
    console().print(table(["row", "file", "line", "column", "reason", "text"], rows, right=["row", "line"], text=["text"]))
    if len(page) == limit:
        print(f"only the first {limit} rows are shown: raise --limit for more")


@app.command("show")
def show(
    context: typer.Context,
    row: Annotated[int, typer.Argument(help="Number of the row, from `list`.")],
    as_json: AsJson = False,
) -> None:
    """Show all fields of one row."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    held = with_store(context.obj, lambda store: store.quality.log.quarantined_row(row))
    if as_json:
        print_json(held)
        return
    rows = [(name, getattr(held, name)) for name in held.__dataclass_fields__]
    console().print(table(["field", "value"], rows, text=["value"]))


@app.command("replay")
def replay(
    context: typer.Context,
    digest: Annotated[str | None, typer.Option(help="Only the file with this SHA-256 digest.")] = None,
    source: Annotated[str | None, typer.Option(help="Only files of this source.")] = None,
    path: Annotated[
        Path | None, typer.Option("--file", help="Load this file instead of the stored copy; only with --digest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load files with quarantined rows again, with their original known time. Rows that pass now are stored."""
    from aurum.cli.render import console, ingest_summary
    from aurum.cli.wiring import with_pipelines
    from aurum.core.errors import InvalidParameters
    from aurum.pipelines.loading.replay import replay as replayed
    from aurum.pipelines.source import SourceFile
    from aurum.services.audit import record
    from aurum.storage.ports.access import Actor

    if path is not None and digest is None:
        why = "is the content of one file: name that file with --digest (`aurum quarantine show` prints it)"
        raise InvalidParameters(("file", why, str(path)))
    file = SourceFile(path.name, path.read_bytes()) if path else None

    async def load(pipelines: Pipelines) -> list[FileReport]:
        store, detail = pipelines.store, {"source": source, "file": path.name if path else None}
        await record(store.transactions, "quarantine.replay", digest or "*", detail, by=Actor("operator"))
        again = replayed(
            store.quality.log,
            store.files.log,
            pipelines.raw_files,
            pipelines.ingestion,
            digest=digest,
            source=source,
            file=file,
        )
        return [report async for report in again]

    reports = with_pipelines(context.obj, load)
    if as_json:
        print_json(reports)
        return
    console().print(ingest_summary(reports, sum(report.seconds for report in reports)) if reports else "no file to replay")
