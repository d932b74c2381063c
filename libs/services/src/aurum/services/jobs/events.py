"""Changes of a job while somebody watches it. They are looked for in the log, so each shows the job as it is at that moment;
of several changes between two looks only the last is seen.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from enum import StrEnum

from aurum.storage.ports.jobs import Job, JobLog

LOOK_EVERY_S = 0.5
"""Seconds between two looks."""


class JobEvent(StrEnum):
    """The kind of a change: of the state, or only of the progress."""

    STATE = "state"
    PROGRESS = "progress"


def mark_of(job: Job) -> str:
    """Return a short text that differs whenever something about a job differs that a watcher sees."""
    shown = (_state(job), job.progress)
    return hashlib.blake2s(repr(shown).encode(), digest_size=8).hexdigest()


def event_of(job: Job, before: Job | None) -> JobEvent | None:
    """Return what has changed since ``before``, which is None for a job that was not seen yet; None: nothing."""
    if before is None or _state(job) != _state(before):
        return JobEvent.STATE
    return JobEvent.PROGRESS if job.progress != before.progress else None


async def follow(
    log: JobLog,
    job_id: str,
    *,
    tenant: str | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[tuple[JobEvent, Job]]:
    """Yield a job as it is, then after each change, until it has ended. ``tenant``: only a job of it.

    Raises ``UnknownJob``, also when the job is deleted meanwhile, and ``Unavailable``.
    """
    before: Job | None = None
    while before is None or not before.state.has_ended:
        if before is not None:
            await pause(LOOK_EVERY_S)
        job = await log.job(job_id, tenant=tenant)
        event = event_of(job, before)
        before = job
        if event is not None:
            yield event, job


def _state(job: Job) -> tuple[object, ...]:
    times = (job.started_at, job.ended_at, job.cancel_requested_at)
    # A queued job waits for its next attempt; what it waits for is told by its reason.
    return str(job.state), job.attempts, *times, job.run_after, job.reason
