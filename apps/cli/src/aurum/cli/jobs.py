"""``aurum jobs``: background work: lists, watches, creates, cancels, retries and drops jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from aurum.cli.json_output import AsJson, plain, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.core.jobs.states import JobState, Queue
    from aurum.storage.ports.jobs import Job, QueueCounts

app = typer.Typer(help="Jobs: background work.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="Id of the job, from `list`.")]
_INTERNAL = ("carried", "exclusive", "key")
"""Fields of a job that the API does not return."""


@app.command("list")
def list_jobs(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="Only jobs in this state: queued, running, succeeded, parked or cancelled.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Only jobs of this queue: interactive, bulk or maintenance.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs of this definition, e.g. fetch.day.")] = None,
    parent: Annotated[str | None, typer.Option(help="Only jobs that this job created.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only jobs of this tenant.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most jobs to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, the last created first."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.jobs import JobFilter

    wanted = JobFilter(tenant, _state(state), _queue(queue), name, parent)

    async def fetch(store: Store) -> Sequence[Job]:
        return await store.jobs.page(wanted, limit=limit)

    jobs = with_store(context.obj, fetch)
    if as_json:
        print_json([_document(one) for one in jobs])
        return
    rows = [
        (one.job_id, one.name, one.state, one.queue, _seconds(one.submitted_at), one.attempts, _progress(one), one.reason)
        for one in jobs
    ]
    headings = ["job", "name", "state", "queue", "created", "attempts", "progress", "reason"]
    console().print(table(headings, rows, right=["attempts"], text=["reason"]))
    if len(jobs) == limit:
        print(f"only the last {limit} jobs are shown: raise --limit for more")


@app.command("show")
def show(context: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Show a job with its payload, its result, and the evidence of its last failure."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    job = with_store(context.obj, lambda store: store.jobs.job(job_id))
    if as_json:
        print_json(_document(job))
        return
    rows = [(field, _cell(value)) for field, value in _document(job).items()]
    console().print(table(["field", "value"], rows, text=["value"]))


@app.command("watch")
def watch(context: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Print each change of a job until it has ended. Exit code 0 if it succeeded, else 1. Ctrl-C leaves the job as it is."""
    _watch(context.obj, job_id, as_json=as_json)


