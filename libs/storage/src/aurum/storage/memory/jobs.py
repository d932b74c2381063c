"""The log of jobs in dictionaries."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

from aurum.core.clock import Clock
from aurum.core.errors import Invalid
from aurum.core.jobs.fates import MOST_DEATHS, MOST_LOSSES
from aurum.core.jobs.states import JobState, Queue
from aurum.storage.job_values import (
    LONGEST_NOTE,
    InvalidJob,
    check_new_job,
    evidence_json,
    job_uuid,
    new_job_ids,
    storable,
    stored_json,
    stored_reason,
)
from aurum.storage.memory.state import MemoryState, StoredJob
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.jobs import (
    Announced,
    Claim,
    ClaimLost,
    Held,
    Job,
    JobFilter,
    JobHasEnded,
    JobNotParked,
    Lost,
    NewJob,
    Notice,
    Outcome,
    Progress,
    QueueCounts,
    UnknownJob,
    WorkerEntry,
)


def _is_waiting(stored: StoredJob) -> bool:
    return stored.job.state is JobState.QUEUED


def _is_running(stored: StoredJob, attempt: int | None = None) -> bool:
    return stored.job.state is JobState.RUNNING and attempt in (None, stored.attempt)


class MemoryJobLog:
    """``JobLog`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def job(self, job_id: str, *, tenant: str | None = None) -> Job:
        return _stored(self._state, job_id, tenant).job

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        uuids = {str(job_uuid(job_id)) for job_id in job_ids}
        return [stored.job for job_id, stored in self._state.jobs.items() if job_id in uuids]

    async def page(self, wanted: JobFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Job]:
        if before is not None and job_uuid(before[1]) is None:
            raise Invalid(f"{before[1]!r} is not the id of a job")
        jobs = [
            stored.job
            for stored in self._state.jobs.values()
            if wanted.tenant in (None, stored.job.tenant)
            and (not wanted.states or stored.job.state in wanted.states)
            and wanted.queue in (None, stored.job.queue)
            and wanted.name in (None, stored.job.name)
            and wanted.parent in (None, stored.job.parent)
            and (before is None or _submission(stored.job) < before)
        ]
        return sorted(jobs, key=_submission, reverse=True)[:limit]

    async def counts(self, *, tenant: str | None = None) -> Sequence[QueueCounts]:
        now = self._clock.now()
        jobs = [stored.job for stored in self._state.jobs.values() if tenant in (None, stored.job.tenant)]
        names = {str(queue) for queue in Queue} | {job.queue for job in jobs if job.state not in _GONE}
        return [_counts_of(name, [job for job in jobs if job.queue == name], now) for name in sorted(names)]

    async def workers(self) -> Sequence[WorkerEntry]:
        running = Counter(stored.job.worker for stored in self._state.jobs.values() if _is_running(stored))
        return [replace(entry, running=running[name]) for name, entry in sorted(self._state.job_workers.items())]


class MemoryJobWriter:
    """``JobWriter`` in memory. ``tenant``: that of the transaction, None when it has none."""

    def __init__(self, state: MemoryState, clock: Clock, tenant: str | None) -> None:
        self._state = state
        self._clock = clock
        self._tenant = tenant

    async def submit(self, jobs: Sequence[NewJob]) -> Sequence[str]:
        for job in jobs:
            if self._tenant is not None and job.tenant != self._tenant:
                raise OtherTenant(self._tenant, job.tenant)
            check_new_job(job)
        now = self._clock.now()
        ids = new_job_ids(len(jobs), at_ms=int(now.timestamp() * 1000), first=self._state.last_job_number)
        self._state.last_job_number += len(jobs)
        new = [_new_job(str(job_id), job, now) for job_id, job in zip(ids, jobs, strict=True)]
        return [self._insert(job, now) for job in new]

    def _insert(self, job: Job, now: datetime) -> str:
        if job.key is not None:
            stored = self._state.job_keys.get((job.tenant, job.key))
            if stored is not None:
                return stored
            self._state.job_keys[job.tenant, job.key] = job.job_id
        self._state.jobs[job.job_id] = StoredJob(job)
        if job.run_after <= now:
            _notify(self._state, Notice())
        return job.job_id

    async def succeed(self, job_id: str, attempt: int, result: Mapping[str, object] | None = None) -> None:
        stored_result = None if result is None else _decoded(stored_json("result", result))
        stored = self._state.jobs.get(job_id)
        if stored is None or not _is_running(stored, attempt) or self._tenant not in (None, stored.job.tenant):
            raise ClaimLost(job_id, attempt)
        ended = replace(stored.job, state=JobState.SUCCEEDED, ended_at=self._clock.now(), result=stored_result)
        self._state.jobs[job_id] = replace(stored, job=ended)

    async def cancel(self, job_id: str) -> Job:
        stored = self._own(job_id)
        job, now = stored.job, self._clock.now()
        if job.state.has_ended:
            raise JobHasEnded(job_id, job.state)
        if job.state is JobState.QUEUED:
            reason = "cancelled before it began"
            job = replace(job, state=JobState.CANCELLED, ended_at=now, cancel_requested_at=now, reason=reason)
        else:
            job = replace(job, cancel_requested_at=job.cancel_requested_at or now)
            _notify(self._state, Notice(job.job_id))
        self._state.jobs[job.job_id] = replace(stored, job=job)
        return job

    async def retry(self, job_id: str) -> Job:
        stored = self._own(job_id)
        if stored.job.state not in (JobState.PARKED, JobState.CANCELLED):
            raise JobNotParked(job_id, stored.job.state)
        job = replace(
            stored.job,
            state=JobState.QUEUED,
            attempts=0,
            deaths=0,
            losses=0,
            run_after=self._clock.now(),
            started_at=None,
            ended_at=None,
            worker=None,
            progress=None,
            reason="",
            evidence={},
            cancel_requested_at=None,
        )
        self._state.jobs[job.job_id] = StoredJob(job, stored.attempt)
        _notify(self._state, Notice())
        return job

    async def drop(self, job_id: str) -> Job:
        job = self._own(job_id).job
        if job.state is not JobState.PARKED:
            raise JobNotParked(job_id, job.state)
        _delete(self._state, job)
        return job

    async def delete_ended(self, *, before: datetime, limit: int) -> int:
        ended = [
            stored.job
            for stored in self._state.jobs.values()
            if stored.job.state in _GONE
            and stored.job.ended_at is not None
            and stored.job.ended_at < before
            and self._tenant in (None, stored.job.tenant)
        ]
        chosen = sorted(ended, key=lambda job: cast("datetime", job.ended_at))[:limit]
        for job in chosen:
            _delete(self._state, job)
        return len(chosen)

    def _own(self, job_id: str) -> StoredJob:
        return _stored(self._state, job_id, self._tenant)


class MemoryWorkerLog:
    """``WorkerLog`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._served: dict[str, str] = {}

    @asynccontextmanager
    async def announcing(self, *, limit: int) -> AsyncGenerator[Sequence[Announced]]:
        now = self._clock.now()
        async with self._state.lock:
            ready = [stored for stored in self._ready() if stored.announced_at is None]
            chosen = sorted(ready, key=lambda stored: _readiness(stored.job))[:limit]
            for stored in chosen:
                self._state.jobs[stored.job.job_id] = replace(stored, announced_at=now)
        try:
            yield [Announced(stored.job.job_id, stored.job.queue) for stored in chosen]
        except BaseException:
            async with self._state.lock:
                for job_id in [stored.job.job_id for stored in chosen]:
                    stored = self._state.jobs.get(job_id)
                    if stored is not None and _is_waiting(stored):
                        self._state.jobs[job_id] = replace(stored, announced_at=None)
            raise

    async def unclaimed(self, *, for_s: float) -> Sequence[str]:
        latest = self._clock.now() - timedelta(seconds=for_s)
        waiting = [stored for stored in self._ready() if stored.announced_at is not None and stored.job.run_after <= latest]
        return sorted({stored.job.queue for stored in waiting if cast("datetime", stored.announced_at) <= latest})

    async def claim(
        self, worker: str, queue: str, *, names: Sequence[str], limit: int, lost: Lost = Lost.INCLUDED
    ) -> Sequence[Claim]:
        async with self._state.lock:
            now = self._clock.now()
            running = [stored.job for stored in self._state.jobs.values() if _is_running(stored)]
            busy = {job.exclusive for job in running if job.exclusive is not None}
            load = Counter(job.tenant or "" for job in running if job.queue == queue)
            waiting = [
                stored.job
                for stored in self._ready()
                if stored.job.queue == queue
                and stored.job.name in names
                and stored.job.exclusive not in busy
                and (lost is Lost.INCLUDED or (stored.job.losses > 0) is (lost is Lost.ALONE))
            ]
            if lost is Lost.ALONE:
                chosen = sorted(waiting, key=lambda job: (job.priority, *_readiness(job)))[: min(1, max(0, limit))]
            else:
                chosen = _in_turn(waiting, load, self._served.get(queue, ""), limit)
            if chosen:
                self._served[queue] = chosen[-1].tenant or ""
            return [self._start(job.job_id, worker, now, is_alone=lost is Lost.ALONE) for job in chosen]

    def _start(self, job_id: str, worker: str, now: datetime, *, is_alone: bool) -> Claim:
        stored = self._state.jobs[job_id]
        job = replace(
            stored.job,
            state=JobState.RUNNING,
            attempts=stored.job.attempts + 1,
            started_at=now,
            worker=worker,
            progress=None,
            reason="",
            evidence={},
        )
        stored = self._state.jobs[job_id] = replace(stored, job=job, attempt=stored.attempt + 1, is_alone=is_alone)
        return Claim(
            job_id=job_id,
            attempt=stored.attempt,
            attempts=job.attempts,
            name=job.name,
            payload=job.payload,
            queue=job.queue,
            tenant=job.tenant,
            subject=job.subject,
            deaths=job.deaths,
            losses=job.losses,
            submitted_at=job.submitted_at,
            carried=job.carried,
        )

    async def progress(self, job_id: str, attempt: int, progress: Progress) -> None:
        async with self._state.lock:
            stored = self._state.jobs.get(job_id)
            if stored is None or not _is_running(stored, attempt):
                raise ClaimLost(job_id, attempt)
            shown = replace(progress, note=storable(progress.note, LONGEST_NOTE))
            self._state.jobs[job_id] = replace(stored, job=replace(stored.job, progress=shown))

    async def finish(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        async with self._state.lock:
            now = self._clock.now()
            return [outcome.job_id for outcome in outcomes if self._end(outcome, now)]

    def _end(self, outcome: Outcome, now: datetime) -> bool:
        stored = self._state.jobs.get(outcome.job_id)
        if stored is None or not _is_running(stored, outcome.attempt):
            return False
        state, reason, result = outcome.state, outcome.reason, None
        try:
            result = None if outcome.result is None else _decoded(stored_json("result", outcome.result))
        except InvalidJob as error:
            state, reason = JobState.PARKED, error.detail
        job = stored.job
        deaths = job.deaths + outcome.died
        if state is JobState.QUEUED and job.cancel_requested_at is not None:
            state = JobState.CANCELLED
        elif state is JobState.QUEUED and outcome.died and deaths >= MOST_DEATHS:
            state = JobState.PARKED
        is_queued = state is JobState.QUEUED
        job = replace(
            job,
            state=state,
            ended_at=None if is_queued else now,
            result=result,
            reason=stored_reason(reason),
            evidence=_decoded(evidence_json(outcome.evidence)),
            worker=None if is_queued else job.worker,
            run_after=(outcome.run_after or now) if is_queued and not outcome.handed_back else job.run_after,
            deaths=deaths,
            attempts=job.attempts - outcome.handed_back,
        )
        self._state.jobs[job.job_id] = replace(stored, job=job, announced_at=None)
        if is_queued and job.run_after <= now:
            _publish(self._state, Notice())
        return True

    async def heartbeat(self, worker: str, *, facts: Mapping[str, object]) -> None:
        stored_facts = _decoded(stored_json("facts", facts))
        async with self._state.lock:
            now = self._clock.now()
            known = self._state.job_workers.get(worker)
            started_at = now if known is None else known.started_at
            self._state.job_workers[worker] = WorkerEntry(worker, stored_facts, started_at, now, 0)

    async def leave(self, worker: str) -> None:
        async with self._state.lock:
            self._state.job_workers.pop(worker, None)

    async def recover(self, *, silent_for_s: float) -> Sequence[str]:
        async with self._state.lock:
            now = self._clock.now()
            latest = now - timedelta(seconds=silent_for_s)
            lost = [stored for stored in self._state.jobs.values() if _is_running(stored) and self._heard(stored.job) < latest]
            for stored in lost:
                self._lose(stored, now)
            working = {stored.job.worker for stored in self._state.jobs.values() if _is_running(stored)}
            for name, entry in list(self._state.job_workers.items()):
                if entry.heartbeat_at < latest and name not in working:
                    del self._state.job_workers[name]
            return sorted(stored.job.job_id for stored in lost)

    def _heard(self, job: Job) -> datetime:
        worker = self._state.job_workers.get(job.worker or "")
        times = [at for at in (job.started_at, worker.heartbeat_at if worker is not None else None) if at is not None]
        return max(times)

    def _lose(self, stored: StoredJob, now: datetime) -> None:
        job = stored.job
        worker = self._state.job_workers.get(job.worker or "")
        losses, deaths = job.losses + 1, job.deaths + stored.is_alone
        is_lethal = losses >= MOST_LOSSES or (stored.is_alone and deaths >= MOST_DEATHS)
        state = JobState.PARKED if is_lethal else JobState.QUEUED
        if job.cancel_requested_at is not None:
            state = JobState.CANCELLED
        evidence = {
            "kind": "WorkerVanished",
            "worker": job.worker,
            "attempt": stored.attempt,
            "started_at": None if job.started_at is None else job.started_at.isoformat(),
            "heartbeat_at": None if worker is None else worker.heartbeat_at.isoformat(),
        }
        is_queued = state is JobState.QUEUED
        job = replace(
            job,
            state=state,
            ended_at=None if is_queued else now,
            losses=losses,
            deaths=deaths,
            worker=None if is_queued else job.worker,
            reason=f"worker {job.worker} vanished",
            evidence=evidence,
        )
        self._state.jobs[job.job_id] = replace(stored, job=job, announced_at=None)
        if is_queued:
            _publish(self._state, Notice())

    async def held(self, worker: str) -> Sequence[Held]:
        return [
            Held(job_id, stored.attempt, stored.job.cancel_requested_at is not None)
            for job_id, stored in sorted(self._state.jobs.items())
            if _is_running(stored) and stored.job.worker == worker
        ]

    async def has_lost(self, queue: str, *, names: Sequence[str]) -> bool:
        return any(stored.job.queue == queue and stored.job.name in names and stored.job.losses > 0 for stored in self._ready())

    async def park_unknown(self, *, names: Sequence[str], queued_for_s: float) -> Sequence[str]:
        async with self._state.lock:
            now = self._clock.now()
            latest = now - timedelta(seconds=queued_for_s)
            unknown = [stored for stored in self._ready() if stored.job.name not in names and stored.job.run_after <= latest]
            for stored in unknown:
                reason = f"no job is defined under the name {stored.job.name!r}"
                evidence = {"kind": "UnknownDefinition"}
                job = replace(stored.job, state=JobState.PARKED, ended_at=now, reason=reason, evidence=evidence)
                self._state.jobs[job.job_id] = replace(stored, job=job)
            return [stored.job.job_id for stored in unknown]

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Notice]]:
        received: asyncio.Queue[Notice] = asyncio.Queue()
        self._state.job_listeners.append(received.put_nowait)
        try:
            yield _notices(received)
        finally:
            self._state.job_listeners.remove(received.put_nowait)

    def _ready(self) -> list[StoredJob]:
        now = self._clock.now()
        return [stored for stored in self._state.jobs.values() if _is_waiting(stored) and stored.job.run_after <= now]


