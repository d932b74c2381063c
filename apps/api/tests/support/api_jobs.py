"""Jobs in any state, as a worker would leave them."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.core.jobs.states import JobState, Queue
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import NewJob, Outcome, Progress
from aurum.storage.testing.stores import PostgresStore

FETCH = {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}
WORKER = "worker-1"


async def queued_job(store: PostgresStore, *, tenant: str | None = None, name: str = "fetch.day") -> str:
    """Submit a job and return its id."""
    async with store.transactions.transaction(by=Actor("test")) as tx:
        (job_id,) = await tx.jobs.submit([NewJob(name, FETCH, Queue.BULK, tenant=tenant, subject="test")])
    return job_id


async def start(store: PostgresStore) -> dict[str, int]:
    """Start all waiting jobs and return the numbers of their attempts, by id."""
    await store.worker_log.heartbeat(WORKER, facts={})
    attempts: dict[str, int] = {}
    while claims := await store.worker_log.claim(WORKER, Queue.BULK, names=["fetch.day", "ingest.file"], limit=100):
        attempts |= {one.job_id: one.attempt for one in claims}
    return attempts


async def finish(
    store: PostgresStore,
    job_id: str,
    attempt: int,
    state: JobState,
    *,
    reason: str = "",
    result: Mapping[str, object] | None = None,
) -> None:
    """End an attempt."""
    evidence = {"kind": "NotPublished", "traceback": "in a file of the server"} if reason else {}
    assert await store.worker_log.finish([Outcome(job_id, attempt, state, result, reason, evidence)]) == [job_id]


async def report(store: PostgresStore, job_id: str, attempt: int, done: int, total: int) -> None:
    """Report progress of an attempt."""
    await store.worker_log.progress(job_id, attempt, Progress(done, total, f"file {done}"))


async def parked_job(store: PostgresStore, *, tenant: str | None = None) -> str:
    """Submit a job, let it fail for good, and return its id. Other waiting jobs are started by it and run on."""
    job_id = await queued_job(store, tenant=tenant)
    attempts = await start(store)
    await finish(store, job_id, attempts[job_id], JobState.PARKED, reason="the publisher has no such day")
    return job_id
