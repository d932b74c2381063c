"""``aurum curves load``: files with quotes of a tenant's own products."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.pipelines.loading.load import FileReport


def register(group: typer.Typer) -> None:
    """Add the command to ``aurum curves``."""
    group.command("load")(load)


def load(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders or globs: settlements, brokers' workbooks, SIMPLE CSV.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Tenant to whose own products the quotes belong.")],
    venue: Annotated[
        str | None,
        typer.Option(
            "--venue",
            help="Stands in the keys in place of the file's venue; products that the tenant does not have yet are added "
            "with the terms of the shared ones.",
        ),
    ] = None,
    known_at: Annotated[
        str | None, typer.Option("--known-at", help="When the quotes became known, as for `aurum ingest`.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Load files again that were loaded before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load quotes that one tenant alone may see, each file completely or not at all. Exit code 3 if one was refused.

    `aurum ingest` loads the quotes of shared products.
    """
    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.ingest import Verbosity, ingest_files
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.loading.documents import find_files
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileOutcome

    policy, files = KnownAtPolicy.parse(known_at), find_files(paths)
    verbosity = Verbosity.NOTHING if as_json else Verbosity.FILES
    started = time.perf_counter()

    async def run(pipelines: Pipelines) -> list[FileReport]:
        await pipelines.store.access.tenants.tenant(tenant)
        await pipelines.declare_catalog()
        ingestion = pipelines.ingestion_of(tenant, venue)
        return await ingest_files(pipelines, files, policy=policy, force=force, verbosity=verbosity, ingestion=ingestion)

    reports = with_pipelines(context.obj, run)
    if as_json:
        print_json(reports, seconds=time.perf_counter() - started)
    if any(report.outcome is FileOutcome.REFUSED for report in reports):
        raise typer.Exit(REFUSED_FILES)
