"""Positions in lists of jobs, which cursors hold: time of submission and id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aurum.storage.ports.jobs import Job

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def sort_key(job: Job) -> tuple[str, str]:
    """Return the position of a job as a cursor holds it."""
    return str((job.submitted_at - _EPOCH) // _MICROSECOND), job.job_id


def position_of(after: Sequence[str] | None) -> tuple[datetime, str] | None:
    """Return the position that a cursor holds; None for the first page."""
    return (_EPOCH + int(after[0]) * _MICROSECOND, after[1]) if after is not None else None
