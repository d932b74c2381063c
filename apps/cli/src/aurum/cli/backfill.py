"""``aurum backfill``: fetches a range of days of a dataset, and goes on where an earlier call stopped."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import day_of

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.pipelines.fetch.backfill import BackfillReport, DaysLeft
    from aurum.pipelines.fetch.downloads import Plan


def register(app: typer.Typer) -> None:
    app.command("backfill")(backfill)


def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Name of the source, from `aurum sources`.")],
    dataset: Annotated[str, typer.Argument(help="Name of the dataset, from `aurum sources SOURCE`.")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be requested, and request nothing.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=8, help="Publications that are fetched at a time.")] = 2,
    known_at: Annotated[
        str | None,
        typer.Option(help="Known time: 'schedule', 'file', 'now' or a time with an offset. Default: the best that is known."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch and load days that were fetched before, too.")] = False,
    queue: Annotated[bool, typer.Option("--queue", help="Let workers do it, and print the id of the job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a range of days of a dataset from its publisher, and load them. A second call fetches only what is left."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.loading.known_time import KnownAtPolicy

    begin, end = day_of(first, "--from"), day_of(last, "--to")
    KnownAtPolicy.parse(known_at)

    async def act(pipelines: Pipelines) -> int:
        left = await _left(pipelines, source, dataset, begin, end, force=force)
        plan = pipelines.downloads().plan(source, dataset, left.days)
        if dry_run:
            _print_plan(plan, left, as_json=as_json)
            return 0
        if queue:
            arguments = {"source": source, "dataset": dataset, "first": str(begin), "last": str(end)}
            options = {"parallel": parallel, "known_at": known_at, "force": force}
            return await _submit(pipelines, {**arguments, **options}, as_json=as_json)
        return await _run(pipelines, plan, left, parallel, known_at, force=force, as_json=as_json)

    code = with_pipelines(context.obj, act)
    if code:
        raise typer.Exit(code)


async def _left(pipelines: Pipelines, source: str, dataset: str, first: date, last: date, *, force: bool) -> DaysLeft:
    from aurum.pipelines.fetch.backfill import days_left

    declared = pipelines.registry.dataset(source, dataset)
    return await days_left(declared, pipelines.store.watermarks, pipelines.store.clock, first, last, force=force)


def _print_plan(plan: Plan, left: DaysLeft, *, as_json: bool) -> None:
    from aurum.cli.render import console, table

    requests = [
        {"url": request.url, "first": one.days[0], "last": one.days[-1], "days": len(one.days)}
        for one in plan.publications
        for request in one.requests
    ]
    if as_json:
        print_json(requests, days=len(left.days), done_before=left.done, not_published_yet=left.ahead)
        return
    rows = [(one["first"], one["last"], one["days"], one["url"]) for one in requests]
    console().print(table(["first", "last", "days", "address"], rows, right=["days"], text=["address"]))
    print(f"{_counted(left)}: {len(requests)} requests; nothing was requested")


def _counted(left: DaysLeft) -> str:
    done = f", {left.done} were fetched before" if left.done else ""
    ahead = f", {left.ahead} are not published yet" if left.ahead else ""
    return f"{len(left.days)} days to fetch{done}{ahead}"


async def _submit(pipelines: Pipelines, arguments: dict[str, object], *, as_json: bool) -> int:
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.jobs.submit import create_job
    from aurum.storage.ports.access import Actor

    job_id = await create_job(
        pipelines.store.transactions,
        default_definitions(),
        "backfill.range",
        arguments,
        by=Actor("operator"),
        tenant=None,
    )
    if as_json:
        print_json({"job_id": job_id})
    else:
        print(job_id)
    return 0


async def _run(
    pipelines: Pipelines, plan: Plan, left: DaysLeft, parallel: int, known_at: str | None, *, force: bool, as_json: bool
) -> int:
    from aurum.cli.exit_codes import REFUSED_FILES, exit_code
    from aurum.cli.render import console, ingest_summary, progress
    from aurum.pipelines.fetch.backfill import Backfill, run_parts
    from aurum.pipelines.fetch.fetching import Fetched
    from aurum.pipelines.fetch.loads import load_with
    from aurum.pipelines.loading.known_time import KnownAtPolicy
    from aurum.pipelines.loading.load import FileOutcome, FileReport
    from aurum.storage.ports.access import Actor

    await pipelines.declare_catalog()
    out, reports = console(stderr=as_json), list[FileReport]()
    out.print(_counted(left))

    def tell(fetched: Fetched) -> None:
        reports.extend(fetched.reports)

    store, source, dataset = pipelines.store, plan.source, plan.dataset
    policy = KnownAtPolicy.parse(known_at)
    load = load_with(pipelines.fetching(), source, dataset, known_at=policy, force=force, tell=tell)
    work = Backfill(pipelines.registry.dataset(source, dataset), load, store.transactions, store.clock, Actor("operator"))
    with progress(out) as bar:
        task = bar.add_task(f"{source} {dataset}", total=len(left.days))

        async def advance(days: int) -> None:
            bar.advance(task, days)

        report = await run_parts(work, plan.publications, parallel=parallel, progress=advance)
    if reports:
        out.print(ingest_summary(reports, sum(one.seconds for one in reports)))
    _print_report(report, left, as_json=as_json)
    if report.error is not None:
        out.print(f"{report.error.detail}; the same command goes on from here", style="red")
        return exit_code(report.error)
    return REFUSED_FILES if any(one.outcome is FileOutcome.REFUSED for one in reports) else 0


def _print_report(report: BackfillReport, left: DaysLeft, *, as_json: bool) -> None:
    days = {str(state): count for state, count in report.days.items()}
    if as_json:
        error = None if report.error is None else report.error.detail
        print_json(days, done_before=left.done, not_published_yet=left.ahead, error=error)
    else:
        print(", ".join(f"{count} {state}" for state, count in days.items()) or "nothing to fetch")
