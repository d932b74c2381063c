"""``aurum dbt``: build and test the models over the store."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.common.settings import Settings
    from aurum.pipelines.models.run import Invocation, RunReport
    from aurum.pipelines.quality.marts import MartsReport

app = typer.Typer(
    help="dbt models over the store: prices, loads, generation and forward curves, for analyses of many series.",
    no_args_is_help=True,
)

Select = Annotated[
    list[str] | None, typer.Option("--select", "-s", help="Only these models, in the syntax of dbt, e.g. fct_lmp_daily+.")
]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", help="Leave out these models.")]
FullRefresh = Annotated[bool, typer.Option("--full-refresh", help="Rebuild incremental models completely.")]


@app.command("build")
def build(
    context: typer.Context,
    select: Select = None,
    exclude: Exclude = None,
    full_refresh: FullRefresh = False,
    as_json: AsJson = False,
) -> None:
    """Build every model, and test each one before the models that depend on it. Exit code 1 if one fails."""
    _run(context.obj, "build", select, exclude, full_refresh=full_refresh, as_json=as_json)


@app.command("run")
def run(
    context: typer.Context,
    select: Select = None,
    exclude: Exclude = None,
    full_refresh: FullRefresh = False,
    as_json: AsJson = False,
) -> None:
    """Build every model without tests. Exit code 1 if one fails."""
    _run(context.obj, "run", select, exclude, full_refresh=full_refresh, as_json=as_json)


@app.command("test")
def check(context: typer.Context, select: Select = None, exclude: Exclude = None, as_json: AsJson = False) -> None:
    """Run the tests of the built models. Exit code 1 if one fails."""
    _run(context.obj, "test", select, exclude, as_json=as_json)


@app.command("freshness")
def freshness(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the age of the newest rows of the store's tables. Exit code 1 if they are older than allowed."""
    _run(context.obj, "freshness", None, None, as_json=as_json)


@app.command("docs")
def docs(context: typer.Context) -> None:
    """Write dbt's documentation of the models, a static page to view through `python -m http.server`."""
    _run(context.obj, "docs", None, None)


@app.command("seeds")
def seeds(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 if a seed differs.")] = False,
) -> None:
    """Write the seeds of the dbt project from the tables in the code."""
    from aurum.pipelines.models.project import project_directory
    from aurum.pipelines.models.seeds import outdated_seeds, write_seeds
    from aurum.pipelines.registry import default_registry

    folder = project_directory(context.obj.dbt.project_dir) / "seeds"
    registry = default_registry()
    paths = list(outdated_seeds(registry, folder)) if check else write_seeds(registry, folder)
    for path in paths:
        print(f"{path.name} {'differs' if check else 'written'}")
    if check and paths:
        raise typer.Exit(1)


def _run(
    settings: Settings,
    verb: str,
    select: list[str] | None,
    exclude: list[str] | None,
    *,
    full_refresh: bool = False,
    as_json: bool = False,
) -> None:
    from aurum.cli.quality import mart_document, show_marts
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.models.run import Invocation, Verb

    invocation = Invocation(Verb(verb), tuple(select or ()), tuple(exclude or ()), full_refresh)
    report, marts = with_pipelines(settings, lambda pipelines: _stoppable(pipelines, invocation))
    if as_json:
        print_json(report.run, warnings=report.warnings, marts=[mart_document(one) for one in marts.results])
    else:
        _show(report, settings)
        if marts.results:
            show_marts(marts)
    report.raise_failure()
    marts.raise_failure()


async def _stoppable(pipelines: Pipelines, invocation: Invocation) -> tuple[RunReport, MartsReport]:
    from aurum.pipelines.quality.marts import MartsReport

    task = asyncio.current_task()
    assert task is not None
    # asyncio.run cancels the task at Ctrl-C; a container is stopped with SIGTERM.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    report = await pipelines.models.run(invocation)
    checked = await pipelines.check_build(report.run) if invocation.verb.builds else None
    return report, checked or MartsReport((), ())


def _show(report: RunReport, settings: Settings) -> None:
    from aurum.cli.render import console, table
    from aurum.pipelines.models.project import ModelPaths, project_directory
    from aurum.storage.ports.models import NodeStatus

    out = console()
    run = report.run
    if run.freshness:
        rows = [
            (one.table, str(one.newest)[:16] if one.newest else "", f"{(one.age_s or 0) / 3600:.1f} h", one.status)
            for one in run.freshness
        ]
        out.print(table(["table", "newest", "age", "state"], rows, right=["age"]))
    problems = [one for one in run.results if one.status in (NodeStatus.FAILED, NodeStatus.WARNED)]
    if problems:
        rows = [(one.model, one.node, one.status, one.message) for one in problems]
        out.print(table(["model", "node", "state", "why"], rows, text=["why"]))
    for warning in report.warnings:
        out.print(f"[yellow]dbt[/yellow] {warning}")
    if run.results:
        counts = ", ".join(f"{report.count(status)} {status}" for status in NodeStatus if report.count(status))
        out.print(f"{run.command} on {run.target}: {counts}, {run.seconds:.1f} s")
    if run.command.startswith("docs") and run.succeeded:
        places = ModelPaths(project_directory(settings.dbt.project_dir), settings.data_dir / "warehouse")
        out.print(f"wrote documentation to {places.artifacts(run.target)}: run `python -m http.server` there to view it")
