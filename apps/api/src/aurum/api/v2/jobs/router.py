"""``/v2/jobs``: background work: create, list, watch, cancel, retry and drop jobs."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.job_pages import position_of, sort_key
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.event_stream import EVENT_STREAM, EventStream
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.process.drain import Drain
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.jobs import schemas
from aurum.core.access import Caller, Permission
from aurum.core.errors import Conflict, NotFound
from aurum.core.jobs.states import JobState, Queue
from aurum.services.jobs.control import cancel_job, drop_job, retry_job
from aurum.services.jobs.events import mark_of
from aurum.services.jobs.listing import shown_job, visible_tenant
from aurum.services.jobs.submit import create_job
from aurum.storage.ports.jobs import Job, JobFilter

router = FeatureRouter(
    reads=Policy(Permission.JOBS_READ),
    writes=Policy(Permission.JOBS_RUN),
    prefix="/v2/jobs",
    tags=["jobs"],
    dependencies=[Depends(known_only)],
)

_EXAMPLE = "0198f3c2-6a4b-7f0e-9f55-1c1d2f6f5b7e"

JobId = Annotated[Text, Path(description="`job_id` of the job.", examples=[_EXAMPLE])]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=100,
        description="The last `id` received: the stream begins with the next change.",
        examples=["5f1c0a9be2d47c3e"],
    ),
]


@router.get("", operation_id="listJobs", summary="List jobs", responses=problems())
async def list_jobs(
    request: Request,
    response: Response,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.", examples=["parked"])] = None,
    queue: Annotated[Queue | None, Query(description="Only jobs of this queue.", examples=["bulk"])] = None,
    name: Annotated[Text | None, Query(description="Only jobs of this definition.", examples=["fetch.day"])] = None,
    parent: Annotated[Text | None, Query(description="Only jobs that this job created.", examples=[_EXAMPLE])] = None,
    tenant: Annotated[
        Text | None,
        Query(description="Only jobs of this tenant; another than your own needs `admin:write`.", examples=["acme"]),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.JobPage:
    """List jobs, the last created first: those of your tenant, and with `admin:write` those of all tenants and the platform.

    Jobs of another tenant are shown without payload, result and reason, which belong to that tenant.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    caller = caller_of(request)
    wanted = JobFilter(visible_tenant(caller, tenant), (state,) if state is not None else (), queue, name, parent)
    jobs = await services(request).store.jobs.page(wanted, before=position_of(page.after), limit=page.limit + 1)
    meta = page_meta(request, response, page, jobs, sort_key)
    response.headers["Cache-Control"] = "no-store"
    return schemas.JobPage.model_validate({"data": [_document(one, caller) for one in jobs[: page.limit]], "meta": meta})


@router.post("", status_code=202, operation_id="submitJob", summary="Create a job", responses=problems())
async def create(request: Request, response: Response, body: schemas.NewJob) -> schemas.JobAnswer:
    """Create a job, for a worker to carry out. Its definition says which scope that needs.

    It is stored with its record in the audit log before this responds. With an `Idempotency-Key`, the same request creates one
    job, however often it is sent.
    """
    service, caller = services(request), caller_of(request)
    job_id = await create_job(
        service.store.transactions,
        service.definitions,
        body.name,
        body.payload,
        by=actor_of(request),
        tenant=caller.tenant,
        may=caller.scopes,
        key=_key(request, body),
    )
    response.headers["Location"] = f"/v2/jobs/{job_id}"
    return _answer(await service.store.jobs.job(job_id, tenant=visible_tenant(caller)), caller)


@router.get("/definitions", operation_id="listJobDefinitions", summary="List definitions of jobs", responses=problems())
async def list_definitions(request: Request) -> schemas.JobDefinitionList:
    """List all definitions, ascending by name, each with the JSON schema of its payload."""
    definitions = services(request).definitions.by_name
    return schemas.JobDefinitionList(data=[schemas.JobDefinition.of(definitions[name]) for name in sorted(definitions)])


@router.get("/queues", operation_id="listJobQueues", summary="Count jobs by queue", responses=problems())
async def list_queues(request: Request, response: Response) -> schemas.JobQueueList:
    """List the queues, each with the numbers of jobs of your tenant, and with `admin:write` those of all jobs."""
    counts = await services(request).store.jobs.counts(tenant=visible_tenant(caller_of(request)))
    response.headers["Cache-Control"] = "no-store"
    return schemas.JobQueueList(data=[schemas.JobQueue.of(one) for one in counts])