def _counts_of(queue: str, jobs: Sequence[Job], now: datetime) -> QueueCounts:
    ready = [job.run_after for job in jobs if job.state is JobState.QUEUED and job.run_after <= now]
    states = Counter(job.state for job in jobs)
    return QueueCounts(
        queue=queue,
        waiting=len(ready),
        delayed=states[JobState.QUEUED] - len(ready),
        running=states[JobState.RUNNING],
        parked=states[JobState.PARKED],
        oldest=min(ready, default=None),
    )


_GONE = (JobState.SUCCEEDED, JobState.CANCELLED)


async def _notices(received: asyncio.Queue[Notice]) -> AsyncGenerator[Notice]:
    while True:
        yield await received.get()


def _notify(state: MemoryState, notice: Notice) -> None:
    """Send a notice when the transaction commits; equal ones are sent once."""
    if notice not in state.job_notices:
        state.job_notices.append(notice)


def _publish(state: MemoryState, notice: Notice) -> None:
    for listener in state.job_listeners:
        listener(notice)


def publish_notices(state: MemoryState) -> None:
    """Send the notices of a transaction that has just committed."""
    notices, state.job_notices = state.job_notices, []
    for notice in notices:
        _publish(state, notice)


def _in_turn(waiting: Sequence[Job], running: Mapping[str, int], served: str, limit: int) -> list[Job]:
    """Return at most ``limit`` jobs in the order of ``WorkerLog.claim``."""
    chosen: list[Job] = []
    for _, of_priority in groupby(sorted(waiting, key=lambda job: (job.priority, *_readiness(job))), lambda job: job.priority):
        load, heads = Counter(running), set[tuple[str, str | None, str]]()
        ranked: list[tuple[int, Job]] = []
        for job in of_priority:
            if job.exclusive is not None:
                head = (job.name, job.tenant, job.exclusive)
                if head in heads:
                    continue
                heads.add(head)
            load[job.tenant or ""] += 1
            ranked.append((load[job.tenant or ""], job))
        ranked.sort(key=lambda one: (one[0], _turn(one[1], served), _readiness(one[1])))
        chosen += [job for _, job in ranked]
    started: list[Job] = []
    texts: set[str] = set()
    for job in chosen:
        if job.exclusive is not None:
            if job.exclusive in texts:
                continue
            texts.add(job.exclusive)
        started.append(job)
    return started[:limit]


