"""Documents of ``/v2/admin/jobs``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Members, Text
from aurum.storage.ports.jobs import Job

_EXAMPLE = {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}}


class QueueDocument(BaseModel):
    """A queue and the number of its jobs."""

    name: str = Field(examples=["bulk"])
    waiting: int = Field(description="Jobs ready for a worker.")
    delayed: int = Field(description="Jobs that wait for their next attempt after a temporary failure.")
    parked: int = Field(description="Jobs that failed for good; see `/v2/admin/jobs/parked`.")


class QueueList(BaseModel):
    data: list[QueueDocument]


class RequestedJob(BaseModel):
    """A job to be created."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    name: Text = Field(description="Name of a definition; `/v2/jobs/definitions` lists them.")
    payload: Members = Field(description="Arguments of the job, by the schema of its definition.")


class QueuedJobDocument(BaseModel):
    """A job in its queue."""

    job_id: str
    name: str
    queue: str


class QueuedJobAnswer(BaseModel):
    data: QueuedJobDocument


class ParkedDocument(BaseModel):
    """A job that failed for good."""

    job_id: str
    name: str
    queue: str
    payload: dict[str, Any] = Field(description="Payload of the job; it may be the cause of the failure.")
    reason: str
    parked_at: datetime

    @classmethod
    def of(cls, job: Job) -> ParkedDocument:
        return cls(
            job_id=job.job_id,
            name=job.name,
            queue=job.queue,
            payload=dict(job.payload),
            reason=job.reason,
            parked_at=job.ended_at or job.submitted_at,
        )


class ParkedPage(BaseModel):
    data: list[ParkedDocument]
    meta: PageMeta


class ParkedAnswer(BaseModel):
    data: ParkedDocument
