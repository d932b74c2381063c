"""Builds that derived curves wait for: submitted again where their jobs failed, were cancelled, or are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from aurum.core.jobs.states import JobState
from aurum.storage.ports.access import Actor
from aurum.storage.ports.derived_curves import REBUILD, DerivedCurve, DerivedCurveReader, rebuild_job
from aurum.storage.ports.jobs import Job, JobFilter, JobLog, JobNotParked, UnknownJob
from aurum.storage.ports.transaction import Transactions

WAIT = timedelta(hours=1)
"""How long a build that failed or was cancelled is left alone, unless an input changed since."""

_PAGE = 500
_LISTED = 5_000


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Derived curves that need a build: how many were ``submitted``, are ``waiting`` for their job, or for that of a curve that
    they read, or are ``left`` alone for a time because their last build failed or was cancelled.
    """

    submitted: int
    waiting: int
    left: int


async def refresh_derived(
    transactions: Transactions, curves: DerivedCurveReader, jobs: JobLog, *, by: Actor, now: datetime
) -> Refreshed:
    """Submit a build of every derived curve that needs one, and has no job that waits or runs.

    A parked or cancelled job of the curve is queued again, so that none is kept for each attempt.
    """
    waiting = await _of_curves(jobs, JobState.QUEUED, JobState.RUNNING)
    ended = await _of_curves(jobs, JobState.PARKED, JobState.CANCELLED)
    submitted = with_job = left = 0
    after: str | None = None
    while page := await curves.to_build(after=after, limit=_PAGE):
        for curve in page:
            if curve.derived_id in waiting or curve.waits_for:
                with_job += 1
            elif not _is_due(curve, ended.get(curve.derived_id), now):
                left += 1
            else:
                await _submit(transactions, curve, ended.get(curve.derived_id), by=by)
                submitted += 1
        after = page[-1].derived_id
    return Refreshed(submitted, with_job, left)


async def _of_curves(jobs: JobLog, *states: JobState) -> Mapping[str, Job]:
    """Return the last submitted job of each curve in some states, by id of the curve."""
    listed: Sequence[Job] = await jobs.page(JobFilter(name=REBUILD, states=states), limit=_LISTED)
    return {str(one.payload["derived_id"]): one for one in reversed(listed)}


def _is_due(curve: DerivedCurve, ended: Job | None, now: datetime) -> bool:
    ends = [at for at in (curve.failed_at, ended.ended_at if ended is not None else None) if at is not None]
    if not ends:
        return True
    return now - max(ends) >= WAIT or any(change.recorded_at > max(ends) for change in curve.changes)


async def _submit(transactions: Transactions, curve: DerivedCurve, ended: Job | None, *, by: Actor) -> None:
    async with transactions.transaction(by=by) as tx:
        if ended is None:
            await tx.jobs.submit([rebuild_job(curve)])
            return
        with suppress(JobNotParked, UnknownJob):  # a person has queued or deleted it meanwhile
            await tx.jobs.retry(ended.job_id)
