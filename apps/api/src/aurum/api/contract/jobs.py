"""Documents of jobs, in responses and in events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aurum.core.jobs.states import JobState
from aurum.storage.ports.jobs import Job, Progress

_JOB_ID = "0198f3c2-6a4b-7f0e-9f55-1c1d2f6f5b7e"


class JobProgress(BaseModel):
    """How far a job is."""

    done: int = Field(description="Number of parts that are done.")
    total: int | None = Field(description="Number of all parts; null while it is unknown.")
    note: str = Field(description="What is being worked on.")

    @classmethod
    def from_domain(cls, progress: Progress) -> JobProgress:
        return cls(done=progress.done, total=progress.total, note=progress.note)


class JobStatus(BaseModel):
    """The state of a job: the data of its events, and part of its document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job_id": _JOB_ID,
                    "name": "fetch.day",
                    "state": "running",
                    "attempts": 1,
                    "progress": {"done": 1, "total": 2, "note": "20251102damlbmp_zone.csv"},
                    "reason": "",
                    "result": None,
                    "run_after": "2025-11-02T15:00:00Z",
                    "started_at": "2025-11-02T15:00:00.125Z",
                    "ended_at": None,
                    "cancel_requested_at": None,
                }
            ]
        }
    )

    job_id: str = Field(examples=[_JOB_ID])
    name: str = Field(description="Name of its definition.", examples=["fetch.day"])
    state: JobState = Field(
        description="`queued`, `running`, or how it ended: `succeeded`, `cancelled`, or `parked`, which means that it failed "
        "for good and waits for a retry or to be dropped."
    )
    attempts: int = Field(description="Attempts that were started since it was created or retried by a person.")
    progress: JobProgress | None = Field(description="Null until the job reports some.")
    reason: str = Field(description="Why the last attempt failed, or why the job was parked or cancelled; else empty.")
    result: dict[str, Any] | None = Field(description="Facts that the job returned, such as numbers of rows; null before.")
    run_after: datetime = Field(description="Earliest start. After a failure that may pass: of the next attempt.")
    started_at: datetime | None = Field(description="Start of the last attempt; null before the first.")
    ended_at: datetime | None = Field(description="Null until the job has ended.")
    cancel_requested_at: datetime | None = Field(description="When its cancellation was asked for; null: it was not.")

    @classmethod
    def from_domain(cls, job: Job) -> JobStatus:
        return cls(**status_fields(job))


def status_fields(job: Job) -> dict[str, Any]:
    """Return the fields of ``JobStatus``."""
    return {
        "job_id": job.job_id,
        "name": job.name,
        "state": job.state,
        "attempts": job.attempts,
        "progress": JobProgress.from_domain(job.progress) if job.progress is not None else None,
        "reason": job.reason,
        "result": dict(job.result) if job.result is not None else None,
        "run_after": job.run_after,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "cancel_requested_at": job.cancel_requested_at,
    }
