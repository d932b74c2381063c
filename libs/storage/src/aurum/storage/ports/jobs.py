"""The log of jobs, which is the truth about them; messages in a queue only wake workers.

A job is submitted in the transaction of the change that asks for it (``Transaction.jobs``). A relay announces new jobs to the
workers, which claim them here. An attempt is counted when it starts, in a commit of its own, so that a job that ends its
process is counted too. Every method raises ``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from aurum.core.errors import Conflict, NotFound
from aurum.core.jobs.states import JobState, Queue


class UnknownJob(NotFound):
    """No job has this id, or it is one of another tenant. Facts: ``job_id``."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id!r}", job_id=job_id)


class JobHasEnded(Conflict):
    """A job that has ended cannot be cancelled. Facts: ``job_id``, ``state``."""

    def __init__(self, job_id: str, state: JobState) -> None:
        super().__init__(f"job {job_id!r} has ended: it is {state}", job_id=job_id, state=str(state))


class JobNotParked(Conflict):
    """Only parked jobs, and cancelled ones, can be retried, and only parked ones dropped. Facts: ``job_id``, ``state``."""

    def __init__(self, job_id: str, state: JobState) -> None:
        super().__init__(f"job {job_id!r} is {state}, not parked", job_id=job_id, state=str(state))


class ClaimLost(Conflict):
    """The attempt is no longer the one that runs: it was handed to another worker, or cancelled. Its effect must not commit."""

    def __init__(self, job_id: str, attempt: int) -> None:
        super().__init__(f"attempt {attempt} of job {job_id!r} is no longer running", job_id=job_id, attempt=attempt)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be submitted.

    ``payload``: JSON-representable, at most 1 MiB as JSON. ``priority``: 0 to 9, the lower the sooner. ``tenant``: None for a
    job of the platform. ``subject``: who asked for it. ``run_after``: the earliest start; None: at once. ``key``: names the
    effect; a second job of the same tenant with the key of a stored one is not submitted, and the id of the stored one is
    returned. ``exclusive``: at most one job with this text runs at a time, of any name, queue and tenant; None: any number.
    ``parent``: id of the job that submitted it. ``carried``: trace and log fields of the request, as
    ``common.telemetry.work.carried`` returns them.
    """

    name: str
    payload: Mapping[str, object]
    queue: Queue
    priority: int = 5
    tenant: str | None = None
    subject: str = ""
    run_after: datetime | None = None
    key: str | None = None
    exclusive: str | None = None
    parent: str | None = None
    carried: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. ``total``: None while it is unknown. ``note``: what is being worked on."""

    done: int
    total: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the log has it; times in UTC.

    ``attempts``: started so far, since the job was last queued by a person. ``deaths``: processes that it ended, and
    ``losses``: workers that vanished while they ran it. ``reason``: why the last attempt failed, or why the job was parked or
    cancelled; empty without a failure. ``evidence``: of a failure, for operators: the kind of error, the end of the traceback
    or of the process's error output, signal or exit code, peak memory. ``result``: what the function returned.
    """

    job_id: str
    name: str
    payload: Mapping[str, object]
    queue: str
    priority: int
    state: JobState
    tenant: str | None
    subject: str
    attempts: int
    deaths: int
    losses: int
    submitted_at: datetime
    run_after: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    worker: str | None = None
    progress: Progress | None = None
    result: Mapping[str, object] | None = None
    reason: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])
    cancel_requested_at: datetime | None = None
    key: str | None = None
    exclusive: str | None = None
    parent: str | None = None
    carried: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Jobs to be listed; None or empty: all. ``tenant``: only those of it. ``parent``: only those that it submitted."""

    tenant: str | None = None
    states: tuple[JobState, ...] = ()
    queue: str | None = None
    name: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Numbers of jobs of a queue. ``waiting``: ready to run; ``delayed``: queued for later. ``oldest``: when the oldest waiting
    job became ready, UTC; None without one.
    """

    queue: str
    waiting: int
    delayed: int
    running: int
    parked: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerEntry:
    """A worker that reports that it is alive. ``facts``: host, process id, places, as the worker reports them."""

    worker: str
    facts: Mapping[str, object]
    started_at: datetime
    heartbeat_at: datetime
    running: int


class JobLog(Protocol):
    """Reads of the log."""

    async def job(self, job_id: str, *, tenant: str | None = None) -> Job:
        """Return a job. ``tenant``: only if it belongs to this tenant. Raises ``UnknownJob``."""
        ...

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        """Return the jobs with these ids, in any order; ids that no job has are left out. For callers that watch many jobs."""
        ...

    async def page(self, wanted: JobFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Job]:
        """Return jobs, the last submitted first. ``before``: submission and id of the last one already seen."""
        ...

    async def counts(self, *, tenant: str | None = None) -> Sequence[QueueCounts]:
        """Return the numbers of every queue of ``core.jobs.states.Queue``, and of any other that has jobs, by name.

        ``tenant``: count only jobs of it.
        """
        ...

    async def workers(self) -> Sequence[WorkerEntry]:
        """Return the workers, by name. One that ended without ``WorkerLog.leave`` is listed until ``WorkerLog.recover``."""
        ...


class JobWriter(Protocol):
    """Writes to the log, in a transaction. In that of a tenant, only jobs of this tenant are seen."""

    async def submit(self, jobs: Sequence[NewJob]) -> Sequence[str]:
        """Store new jobs and return their ids, in order. Workers learn of them when the transaction commits.

        For a job whose ``key`` is stored already, the id of that one is returned. Raises ``InvalidJob`` for a job that cannot
        be stored, and ``OtherTenant`` in the transaction of a tenant for a job of another one, or of none.
        """
        ...

    async def succeed(self, job_id: str, attempt: int, result: Mapping[str, object] | None = None) -> None:
        """Record, together with the effect of the job, that an attempt has succeeded.

        Call it last in the transaction: until the commit, a cancellation of the job waits. Raises ``ClaimLost``, and
        ``InvalidJob`` for a result that is not JSON.
        """
        ...

    async def cancel(self, job_id: str) -> Job:
        """Cancel a queued job, or ask the worker of a running one to end it, and return the job. Repeating it changes nothing.

        Raises ``UnknownJob``, ``JobHasEnded``.
        """
        ...

    async def retry(self, job_id: str) -> Job:
        """Queue a parked or cancelled job again, with all its attempts left. Raises ``UnknownJob``, ``JobNotParked``."""
        ...

    async def drop(self, job_id: str) -> Job:
        """Delete a parked job and return it. Raises ``UnknownJob``, ``JobNotParked``."""
        ...

    async def delete_ended(self, *, before: datetime, limit: int) -> int:
        """Delete jobs that succeeded or were cancelled before a time, at most ``limit``, and return their number."""
        ...


class Lost(StrEnum):
    """How to claim jobs whose worker vanished before, and which may have been the reason.

    ``INCLUDED``: like all others. ``LEFT``: not at all. ``ALONE``: one of them and no other job; when its worker vanishes
    again, that counts as a death as well.
    """

    INCLUDED = "included"
    LEFT = "left"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that a worker has started.

    ``attempt``: its number among all attempts of the job, which fences off earlier ones. ``attempts``: the number that counts
    towards the limit of the definition, this attempt included: since the job was last queued by a person, and without
    attempts that were handed back.
    """

    job_id: str
    attempt: int
    attempts: int
    name: str
    payload: Mapping[str, object]
    queue: str
    tenant: str | None
    subject: str
    deaths: int
    losses: int
    submitted_at: datetime
    carried: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that the log says runs. ``is_cancelled``: its cancellation was asked for."""

    job_id: str
    attempt: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt.

    ``state``: ``QUEUED`` for another attempt at ``run_after`` (None: at once); a job whose cancellation was asked for becomes
    cancelled instead. ``died``: the process of the job ended by itself; at ``core.jobs.fates.MOST_DEATHS`` the job is parked
    instead of queued. ``handed_back``: the worker stops, so the attempt does not count, and the job keeps its place in the
    queue.
    """

    job_id: str
    attempt: int
    state: JobState
    result: Mapping[str, object] | None = None
    reason: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])
    run_after: datetime | None = None
    died: bool = False
    handed_back: bool = False


