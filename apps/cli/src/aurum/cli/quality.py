"""``aurum quality``: freshness, gaps and checks of the data in the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, plain, print_json, renamed

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.core.catalog.entries import DatasetQuality
    from aurum.core.catalog.validations import ValidationResult
    from aurum.pipelines.quality.marts import MartsReport

app = typer.Typer(help="Freshness, gaps and checks of the data in the store.", no_args_is_help=True)


@app.command("show")
def show(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show freshness, gaps and rows in quarantine of every dataset."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def read(store: Store) -> list[DatasetQuality]:
        return list(await store.quality.log.datasets_quality(now=store.clock.now(), source=source))

    datasets = with_store(context.obj, read)
    if as_json:
        print_json([renamed(one, newest_ts="newest") for one in datasets])
        return
    rows = [
        (
            # Files that no format recognises belong to no dataset.
            f"{one.source}:{one.dataset}" if one.source else "(unknown files)",
            one.series,
            str(one.newest_ts)[:16] if one.newest_ts else "",
            {None: "", True: "stale", False: "fresh"}[one.stale],
            one.incomplete_days,
            one.missing_intervals,
            one.quarantined,
            one.refused_files,
        )
        for one in datasets
    ]
    numbers = ["series", "days with gaps", "missing", "quarantined", "refused files"]
    console().print(table(["dataset", "series", "newest", "state", *numbers[1:]], rows, right=numbers))


@app.command("validate")
def validate(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The file to check. Default: check the marts instead.")
    ] = None,
    mart: Annotated[list[str] | None, typer.Option("--mart", help="Only this mart. Repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the marts of AURUM_DBT__TARGET, or check one file with Great Expectations. Exit code 1 if a check fails.

    Results of marts are recorded and shown at /v2/catalog/quality/validations and /docs/quality.
    """
    if path is None:
        _validate_marts(context.obj, mart, as_json=as_json)
    else:
        _validate_file(context.obj, path, as_json=as_json)


@app.command("docs")
def docs(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="The folder to write to.")],
) -> None:
    """Write the data docs, expectations and results of checks, as static pages."""
    import subprocess
    import sys

    from aurum.common.settings import environment
    from aurum.storage import embedded

    settings: Settings = context.obj
    with embedded.database(settings.database, settings.data_dir) as database:
        # Apps do not import each other, so the API writes its pages as a process of its own.
        arguments = [sys.executable, "-m", "aurum.api", "data-docs", "--out", str(out)]
        run = subprocess.run(arguments, env=environment({"AURUM_DATABASE__URL": database.url or ""}), check=False)  # noqa: S603
    if run.returncode != 0:
        raise typer.Exit(run.returncode)


def _validate_marts(settings: Settings, marts: list[str] | None, *, as_json: bool) -> None:
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.quality.marts import validate_marts

    async def check(pipelines: Pipelines) -> MartsReport:
        recorder, retention = pipelines.store.quality.recorder, pipelines.validation_cleanup
        return await validate_marts(pipelines.marts(), pipelines.mart_suites, recorder, only=marts or None, cleanup=retention)

    report = with_pipelines(settings, check)
    if as_json:
        print_json([mart_document(one) for one in report.results])
    else:
        show_marts(report)
    report.raise_failure()


def mart_document(result: ValidationResult) -> dict[str, object]:
    """Return the result of the checks of a mart as JSON types."""
    return plain(result) | {"failed": result.failed, "warned": result.warned, "success": result.success}


def show_marts(report: MartsReport) -> None:
    """Print the results of mart checks as a table, and the failed expectations as another."""
    from aurum.cli.render import console, table

    out = console()
    verdicts = {True: "ok", False: "failed"}
    rows = [
        (one.mart, one.rows, len(one.outcomes), one.failed, one.warned, verdicts[one.success], one.reason)
        for one in report.results
    ]
    numbers = ["rows", "expectations", "failed", "warned"]
    out.print(table(["mart", *numbers, "result", "why"], rows, right=numbers, text=["why"]))
    failures = [(one.mart, outcome) for one in report.results for outcome in one.outcomes if not outcome.success]
    if failures:
        lines = [
            (
                mart,
                outcome.severity,
                outcome.wording,
                outcome.unexpected,
                outcome.observed or (outcome.sample[0] if outcome.sample else ""),
            )
            for mart, outcome in failures
        ]
        out.print(
            table(
                ["mart", "severity", "expected", "unexpected", "example"],
                lines,
                right=["unexpected"],
                text=["expected", "example"],
            )
        )


def _validate_file(settings: Settings, path: Path, *, as_json: bool) -> None:
    from aurum.cli.render import console, table
    from aurum.common.contracts import contracts_directory
    from aurum.pipelines.loading.isolated import IsolatedFiles
    from aurum.pipelines.quality.great_expectations import validate as run_suite
    from aurum.pipelines.quality.suites import suite_path
    from aurum.pipelines.registry import default_registry
    from aurum.pipelines.source import SourceFile

    of_plugins = default_registry().suites_of_plugins
    folder = contracts_directory(settings.contracts_dir) / "expectations"
    failed = False
    documents: list[dict[str, object]] = []
    for part in IsolatedFiles(settings.files).rows(SourceFile(path.name, path.read_bytes())):
        results = run_suite(part.rows, suite_path(of_plugins.get(part.source, folder), part.source, part.dataset))
        failed = failed or not all(one.success for one in results)
        if as_json:
            dataset = {"source": part.source, "dataset": part.dataset, "rows": part.rows.height}
            documents.append({**dataset, "outcomes": plain(results)})
            continue
        rows = [(one.expectation, one.severity, "ok" if one.success else "failed", one.unexpected) for one in results]
        word = "quotes" if "trade_date" in part.rows.columns else "observations"
        console().print(f"{part.source}:{part.dataset}, {part.rows.height:,} {word}")
        console().print(table(["expectation", "severity", "result", "unexpected"], rows, right=["unexpected"]))
    if as_json:
        print_json(documents)
    if failed:
        raise typer.Exit(1)
