"""``aurum fetch``: downloads published files, of a range of days or since the last fetch, and loads them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import day_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aurum.assembly.pipelines import Pipelines
    from aurum.common.settings import Settings
    from aurum.pipelines.fetch.catch_up import CatchUp
    from aurum.pipelines.fetch.downloads import Downloaded, Downloads
    from aurum.pipelines.fetch.fetching import Fetched
    from aurum.storage.ports.watermarks import Watermark


def register(app: typer.Typer) -> None:
    app.command("fetch")(fetch)


def fetch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Name of the source, from `aurum sources`.")],
    dataset: Annotated[
        str | None,
        typer.Argument(help="Name of the dataset, from `aurum sources SOURCE`. Default, without days: all of the source."),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD. Default: since the last fetch.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files. Default: `fetched` in the data directory.")
    ] = None,
    load: Annotated[bool, typer.Option("--ingest/--no-ingest", help="Load the downloaded files.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Download and load files that were loaded before, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download the files of a dataset from its publisher, and load them: of a range of days, or since the last fetch."""
    import asyncio

    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.wiring import with_pipelines
    from aurum.core.errors import Invalid
    from aurum.pipelines.loading.load import FileOutcome

    settings: Settings = context.obj
    if first is None and last is None:
        if not load or force:
            raise Invalid("--no-ingest and --force need days: state --from and --to")
        code = with_pipelines(settings, lambda pipelines: _since_last(pipelines, source, dataset, out, as_json=as_json))
        if code:
            raise typer.Exit(code)
        return
    if dataset is None or first is None or last is None:
        raise Invalid("a range of days needs a dataset, --from and --to")
    days = _days(first, last)
    if load:
        results = with_pipelines(
            settings, lambda pipelines: _fetched(pipelines, source, dataset, days, out, force=force, as_json=as_json)
        )
    else:
        results = asyncio.run(_downloaded(settings, source, dataset, days, out, as_json=as_json))
    reports = [report for result in results for report in result.reports]
    if as_json:
        print_json(reports, files=[file.path for result in results for file in result.download.files])
    if any(report.outcome is FileOutcome.REFUSED for report in reports):
        raise typer.Exit(REFUSED_FILES)


def _days(first: str, last: str) -> list[date]:
    from aurum.core.errors import Invalid

    begin, end = day_of(first, "--from"), day_of(last, "--to")
    if begin > end:
        raise Invalid(f"--from {begin} is after --to {end}: swap them")
    return [begin + timedelta(days=count) for count in range((end - begin).days + 1)]


async def _since_last(pipelines: Pipelines, source: str, dataset: str | None, out: Path | None, *, as_json: bool) -> int:
    """Fetch what is due of one dataset or of all datasets of a source, print a line for each, and return the exit code."""
    from aurum.cli.exit_codes import REFUSED_FILES, UNAVAILABLE
    from aurum.cli.render import console, ingest_summary, print_notices
    from aurum.pipelines.fetch.loads import load_with
    from aurum.pipelines.loading.load import FileOutcome, FileReport
    from aurum.storage.ports.watermarks import FetchState

    await pipelines.declare_catalog()
    printed, fetching = console(stderr=as_json), pipelines.fetching(pipelines.downloads(out))
    reports: list[FileReport] = []

    def tell(fetched: Fetched) -> None:
        reports.extend(fetched.reports)

    publisher = pipelines.registry.source(source)
    names = [one.name for one in publisher.datasets if publisher.public_files(one.name)] if dataset is None else [dataset]
    watermarks: list[Watermark] = []
    for name in names:
        load = load_with(fetching, source, name, tell=tell)
        caught_up = await pipelines.since_last(source, name, load, by="operator").run()
        watermarks.append(caught_up.watermark)
        printed.print(_line(caught_up))
    for report in reports:
        print_notices(printed, report)
    if reports:
        printed.print(ingest_summary(reports, sum(report.seconds for report in reports)))
    if as_json:
        print_json(watermarks, reports=reports)
    if any(one.state is FetchState.FAILING for one in watermarks):
        return UNAVAILABLE
    return REFUSED_FILES if any(report.outcome is FileOutcome.REFUSED for report in reports) else 0


def _line(caught_up: CatchUp) -> str:
    watermark = caught_up.watermark
    reason = f": {watermark.reason}" if watermark.reason else ""
    until = f", fetched to {watermark.fetched_to}" if watermark.fetched_to else ""
    return f"{watermark.source}:{watermark.dataset} {len(caught_up.loaded)} days{until}, {watermark.state}{reason}"


async def _downloaded(
    settings: Settings, source: str, dataset: str, days: list[date], out: Path | None, *, as_json: bool
) -> list[Fetched]:
    from aurum.assembly.fetching import downloads_of
    from aurum.pipelines.fetch.fetching import Fetched
    from aurum.pipelines.registry import default_registry

    downloads = downloads_of(settings, default_registry(), out)

    async def results() -> AsyncGenerator[Fetched]:
        async for download in downloads.run(downloads.plan(source, dataset, days)):
            yield Fetched(download)

    return await _shown(results(), downloads, source, dataset, days, as_json=as_json)


async def _fetched(
    pipelines: Pipelines, source: str, dataset: str, days: list[date], out: Path | None, *, force: bool, as_json: bool
) -> list[Fetched]:
    from aurum.cli.render import console, ingest_summary, print_notices

    await pipelines.declare_catalog()
    downloads = pipelines.downloads(out)
    results = pipelines.fetching(downloads).fetch_days(source, dataset, days, force=force)
    fetched = await _shown(results, downloads, source, dataset, days, as_json=as_json)
    reports = [report for result in fetched for report in result.reports]
    printed = console(stderr=as_json)
    for report in reports:
        print_notices(printed, report)
    if reports:
        printed.print(ingest_summary(reports, sum(report.seconds for report in reports)))
    return fetched


async def _shown(
    results: AsyncGenerator[Fetched],
    downloads: Downloads,
    source: str,
    dataset: str,
    days: list[date],
    *,
    as_json: bool,
) -> list[Fetched]:
    """Collect the results of publications, with a progress bar and a line for each that has no file."""
    from contextlib import aclosing

    from aurum.cli.render import console, progress
    from aurum.pipelines.fetch.downloads import FetchOutcome

    printed = console(stderr=as_json)
    fetched: list[Fetched] = []
    count = len(downloads.plan(source, dataset, days).publications)
    async with aclosing(results):
        with progress(printed) as bar:
            task = bar.add_task(f"{source} {dataset}", total=count)
            async for result in results:
                fetched.append(result)
                bar.advance(task)
                if result.download.outcome is not FetchOutcome.DOWNLOADED:
                    printed.print(result.download.detail, style="yellow")
    printed.print(_summary([result.download for result in fetched], len(days)))
    return fetched


def _summary(downloads: list[Downloaded], wanted: int) -> str:
    from aurum.pipelines.fetch.downloads import FetchOutcome, days_in

    files = sorted({file.path for download in downloads for file in download.files})
    unchanged = days_in(downloads, FetchOutcome.UNCHANGED)
    line = f"downloaded {days_in(downloads, FetchOutcome.DOWNLOADED)} of {wanted} days"
    return line + (f", {unchanged} unchanged" if unchanged else "") + f": {len(files)} files" + _folder(files)


def _folder(files: list[Path]) -> str:
    import os

    return f" in {os.path.commonpath([file.parent for file in files])}" if files else ""
