"""``/v2/admin/jobs``: queues, new jobs and parked jobs, in the shapes from before ``/v2/jobs``, which replaces them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.deprecation import deprecated
from aurum.api.handlers.job_pages import position_of, sort_key
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.jobs import schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.core.jobs.states import JobState
from aurum.services.jobs.control import drop_job, retry_job
from aurum.services.jobs.listing import shown_job
from aurum.services.jobs.submit import create_job
from aurum.storage.ports.jobs import Job, JobFilter, UnknownJob

router = FeatureRouter(
    # It shows jobs of the platform and of every tenant.
    reads=Policy(Permission.ADMIN_WRITE),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/jobs",
    tags=["admin"],
    dependencies=[
        Depends(known_only),
        deprecated(
            since=datetime(2026, 12, 1, tzinfo=UTC),
            ends=datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC),
            successor="/v2/jobs",
            guide="/docs/guides/jobs",
        ),
    ],
    deprecated=True,
)

JobId = Annotated[Text, Path(description="Id of the parked job.", examples=["0198f3c2-6a4b-7f0e-9f55-1c1d2f6f5b7e"])]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable)


@router.get("", operation_id="listQueues", summary="List queues", responses=_FAILURES)
async def list_queues(request: Request) -> schemas.QueueList:
    """List the queues with the number of their jobs, ascending by name. Use `/v2/jobs/queues` instead."""
    counts = await services(request).store.jobs.counts()
    return schemas.QueueList(
        data=[
            schemas.QueueDocument(name=one.queue, waiting=one.waiting, delayed=one.delayed, parked=one.parked) for one in counts
        ]
    )


@router.post("", status_code=202, operation_id="createJob", summary="Create a job", responses=_FAILURES)
async def create(request: Request, job: schemas.RequestedJob) -> schemas.QueuedJobAnswer:
    """Put a job into its queue, for a worker to carry out. Use `POST /v2/jobs` instead."""
    service, caller = services(request), caller_of(request)
    job_id = await create_job(
        service.store.transactions,
        service.definitions,
        job.name,
        job.payload,
        by=actor_of(request),
        tenant=caller.tenant,
        may=caller.scopes,
    )
    queue = service.definitions[job.name].queue
    return schemas.QueuedJobAnswer(data=schemas.QueuedJobDocument(job_id=job_id, name=job.name, queue=queue))


@router.get("/parked", operation_id="listParkedJobs", summary="List parked jobs", responses=_FAILURES)
async def list_parked(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> schemas.ParkedPage:
    """List jobs that failed for good, the last created first, each with the reason. Use `/v2/jobs?state=parked` instead."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    jobs = await services(request).store.jobs.page(
        JobFilter(states=(JobState.PARKED,)), before=position_of(page.after), limit=page.limit + 1
    )
    meta = page_meta(request, response, page, jobs, sort_key)
    data = [schemas.ParkedDocument.of(shown_job(one, caller_of(request))) for one in jobs[: page.limit]]
    return schemas.ParkedPage.model_validate({"data": data, "meta": meta})


@router.post(
    "/parked/{parked_job}/retry",
    status_code=202,
    operation_id="retryParkedJob",
    summary="Retry a parked job",
    responses=_ONE,
)
async def retry(request: Request, parked_job: JobId) -> schemas.ParkedAnswer:
    """Put a parked job back into its queue, with all attempts left. Use `POST /v2/jobs/{job_id}/retry` instead."""
    parked = await _parked(request, parked_job)
    await retry_job(services(request).store.transactions, parked_job, by=actor_of(request), tenant=None)
    return schemas.ParkedAnswer(data=schemas.ParkedDocument.of(shown_job(parked, caller_of(request))))


@router.delete("/parked/{parked_job}", operation_id="discardParkedJob", summary="Discard a parked job", responses=_ONE)
async def discard(request: Request, parked_job: JobId) -> schemas.ParkedAnswer:
    """Delete a parked job and return it. Use `DELETE /v2/jobs/{job_id}` instead."""
    await _parked(request, parked_job)
    dropped = await drop_job(services(request).store.transactions, parked_job, by=actor_of(request), tenant=None)
    return schemas.ParkedAnswer(data=schemas.ParkedDocument.of(shown_job(dropped, caller_of(request))))


async def _parked(request: Request, job_id: str) -> Job:
    """Return a parked job. Raises ``UnknownJob`` for a job in another state as well, as these routes always did."""
    job = await services(request).store.jobs.job(job_id)
    if job.state is not JobState.PARKED:
        raise UnknownJob(job_id)
    return job