@router.get("/{job_id}", operation_id="readJob", summary="Read a job", responses=problems(NotFound))
async def read_job(request: Request, response: Response, job_id: JobId) -> schemas.JobAnswer:
    """Return a job with its state, progress and result."""
    response.headers["Cache-Control"] = "no-store"
    return _answer(await _visible(request, job_id), caller_of(request))


@router.get(
    "/{job_id}/events",
    operation_id="followJob",
    summary="Follow a job",
    status_code=200,
    response_class=EventStream,
    responses={
        **problems(NotFound),
        200: {
            "description": "Server-sent events: `event` is `state` or `progress`, `data` the state of the job",
            "content": {"text/event-stream": EVENT_STREAM},
        },
        204: {"description": "The job has ended, and `Last-Event-ID` is its last event: do not connect again"},
    },
)
async def follow_job(request: Request, job_id: JobId, last_event_id: LastEventId = None) -> Response:
    """Send the state of a job as a server-sent event, and again after each change, until the job has ended.

    Of several changes within half a second only the last is sent. The stream also ends when the service stops, when keys
    change, and after some minutes; connect again after the time in its field `retry`, with the `id` received last.
    """
    service, caller = services(request), caller_of(request)
    job = await _visible(request, job_id)
    if job.state.has_ended and last_event_id == mark_of(job):
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    if request.scope.get("is_head"):
        return Response(media_type=EventStream.media_type, headers={"Cache-Control": "no-store"})
    drain: Drain | None = request.scope["state"].get("drain")
    if drain is not None:
        drain.call_at_begin(service.job_hub.drain)
    leave = service.hub.places.enter(caller)
    state_of(request.scope).is_listening = True
    events = service.job_hub.stream(job, caller, seen=last_event_id)
    return EventStream(events, send_s=service.hub.send_s, closed=leave)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    operation_id="cancelJob",
    summary="Cancel a job",
    responses=problems(NotFound, Conflict),
)
async def cancel(request: Request, job_id: JobId) -> schemas.JobAnswer:
    """Cancel a job: a queued one at once, a running one within two seconds; until then its state is `running`.

    What it changed and has not committed is undone. The status is 409 for a job that has ended.
    """
    service, caller = services(request), caller_of(request)
    job = await cancel_job(service.store.transactions, job_id, by=actor_of(request), tenant=visible_tenant(caller))
    return _answer(job, caller)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    operation_id="retryJob",
    summary="Retry a job",
    responses=problems(NotFound, Conflict),
)
async def retry(request: Request, job_id: JobId) -> schemas.JobAnswer:
    """Queue a parked or cancelled job again, with all its attempts left. The status is 409 for a job in another state."""
    service, caller = services(request), caller_of(request)
    job = await retry_job(service.store.transactions, job_id, by=actor_of(request), tenant=visible_tenant(caller))
    return _answer(job, caller)


@router.delete("/{job_id}", operation_id="dropJob", summary="Drop a parked job", responses=problems(NotFound, Conflict))
async def drop(request: Request, job_id: JobId) -> schemas.JobAnswer:
    """Delete a parked job and return it. The audit log still holds its name and payload.

    The status is 409 for a job in another state.
    """
    service, caller = services(request), caller_of(request)
    job = await drop_job(service.store.transactions, job_id, by=actor_of(request), tenant=visible_tenant(caller))
    return _answer(job, caller)


async def _visible(request: Request, job_id: str) -> Job:
    """Return a job, if the caller may see it. Raises ``UnknownJob``."""
    return await services(request).store.jobs.job(job_id, tenant=visible_tenant(caller_of(request)))


def _answer(job: Job, caller: Caller) -> schemas.JobAnswer:
    return schemas.JobAnswer(data=_document(job, caller))


def _document(job: Job, caller: Caller) -> schemas.JobDocument:
    return schemas.JobDocument.of(shown_job(job, caller), for_operator=caller.may(Permission.ADMIN_WRITE))


def _key(request: Request, body: schemas.NewJob) -> str | None:
    """Return the key of a job that is created with an ``Idempotency-Key``.

    A request that is repeated because its response was lost then creates no second job, though the response was not stored.
    """
    key = state_of(request.scope).request_headers.get(b"idempotency-key")
    if key is None:
        return None
    parts = (caller_of(request).tenant.encode(), key, body.name.encode(), json.dumps(body.payload, sort_keys=True).encode())
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    return f"request {digest}"
