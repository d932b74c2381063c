"""``aurum fetch``: downloads published files for a range of days, and loads them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.common.settings import Settings
    from aurum.pipelines.fetch.client import FetchedFile
    from aurum.pipelines.loading.load import FileReport


def register(app: typer.Typer) -> None:
    app.command("fetch")(fetch)


def fetch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Name of the source, from `aurum sources`.")],
    dataset: Annotated[str, typer.Argument(help="Name of the dataset, from `aurum sources SOURCE`.")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files. Default: `fetched` in the data directory.")
    ] = None,
    load: Annotated[bool, typer.Option("--ingest/--no-ingest", help="Load the downloaded files.")] = True,
    as_json: AsJson = False,
) -> None:
    """Download the files of a dataset for a range of days from its publisher, and load them."""
    import asyncio

    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.loading.load import FileOutcome

    settings: Settings = context.obj
    days = _days(first, last)
    folder = out or settings.data_dir / "fetched"
    files = asyncio.run(_fetched(source, dataset, days, folder, as_json=as_json))
    reports = with_pipelines(settings, lambda pipelines: _load(pipelines, files, as_json=as_json)) if load and files else []
    if as_json:
        print_json(reports, files=[one.path for one in files])
    if any(report.outcome is FileOutcome.REFUSED for report in reports):
        raise typer.Exit(REFUSED_FILES)


def _days(first: str, last: str) -> list[date]:
    from aurum.core.errors import Invalid

    begin, end = _day("--from", first), _day("--to", last)
    if begin > end:
        raise Invalid(f"--from {begin} is after --to {end}: swap them")
    return [begin + timedelta(days=count) for count in range((end - begin).days + 1)]


def _day(option: str, text: str) -> date:
    from aurum.core.errors import Invalid
    from aurum.core.markettime import InvalidInstant, parse_day

    try:
        return parse_day(text)
    except InvalidInstant as error:
        raise Invalid(f"{option}: {error.detail}") from error


async def _fetched(source: str, dataset: str, days: list[date], folder: Path, *, as_json: bool) -> list[FetchedFile]:
    from aurum.cli.render import console, progress
    from aurum.pipelines.fetch.client import Fetcher, NotPublished
    from aurum.pipelines.registry import default_registry

    out = console(stderr=as_json)
    downloads: list[FetchedFile] = []
    publisher = default_registry().source(source)
    async with Fetcher(folder) as fetcher:
        with progress(out) as bar:
            for day in bar.track(days, description=f"{source} {dataset}"):
                try:
                    downloads.append(await fetcher.fetch(publisher, dataset, day))
                except NotPublished as error:
                    out.print(error.detail, style="yellow")
    files = list(dict.fromkeys(downloads))  # one file may hold many days
    out.print(f"downloaded {len(downloads)} of {len(days)} days: {len(files)} files in {folder}")
    return files


async def _load(pipelines: Pipelines, files: list[FetchedFile], *, as_json: bool) -> list[FileReport]:
    from aurum.cli.render import console, ingest_summary, print_notices

    await pipelines.declare_catalog()
    reports: list[FileReport] = []
    for one in files:
        documents = pipelines.read(one.path)
        reports += [report async for report in pipelines.ingestion.ingest_all(documents, known_at=one.known_at)]
    out = console(stderr=as_json)
    for report in reports:
        print_notices(out, report)
    out.print(ingest_summary(reports, sum(report.seconds for report in reports)))
    return reports
