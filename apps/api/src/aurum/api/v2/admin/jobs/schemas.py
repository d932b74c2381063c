"""Shapes of ``/v2/admin/jobs``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Members

_EXAMPLE = {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}}


class QueueDocument(BaseModel):
    """A queue and how much is in it."""

    name: str = Field(examples=["ingest"])
    waiting: int
    delayed: int = Field(description="Waiting for its time, after a failure that may pass.")
    parked: int = Field(description="Failed for good; see `/v2/admin/jobs/parked`.")


class QueueList(BaseModel):
    data: list[QueueDocument]


class NewJob(BaseModel):
    """A job to be done; its payload is described by the file of its name in `contracts/events`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    name: Literal["ingest.file", "fetch.day", "quarantine.replay", "history.archive"]
    payload: Members


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
    payload: dict[str, Any] = Field(description="As it stood in the queue, which may be why.")
    reason: str
    parked_at: datetime


class ParkedPage(BaseModel):
    data: list[ParkedDocument]
    meta: PageMeta


class ParkedAnswer(BaseModel):
    data: ParkedDocument