@app.command("submit")
def submit(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a definition, from `definitions`.")],
    payload: Annotated[str, typer.Argument(help="Arguments of the job as a JSON object.")] = "{}",
    tenant: Annotated[str | None, typer.Option(help="Tenant that the job belongs to, where its definition needs one.")] = None,
    until_end: Annotated[bool, typer.Option("--watch", help="Watch the job until it has ended, as `watch` does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a job, for a worker to carry out, and print its id."""
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.jobs.submit import create_job
    from aurum.storage.ports.access import Actor

    arguments = _arguments(payload)

    async def create(store: Store) -> str:
        if tenant is not None:
            await store.access.tenants.tenant(tenant)
        return await create_job(store.transactions, default_definitions(), name, arguments, by=Actor("operator"), tenant=tenant)

    job_id = with_store(context.obj, create)
    if until_end:
        _watch(context.obj, job_id, as_json=as_json)
    elif as_json:
        print_json(_document(with_store(context.obj, lambda store: store.jobs.job(job_id))))
    else:
        print(job_id)


@app.command("cancel")
def cancel(context: typer.Context, job_id: JobId) -> None:
    """Cancel a queued job at once, or a running one within two seconds."""
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.control import cancel_job
    from aurum.storage.ports.access import Actor

    job = with_store(context.obj, lambda store: cancel_job(store.transactions, job_id, by=Actor("operator"), tenant=None))
    print(f"{job_id} is cancelled" if job.state.has_ended else f"{job_id} is being cancelled: its worker ends it")


@app.command("retry")
def retry(context: typer.Context, job_id: JobId) -> None:
    """Queue a parked or cancelled job again, with all its attempts left."""
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.control import retry_job
    from aurum.storage.ports.access import Actor

    with_store(context.obj, lambda store: retry_job(store.transactions, job_id, by=Actor("operator"), tenant=None))
    print(f"{job_id} is queued again")


@app.command("drop")
def drop(context: typer.Context, job_id: JobId) -> None:
    """Delete a parked job. The audit log still holds its name and payload."""
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.control import drop_job
    from aurum.storage.ports.access import Actor

    with_store(context.obj, lambda store: drop_job(store.transactions, job_id, by=Actor("operator"), tenant=None))
    print(f"{job_id} is dropped")


@app.command("queues")
def queues(context: typer.Context, as_json: AsJson = False) -> None:
    """Count the jobs of each queue."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> Sequence[QueueCounts]:
        return await store.jobs.counts()

    counts = with_store(context.obj, fetch)
    if as_json:
        print_json([{("name" if field == "queue" else field): value for field, value in plain(one).items()} for one in counts])
        return
    numbers = ["waiting", "delayed", "running", "parked"]
    rows = [(one.queue, one.waiting, one.delayed, one.running, one.parked, _seconds(one.oldest)) for one in counts]
    console().print(table(["queue", *numbers, "oldest waits since"], rows, right=numbers))


@app.command("definitions")
def definitions(as_json: AsJson = False) -> None:
    """List the definitions of jobs. With --json, each has the JSON schema of its payload."""
    from aurum.cli.render import console, table
    from aurum.services.jobs.definitions import default_definitions

    by_name = default_definitions().by_name
    known = [by_name[name] for name in sorted(by_name)]
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "summary": one.summary,
                    "queue": one.queue,
                    "scope": one.permission,
                    "attempts": one.attempts,
                    "time_limit_s": one.time_limit_s,
                    "payload_schema": one.schema(),
                }
                for one in known
            ]
        )
        return
    rows = [(one.name, one.queue, ", ".join(one.payload.model_fields), one.summary) for one in known]
    console().print(table(["name", "queue", "payload", "summary"], rows, text=["summary"]))


def _watch(settings: Settings, job_id: str, *, as_json: bool) -> None:
    """Print each change of a job, or with ``as_json`` the job at its end. Exits with 1 unless it succeeded."""
    from aurum.cli.exit_codes import UNAVAILABLE
    from aurum.cli.render import console, safe
    from aurum.cli.wiring import with_store
    from aurum.core.jobs.states import JobState
    from aurum.services.jobs.events import follow

    out = console()

    async def run(store: Store) -> Job | None:
        last: Job | None = None
        async for event, job in follow(store.jobs, job_id):
            last = job
            if not as_json:
                out.print(safe(f"{_seconds(store.clock.now())}  {event}: {_line(job)}"))
        return last

    job = with_store(settings, run)
    if as_json and job is not None:
        print_json(_document(job))
    if job is None or job.state is not JobState.SUCCEEDED:
        raise typer.Exit(UNAVAILABLE)


def _line(job: Job) -> str:
    """Return one line about a job: its state, its progress, and why it failed or what it returned."""
    parts = [f"{job.state}, attempt {job.attempts}" if job.attempts else str(job.state)]
    if not job.state.has_ended and job.progress is not None:
        parts.append(_progress(job))
    if job.cancel_requested_at is not None and not job.state.has_ended:
        parts.append("cancellation requested")
    if job.reason:
        parts.append(job.reason)
    if job.result:
        parts.append(json.dumps(plain(job.result)))
    return "; ".join(parts)


def _progress(job: Job) -> str:
    progress = job.progress
    if progress is None:
        return ""
    count = f"{progress.done:,}" if progress.total is None else f"{progress.done:,} of {progress.total:,}"
    return f"{count} ({progress.note})" if progress.note else count


def _document(job: Job) -> dict[str, Any]:
    """Return a job with the field names of the API."""
    document = {field: value for field, value in cast("dict[str, Any]", plain(job)).items() if field not in _INTERNAL}
    return {**document, "evidence": document["evidence"] or None}


def _cell(value: object) -> object:
    return json.dumps(value, indent=2) if isinstance(value, dict | list) else value


def _seconds(instant: object) -> str:
    return str(instant)[:19] if instant is not None else ""


def _state(text: str | None) -> tuple[JobState, ...]:
    from aurum.core.errors import InvalidParameters
    from aurum.core.jobs.states import JobState

    if text is None:
        return ()
    if text not in list(JobState):
        raise InvalidParameters(("--state", f"is none of {', '.join(JobState)}", text))
    return (JobState(text),)


def _queue(text: str | None) -> Queue | None:
    from aurum.core.errors import InvalidParameters
    from aurum.core.jobs.states import Queue

    if text is None:
        return None
    if text not in list(Queue):
        raise InvalidParameters(("--queue", f"is none of {', '.join(Queue)}", text))
    return Queue(text)


def _arguments(text: str) -> dict[str, Any]:
    """Return the JSON object of a text. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    expected = 'must be a JSON object, such as \'{"source": "nyiso"}\''
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidParameters(("payload", f"{expected}: {error}", text)) from error
    if not isinstance(value, dict):
        raise InvalidParameters(("payload", expected, text))
    return cast("dict[str, Any]", value)