@dataclass(frozen=True, slots=True)
class Announced:
    """A job that the relay announces to workers."""

    job_id: str
    queue: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice from the store: new jobs were submitted, or a cancellation was asked for.

    ``job_id``: the job to be cancelled; None for new jobs.
    """

    job_id: str | None = None


class WorkerLog(Protocol):
    """The log as workers use it. Each method is one short transaction."""

    def announcing(self, *, limit: int) -> AbstractAsyncContextManager[Sequence[Announced]]:
        """Yield jobs that are ready and not announced yet. They count as announced, unless the block raises an exception.

        Two relays never get the same job. No transaction is open within the block, so that workers can claim the jobs as soon
        as they receive the announcement. ``unclaimed`` finds the jobs of a relay that dies in the block.
        """
        ...

    async def unclaimed(self, *, for_s: float) -> Sequence[str]:
        """Return the queues with a job that has been ready and announced for ``for_s`` seconds, and that no worker has started.

        Their announcements may be lost: the queue's server was flushed or replaced, or a worker ended with them.
        """
        ...

    async def claim(
        self,
        worker: str,
        queue: str,
        *,
        names: Sequence[str],
        limit: int,
        lost: Lost = Lost.INCLUDED,
    ) -> Sequence[Claim]:
        """Start at most ``limit`` ready jobs of a queue, count their attempts, and return them in the order to run.

        Order: priority; then the tenant with the fewest running jobs of the queue, those that were just started included, and
        of several the one whose turn it is after the last one that this ``WorkerLog`` served; then the time from which a job
        could run. ``names``: the jobs that this worker can run. ``lost``: what to do with jobs whose worker vanished before.
        Jobs whose ``exclusive`` text belongs to a running job are left, and do not hold up the ones behind them. It may return
        fewer jobs than are ready, but returns some if any is ready that no transaction is changing.
        """
        ...

    async def progress(self, job_id: str, attempt: int, progress: Progress) -> None:
        """Record the progress of an attempt. Raises ``ClaimLost``."""
        ...

    async def finish(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        """Record ends of attempts in one commit, and return the ids of those whose attempt still was the one that ran.

        A result that is not JSON parks its job. Texts are shortened and cleaned of characters that cannot be stored.
        """
        ...

    async def heartbeat(self, worker: str, *, facts: Mapping[str, object]) -> None:
        """Record that a worker is alive. ``facts``: host, process id, places, for operators. JSON-representable."""
        ...

    async def leave(self, worker: str) -> None:
        """Forget a worker that stops and has no job any more."""
        ...

    async def recover(self, *, silent_for_s: float) -> Sequence[str]:
        """Queue the jobs of workers without a heartbeat for that long again, and return their ids.

        A loss is counted for each; at ``core.jobs.fates.MOST_LOSSES`` the job is parked instead, and so is one that ran alone
        at ``MOST_DEATHS``. Jobs whose cancellation was asked for become cancelled. A claim counts as a heartbeat. Silent
        workers without jobs are forgotten. Call it only when own heartbeats have succeeded for that long: after an interruption
        of the store every worker looks silent.
        """
        ...

    async def held(self, worker: str) -> Sequence[Held]:
        """Return the attempts that the log says run in a worker, so that the worker learns of those to be cancelled.

        It also learns of claims whose answer was lost with the connection, and hands those jobs back.
        """
        ...

    async def has_lost(self, queue: str, *, names: Sequence[str]) -> bool:
        """Return whether a job that ``claim`` returns with ``Lost.ALONE`` is ready."""
        ...

    async def park_unknown(self, *, names: Sequence[str], queued_for_s: float) -> Sequence[str]:
        """Park jobs that have been ready for that long and whose name is none of ``names``: their definition no longer exists.

        Returns their ids.
        """
        ...

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Notice]]:
        """Yield notices of new jobs and cancellations as they commit. A lost connection raises ``Unavailable``.

        Notices may be lost with the connection, so a caller also looks now and then.
        """
        ...
