"""Documents of ``/v2/jobs``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.jobs import JobStatus, status_fields
from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Members, Text
from aurum.services.jobs.definition import Definition
from aurum.storage.ports.jobs import Job, QueueCounts

_FETCH: dict[str, Any] = {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}
_NEW_JOB: dict[str, Any] = {"name": "fetch.day", "payload": _FETCH}


class JobDocument(JobStatus):
    """A job."""

    queue: str = Field(description="`interactive`, `bulk` or `maintenance`.", examples=["bulk"])
    priority: int = Field(description="0 to 9; the lower the sooner, within its queue.")
    tenant: str | None = Field(description="Tenant that it belongs to; null: a job of the platform.")
    subject: str = Field(description="Who created it, such as `key:3f2c9a606a4b4f0e`; empty: Aurum itself.")
    payload: dict[str, Any] = Field(
        description="Its arguments, by the schema of its definition; empty for a job of another tenant.", examples=[_FETCH]
    )
    deaths: int = Field(description="Processes that it ended, for example by using too much memory.")
    losses: int = Field(description="Workers that vanished while they ran it.")
    submitted_at: datetime
    parent: str | None = Field(description="Id of the job that created it; null: none did.")
    worker: str | None = Field(description="Worker of the last attempt; null before the first, and without `admin:write`.")
    evidence: dict[str, Any] | None = Field(
        description="Of its last failure: kind of error, end of the traceback or of the error output, signal, memory. Null "
        "without a failure, and without `admin:write`."
    )

    @classmethod
    def of(cls, job: Job, *, for_operator: bool) -> JobDocument:
        """Return the document of a job. ``for_operator``: with the evidence of a failure, which may show paths of a server."""
        return cls(
            **status_fields(job),
            queue=job.queue,
            priority=job.priority,
            tenant=job.tenant,
            subject=job.subject,
            payload=dict(job.payload),
            deaths=job.deaths,
            losses=job.losses,
            submitted_at=job.submitted_at,
            parent=job.parent,
            worker=job.worker if for_operator else None,
            evidence=(dict(job.evidence) or None) if for_operator else None,
        )


class JobPage(BaseModel):
    """Jobs, the last created first."""

    data: list[JobDocument]
    meta: PageMeta


class JobAnswer(BaseModel):
    data: JobDocument


class NewJob(BaseModel):
    """A job to be created."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [_NEW_JOB]},
    )

    name: Text = Field(description="Name of a definition; `/v2/jobs/definitions` lists them.")
    payload: Members = Field(default_factory=dict, description="Arguments of the job, by the schema of its definition.")


class JobDefinition(BaseModel):
    """A definition of jobs."""

    name: str = Field(examples=["fetch.day"])
    summary: str = Field(description="What a job does, in one sentence.")
    queue: str = Field(examples=["bulk"])
    scope: str | None = Field(
        description="Scope that creating such a job needs, besides `jobs:run`; null: only Aurum itself creates them. Jobs that "
        "need `admin:write` belong to the platform, other jobs to the tenant of their creator.",
        examples=["admin:write"],
    )
    attempts: int = Field(description="Most attempts; each failure that may pass is followed by another attempt, after a wait.")
    time_limit_s: float = Field(description="Longest time of an attempt, in seconds.")
    payload_schema: dict[str, Any] = Field(description="JSON schema (draft 2020-12) of the payload.")

    @classmethod
    def of(cls, definition: Definition) -> JobDefinition:
        return cls(
            name=definition.name,
            summary=definition.summary,
            queue=definition.queue,
            scope=definition.permission,
            attempts=definition.attempts,
            time_limit_s=definition.time_limit_s,
            payload_schema=definition.schema(),
        )


class JobDefinitionList(BaseModel):
    data: list[JobDefinition]


class JobQueue(BaseModel):
    """A queue, and the numbers of its jobs that the caller sees."""

    name: str = Field(examples=["bulk"])
    waiting: int = Field(description="Jobs that are ready for a worker.")
    delayed: int = Field(description="Jobs that wait for the time of their next attempt, or of their first.")
    running: int
    parked: int = Field(description="Jobs that failed for good.")
    oldest: datetime | None = Field(description="Since when the oldest waiting job is ready; null: none waits.")

    @classmethod
    def of(cls, counts: QueueCounts) -> JobQueue:
        return cls(
            name=counts.queue,
            waiting=counts.waiting,
            delayed=counts.delayed,
            running=counts.running,
            parked=counts.parked,
            oldest=counts.oldest,
        )


class JobQueueList(BaseModel):
    data: list[JobQueue]
