"""Rows of jobs, as the statements of this feature read them."""

from __future__ import annotations

from asyncpg import Record

from aurum.core.jobs.states import JobState
from aurum.storage.ports.jobs import Job, Progress

CHANNEL = "aurum_jobs"
"""Notices of new jobs have no text; ``cancel:`` and an id asks for the end of a running job."""
CANCEL = "cancel:"

COLUMNS = """
job_id, name, payload, queue, priority, state, tenant_id, subject, attempts, deaths, losses, submitted_at, run_after,
started_at, ended_at, worker, done, total, note, result, reason, evidence, cancel_requested_at, key, exclusive, parent, carried
"""


def job_of(row: Record) -> Job:
    """Return the job of a row with ``COLUMNS``."""
    return Job(
        job_id=str(row["job_id"]),
        name=row["name"],
        payload=row["payload"],
        queue=row["queue"],
        priority=row["priority"],
        state=JobState(row["state"]),
        tenant=row["tenant_id"],
        subject=row["subject"],
        attempts=row["attempts"],
        deaths=row["deaths"],
        losses=row["losses"],
        submitted_at=row["submitted_at"],
        run_after=row["run_after"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        worker=row["worker"],
        progress=None if row["done"] is None else Progress(row["done"], row["total"], row["note"]),
        result=row["result"],
        reason=row["reason"],
        evidence=row["evidence"],
        cancel_requested_at=row["cancel_requested_at"],
        key=row["key"],
        exclusive=row["exclusive"] or None,
        parent=None if row["parent"] is None else str(row["parent"]),
        carried=row["carried"],
    )
