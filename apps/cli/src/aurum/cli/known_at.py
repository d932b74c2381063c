"""``aurum known-at``: the times at which stored numbers became known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.pipelines.restatement import Step

app = typer.Typer(help="Set the times at which stored numbers became known.", no_args_is_help=True)


@app.command("restate")
def restate(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Source, such as nyiso.")],
    dataset: Annotated[str, typer.Argument(help="Dataset, such as damlbmp_zone.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Date what was loaded as history by the publication rule of its dataset.

    First publications that were taken in long after their usual time get that time; corrections keep theirs. It changes
    answers to a past `as_of`: the audit log records it, and `as_loaded` still shows the store as it stood. It can be stopped
    and run again at any time.
    """
    from aurum.cli.wiring import with_pipelines

    steps = with_pipelines(context.obj, lambda pipelines: _steps(pipelines, source, dataset, dry_run=dry_run))
    points = sum(step.points for step in steps)
    if as_json:
        print_json(steps, points=points, dry_run=dry_run)
        return
    if not steps:
        print(f"{source}:{dataset}: nothing to restate")
        return
    first, last = min(step.first for step in steps), max(step.last for step in steps)
    earliest, latest = min(step.earliest for step in steps), max(step.latest for step in steps)
    verb = "would be" if dry_run else "are"
    print(
        f"{source}:{dataset}: {points:,} observations of {first:%Y-%m-%d} to {last:%Y-%m-%d} {verb} known since their usual "
        f"publication, {earliest:%Y-%m-%d %H:%M} to {latest:%Y-%m-%d %H:%M} UTC"
    )


async def _steps(pipelines: Pipelines, source: str, dataset: str, *, dry_run: bool) -> list[Step]:
    from aurum.pipelines.restatement import Restatement, dataset_to_restate
    from aurum.storage.ports.access import Actor

    declared = dataset_to_restate(pipelines.registry, source, dataset)
    store = pipelines.store
    restatement = Restatement(store.catalog.reader, store.observations.reader, store.transactions, declared, Actor("operator"))
    return [step async for step in restatement.run(dry_run=dry_run)]
