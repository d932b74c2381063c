"""``aurum ingest``: loads files, folders, globs and archives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.common.settings import Settings
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileReport
    from aurum.pipelines.loading.unpacking import Unreadable
    from aurum.pipelines.source import SourceFile


def register(app: typer.Typer) -> None:
    app.command("ingest")(ingest)


def ingest(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders or globs. .zip and .gz archives are unpacked.")],
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            help="When the values became known: a time with offset, 'file' (the time stated in each file) or 'schedule' (the "
            "usual publication time of the dataset). Default: the time stated in the file, otherwise now.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Load files again that were loaded before.")] = False,
    queue: Annotated[bool, typer.Option("--queue", help="Put the files into the queue of the workers instead.")] = False,
) -> None:
    """Load files into the store, each completely or not at all. Exit code 3 if one was refused."""
    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.loading.documents import find_files
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileOutcome

    settings: Settings = context.obj
    policy = KnownAtPolicy.parse(known_at)
    files = find_files(paths)
    if queue:
        _enqueue(settings, files, known_at, force)
        return
    reports = with_pipelines(settings, lambda pipelines: _ingest(pipelines, files, policy, force))
    if any(report.outcome is FileOutcome.REFUSED for report in reports):
        raise typer.Exit(REFUSED_FILES)


async def _ingest(pipelines: Pipelines, files: list[Path], policy: KnownAtPolicy, force: bool) -> list[FileReport]:
    await pipelines.declare_catalog()
    return await ingest_files(pipelines, files, policy=policy, force=force)


async def ingest_files(
    pipelines: Pipelines, files: list[Path], *, policy: KnownAtPolicy, force: bool = False, quiet: bool = False
) -> list[FileReport]:
    """Load files with a progress bar, print refused files and the summary, and return the reports."""
    from rich.markup import escape

    from aurum.cli.render import console, ingest_summary, print_notices, progress, unit_jumps
    from aurum.pipelines.loading.load import FileOutcome

    out = console()
    reports: list[FileReport] = []
    started = time.perf_counter()
    with progress(out) as bar:
        task = bar.add_task("reading", total=len(files))

        def documents() -> Iterator[SourceFile | Unreadable]:
            for number, path in enumerate(files):
                bar.update(task, completed=number, description=path.name)
                yield from pipelines.read(path)
            bar.update(task, completed=len(files), description="storing")

        async for report in pipelines.ingestion.ingest_all(documents(), known_at=policy, force=force):
            reports.append(report)
            if report.outcome is FileOutcome.REFUSED:
                out.print(f"[red]refused[/red] {escape(report.name)}: {escape(report.reason)}", highlight=False)
            elif report.quarantined:
                held = f"{report.quarantined} rows (see `aurum quarantine list`)"
                out.print(f"[yellow]quarantined[/yellow] {escape(report.name)}: {held}")
            if report.suspect_series:
                out.print(f"[yellow]suspect[/yellow] {escape(report.name)}: {escape(unit_jumps(report))}", highlight=False)
            print_notices(out, report)
    if not (quiet and all(report.outcome is FileOutcome.ALREADY_LOADED for report in reports)):
        out.print(ingest_summary(reports, time.perf_counter() - started))
    return reports


def _enqueue(settings: Settings, files: list[Path], known_at: str | None, force: bool) -> None:
    from aurum.cli.render import console
    from aurum.pipelines.jobs import IngestFile, JobQueue
    from aurum.storage import embedded

    with embedded.redis(settings.redis, settings.data_dir) as redis, JobQueue(redis.url or "") as queue:
        for path in files:
            queue.put(IngestFile(path=path.resolve(), known_at=known_at, force=force))
    console().print(f"{len(files)} files queued")
