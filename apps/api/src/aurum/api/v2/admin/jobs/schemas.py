"""Documents of ``/v2/admin/jobs``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Members

_EXAMPLE = {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}}


class QueueDocument(BaseModel):
    """A queue and the number of its jobs."""

    name: str = Field(examples=["ingest"])
    waiting: int = Field(description="Jobs ready for a worker.")
    delayed: int = Field(description="Jobs that wait for their next attempt after a temporary failure.")
    parked: int = Field(description="Jobs that failed for good; see `/v2/admin/jobs/parked`.")


class QueueList(BaseModel):
    data: list[QueueDocument]


class NewJob(BaseModel):
    """A job to be created."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    name: Literal["ingest.file", "fetch.day", "quarantine.replay", "history.archive"]
    payload: Members = Field(description="Arguments of the job, by the JSON schema of its name in `contracts/events`.")


class JobDocument(BaseModel):
    """A job in the queue."""

    job_id: str
    name: str
    queue: str


class JobAnswer(BaseModel):
    data: JobDocument


class ParkedDocument(BaseModel):
    """A job that failed for good."""

    job_id: str
    name: str
    queue: str
    payload: dict[str, Any] = Field(description="Payload as the queue has it; it may be the cause of the failure.")
    reason: str
    parked_at: datetime


class ParkedPage(BaseModel):
    data: list[ParkedDocument]
    meta: PageMeta


class ParkedAnswer(BaseModel):
    data: ParkedDocument
