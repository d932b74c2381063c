"""``aurum quarantine``: rows that were held back, and loading them again once the cause is mended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.cli.wiring import Store
    from aurum.core.catalog.entries import FileEntry
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileReport
    from aurum.pipelines.source import Document

app = typer.Typer(help="Rows that were held back.", no_args_is_help=True)


@app.command("list")
def list_rows(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only of this dataset.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replayed rows too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
) -> None:
    """List rows in quarantine."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def rows(store: Store) -> list[tuple[object, ...]]:
        page = await store.quality.quarantine_page(
            source=source, dataset=dataset, reason=reason, pending_only=not everything, limit=limit
        )
        return [(row.row_id, row.file_name, row.line, row.column, row.reason, row.raw[:60]) for row in page]

    found = with_store(context.obj, rows)
    console().print(table(["row", "file", "line", "column", "reason", "text"], found, right=["row", "line"]))
    if len(found) == limit:
        print(f"the first {limit}; --limit shows more")


@app.command("show")
def show(context: typer.Context, row: Annotated[int, typer.Argument(help="Its number, from `list`.")]) -> None:
    """Show all that is known of one row."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[tuple[str, object]]:
        held = await store.quality.quarantined_row(row)
        return [(name, getattr(held, name)) for name in held.__dataclass_fields__]

    console().print(table(["field", "value"], with_store(context.obj, fetch)))


@app.command("replay")
def replay(
    context: typer.Context,
    digest: Annotated[str | None, typer.Option(help="Only the file of this digest.")] = None,
    source: Annotated[str | None, typer.Option(help="Only files of this source.")] = None,
    path: Annotated[Path | None, typer.Option("--file", help="The file itself, where it was not kept on this machine.")] = None,
) -> None:
    """Load the files of quarantined rows again, with the known time they had; rows that now pass are stored."""
    from aurum.cli.render import console, ingest_summary
    from aurum.cli.wiring import with_store
    from aurum.pipelines.source import Document

    given = Document(path.name, path.read_bytes()) if path else None
    reports = with_store(context.obj, lambda store: _replay(store, digest, source, given))
    console().print(ingest_summary(reports, sum(report.seconds for report in reports)) if reports else "nothing to replay")


async def _replay(store: Store, digest: str | None, source: str | None, given: Document | None) -> list[FileReport]:
    pending: dict[str, str] = {}
    after: int | None = None
    while page := await store.quality.quarantine_page(source=source, digest=digest, after=after, limit=1000):
        pending |= {row.digest: row.file_name for row in page}
        after = page[-1].row_id
    reports: list[FileReport] = []
    for wanted, name in pending.items():
        document = given or store.kept_files.get(wanted, name=name)
        policy = _as_before((await store.quality.files_of(wanted))[0])
        reports.append(await store.ingestion.ingest(document, known_at=policy, force=True))
    return reports


def _as_before(file: FileEntry) -> KnownAtPolicy:
    from aurum.core.catalog.entries import KnownAtBasis
    from aurum.pipelines.loading.known_time import KnownAtPolicy

    match file.known_at_basis:
        case KnownAtBasis.ARGUMENT | KnownAtBasis.AVAILABLE:
            return KnownAtPolicy(file.known_at_basis, file.known_at)
        case KnownAtBasis.SCHEDULE:
            return KnownAtPolicy(KnownAtBasis.SCHEDULE)
        case _:
            return KnownAtPolicy()
