"""``aurum ingest``: loads files, folders, globs and archives."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.pipelines.loading.documents import FoundFiles
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileReport, Ingestion
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
            help="When the values became known: a time with offset, 'file' (the time stated in each file), 'schedule' (the "
            "usual publication time of the dataset) or 'now'. Default: the time stated in the file; else the usual publication "
            "time, unless that was within a day; else now.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Load files again that were loaded before.")] = False,
    queue: Annotated[bool, typer.Option("--queue", help="Put the files into the queue of the workers instead.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what was refused, held back or is suspect.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="List the formats tried for an unknown file.")] = False,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Load the files into a private series of this tenant, with --series.")
    ] = None,
    series: Annotated[
        str | None,
        typer.Option("--series", help="Name of the private series. Its files are CSV: start, value and, if wanted, known_at."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load files into the store, each completely or not at all. Exit code 3 if one was refused.

    Files in folders, globs and archives that are plainly no data (README, .DS_Store, checksums) are skipped and counted.
    """
    if tenant is not None or series is not None:
        from aurum.cli.private import ingest_private_files

        others = {"--known-at": known_at, "--force": force, "--queue": queue}
        ingest_private_files(context.obj, paths, tenant, series, others, quiet=quiet, as_json=as_json)
        return
    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.loading.documents import find_files
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileOutcome

    settings: Settings = context.obj
    policy = KnownAtPolicy.parse(known_at)
    files = find_files(paths)
    if queue:
        _enqueue(settings, files.files, known_at, force, as_json=as_json)
        return
    verbosity = Verbosity.NOTHING if as_json else Verbosity.PROBLEMS if quiet else Verbosity.FILES
    started = time.perf_counter()
    reports = with_pipelines(settings, lambda pipelines: _ingest(pipelines, files, policy, force, verbosity))
    if as_json:
        print_json(reports, seconds=time.perf_counter() - started)
    refused = [report for report in reports if report.outcome is FileOutcome.REFUSED]
    if (verbose or context.find_root().params.get("verbose")) and any(not report.source for report in refused) and not as_json:
        _print_formats()
    if refused:
        raise typer.Exit(REFUSED_FILES)


def _print_formats() -> None:
    from aurum.pipelines.registry import default_registry

    print("formats that were tried:")
    for source in default_registry().sources:
        for known in source.formats:
            print(f"  {known.name}" + (f": {', '.join(known.columns)}" if known.columns else ""))


class Verbosity(Enum):
    """The lines that are printed while files are loaded: those of a member, and of the members before it."""

    NOTHING = 0
    PROBLEMS = 1
    """Files that were refused, held back or are suspect."""
    SUMMARY = 2
    """The summary as well, unless all files were loaded before."""
    FILES = 3
    """A bar on a terminal or a line for each file elsewhere, and the summary."""


async def _ingest(
    pipelines: Pipelines, files: FoundFiles, policy: KnownAtPolicy, force: bool, verbosity: Verbosity
) -> list[FileReport]:
    await pipelines.declare_catalog()
    return await ingest_files(pipelines, files, policy=policy, force=force, verbosity=verbosity)


async def ingest_files(
    pipelines: Pipelines,
    files: FoundFiles,
    *,
    policy: KnownAtPolicy,
    force: bool = False,
    verbosity: Verbosity = Verbosity.FILES,
    ingestion: Ingestion | None = None,
) -> list[FileReport]:
    """Load files with a progress bar, print refused files and the summary, and return the reports.

    ``ingestion``: None for that of shared series and products.
    """
    from aurum.cli.render import console, ingest_summary, progress, safe
    from aurum.pipelines.loading.load import FileOutcome
    from aurum.pipelines.loading.no_data import Skipped

    out = console(stderr=verbosity is Verbosity.NOTHING)
    reports: list[FileReport] = []
    started = time.perf_counter()
    with progress(out, quiet=verbosity.value < Verbosity.SUMMARY.value) as bar:
        task = bar.add_task("reading", total=len(files.files))

        def documents() -> Iterator[SourceFile | Unreadable | Skipped]:
            yield from (Skipped(path.name) for path in files.skipped)
            for number, path in enumerate(files.files):
                bar.update(task, completed=number, description=safe(path.name))
                yield from pipelines.read(path)
            bar.update(task, completed=len(files.files), description="storing")

        loading = ingestion or pipelines.ingestion
        async for report in loading.ingest_all(documents(), known_at=policy, force=force):
            reports.append(report)
            if verbosity is not Verbosity.NOTHING:
                _print_report(out, report, each=verbosity is Verbosity.FILES and not out.is_terminal)
    has_news = verbosity is Verbosity.SUMMARY and any(report.outcome is not FileOutcome.ALREADY_LOADED for report in reports)
    if verbosity is Verbosity.FILES or has_news:
        out.print(ingest_summary(reports, time.perf_counter() - started))
    return reports


def _print_report(out: Console, report: FileReport, *, each: bool) -> None:
    """Print the lines about one file. ``each``: also about a file without problems."""
    from aurum.cli.render import load_line, print_notices, quote_flags, safe, unit_jumps
    from aurum.pipelines.loading.load import FileOutcome

    name = safe(report.name)
    if report.outcome is FileOutcome.REFUSED:
        out.print(f"[red]refused[/red] {name}: {safe(report.reason)}", highlight=False)
    elif each:
        out.print(safe(load_line(report)), highlight=False)
    if report.quarantined:
        held = "1 row" if report.quarantined == 1 else f"{report.quarantined:,} rows"
        out.print(f"[yellow]quarantined[/yellow] {name}: {held} (see `aurum quarantine list`)", highlight=False)
    if report.suspect_series:
        out.print(f"[yellow]suspect[/yellow] {name}: {safe(unit_jumps(report))}", highlight=False)
    if report.quote_flags:
        out.print(f"[yellow]flagged[/yellow] {name}: {safe(quote_flags(report))}", highlight=False)
    print_notices(out, report)


def _enqueue(settings: Settings, files: Sequence[Path], known_at: str | None, force: bool, *, as_json: bool) -> None:
    from aurum.cli.render import console
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.jobs.submit import new_job, submit
    from aurum.storage.ports.access import Actor

    operator = Actor("operator")
    definition = default_definitions()["ingest.file"]
    payloads = [definition.read({"path": str(path.resolve()), "known_at": known_at, "force": force}) for path in files]

    async def run(store: Store) -> Sequence[str]:
        async with store.transactions.transaction(by=operator) as tx:
            return await submit(tx, [new_job(definition, payload, subject=operator.subject) for payload in payloads])

    jobs = with_store(settings, run)
    if as_json:
        print_json([{"job_id": job, "path": path} for job, path in zip(jobs, files, strict=True)])
        return
    console().print(f"{len(files)} files queued")
