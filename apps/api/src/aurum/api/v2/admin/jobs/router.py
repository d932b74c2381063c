"""``/v2/admin/jobs``: queues, new jobs and parked jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import on_record
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.jobs import schemas
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.core.markettime import InvalidInstant, parse_day
from aurum.storage.ports.jobs import JobQueue, ParkedJob

if TYPE_CHECKING:
    from jsonschema import ValidationError

router = FeatureRouter(
    # Jobs are of the platform: their payloads name files of every tenant.
    reads=Policy(Permission.ADMIN_WRITE),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/jobs",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

JobId = Annotated[Text, Path(description="Id of the parked job.", examples=["3f2c9a60-6a4b-4f0e-9f55-1c1d2f6f5b7e"])]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_QUEUE = "ingest"


class NoQueue(Unavailable):
    """The service has no Redis, so it has no job queue."""


def _jobs(request: Request) -> JobQueue:
    queue = services(request).jobs
    if queue is None:
        raise NoQueue("the service has no job queue: AURUM_REDIS__URL is not set")
    return queue


@router.get("", operation_id="listQueues", summary="List queues", responses=_FAILURES)
async def list_queues(request: Request) -> schemas.QueueList:
    """List the queues with the number of their jobs, ascending by name."""
    return schemas.QueueList(data=[schemas.QueueDocument(**asdict(one)) for one in await _jobs(request).queues()])


@router.post("", status_code=202, operation_id="createJob", summary="Create a job", responses=_FAILURES)
async def create_job(request: Request, job: schemas.NewJob) -> schemas.JobAnswer:
    """Put a job into its queue, for a worker to carry out. A job that is carried out again changes nothing."""
    _check(request, job)
    jobs, job_id = _jobs(request), str(uuid4())
    await on_record(request, "job.create", job_id, {"name": job.name, "payload": job.payload})
    await jobs.put(job.name, job.payload, queue=_QUEUE, job_id=job_id)
    return schemas.JobAnswer(data=schemas.JobDocument(job_id=job_id, name=job.name, queue=_QUEUE))


@router.get("/parked", operation_id="listParkedJobs", summary="List parked jobs", responses=_FAILURES)
async def list_parked(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> schemas.ParkedPage:
    """List jobs that failed for good, oldest first, each with the reason."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    after = (float(page.after[0]), page.after[1]) if page.after else None
    jobs = await _jobs(request).parked(after=after, limit=page.limit + 1)
    meta = page_meta(request, response, page, jobs, lambda one: (repr(one.parked_at.timestamp()), one.job_id))
    return schemas.ParkedPage.model_validate({"data": [asdict(one) for one in jobs[: page.limit]], "meta": meta})


@router.post(
    "/parked/{parked_job}/retry",
    status_code=202,
    operation_id="retryParkedJob",
    summary="Retry a parked job",
    responses=problems(Unauthenticated, Forbidden, NotFound, Unavailable),
)
async def retry(request: Request, parked_job: JobId) -> schemas.ParkedAnswer:
    """Put a parked job back into its queue as a new one, with all attempts left."""
    jobs = _jobs(request)
    await on_record(request, "job.retry", parked_job, {"name": (await jobs.parked_job(parked_job)).name})
    return _parked(await jobs.retry(parked_job))


@router.delete(
    "/parked/{parked_job}",
    operation_id="discardParkedJob",
    summary="Discard a parked job",
    responses=problems(Unauthenticated, Forbidden, NotFound, Unavailable),
)
async def discard(request: Request, parked_job: JobId) -> schemas.ParkedAnswer:
    """Delete a parked job and return it. The audit log still holds its name and payload."""
    jobs = _jobs(request)
    job = await jobs.parked_job(parked_job)
    await on_record(request, "job.discard", parked_job, {"name": job.name, "payload": dict(job.payload)})
    return _parked(await jobs.discard(parked_job))


def _check(request: Request, job: schemas.NewJob) -> None:
    import jsonschema  # 3 MB, and a tenth of a second to load, for a rare request

    schema = json.loads((request.state.contracts / "events" / f"{job.name}.json").read_text(encoding="utf-8"))
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("date", raises=InvalidInstant)(_is_day)
    validator = jsonschema.Draft202012Validator(schema, format_checker=formats)
    errors = sorted(validator.iter_errors(job.payload), key=lambda error: error.json_path)
    if errors:
        raise InvalidParameters(*((f"payload{one.json_path.removeprefix('$')}", _message(one), None) for one in errors))


def _is_day(value: object) -> bool:
    """Return True for a day, and for a value of another type, which another rule refuses. Raises ``InvalidInstant``."""
    return not isinstance(value, str) or parse_day(value) is not None


def _message(error: ValidationError) -> str:
    """Return why a payload is refused and, where its schema says so, what is accepted."""
    if isinstance(error.cause, InvalidInstant):
        return error.cause.detail
    schema = error.schema if error.validator == "anyOf" and isinstance(error.schema, Mapping) else {}
    accepted = schema.get("description")
    return f"{error.instance!r} is not accepted: {accepted}" if accepted else error.message


def _parked(job: ParkedJob) -> schemas.ParkedAnswer:
    return schemas.ParkedAnswer(data=schemas.ParkedDocument.model_validate(asdict(job)))