def _turn(job: Job, served: str) -> tuple[bool, str]:
    share = job.tenant or ""
    return share <= served, share


def _readiness(job: Job) -> tuple[datetime, str]:
    return job.run_after, job.job_id


def _submission(job: Job) -> tuple[datetime, str]:
    return job.submitted_at, job.job_id


def _stored(state: MemoryState, job_id: str, tenant: str | None) -> StoredJob:
    uuid = job_uuid(job_id)
    stored = state.jobs.get(str(uuid))
    if stored is None or tenant not in (None, stored.job.tenant):
        raise UnknownJob(job_id)
    return stored


def _new_job(job_id: str, new: NewJob, now: datetime) -> Job:
    return Job(
        job_id=job_id,
        name=new.name,
        payload=_decoded(stored_json("payload", new.payload)),
        queue=new.queue,
        priority=new.priority,
        state=JobState.QUEUED,
        tenant=new.tenant,
        subject=new.subject,
        attempts=0,
        deaths=0,
        losses=0,
        submitted_at=now,
        run_after=new.run_after or now,
        key=new.key,
        exclusive=new.exclusive,
        parent=new.parent,
        carried=_decoded(stored_json("carried", new.carried)),
    )


def _decoded(text: str) -> dict[str, Any]:
    """Return the value of a JSON text: as a database would return it, and without a part of the caller's."""
    return json.loads(text)


def _delete(state: MemoryState, job: Job) -> None:
    del state.jobs[job.job_id]
    if job.key is not None:
        del state.job_keys[job.tenant, job.key]
