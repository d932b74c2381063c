"""Control of a job by a person: to cancel, retry or drop it. Each is one transaction with its audit record."""

from __future__ import annotations

from aurum.services.jobs.transaction import job_transaction
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Job
from aurum.storage.ports.transaction import Transactions


async def cancel_job(transactions: Transactions, job_id: str, *, by: Actor, tenant: str | None) -> Job:
    """Cancel a queued job at once, or ask the worker of a running one to end it; return the job.

    A running job stays ``running`` until its worker has ended it; asking again changes nothing. ``tenant``: only a job of it;
    None: of any. Raises ``UnknownJob``, ``JobHasEnded``.
    """
    async with job_transaction(transactions, by=by, tenant=tenant) as tx:
        job = await tx.jobs.cancel(job_id)
        await tx.audit.append("job.cancel", job_id, {"name": job.name, "state": str(job.state)}, tenant=job.tenant)
    return job


async def retry_job(transactions: Transactions, job_id: str, *, by: Actor, tenant: str | None) -> Job:
    """Queue a parked or cancelled job again, with all its attempts left, and return it.

    ``tenant``: as in ``cancel_job``. Raises ``UnknownJob``, ``JobNotParked``.
    """
    async with job_transaction(transactions, by=by, tenant=tenant) as tx:
        job = await tx.jobs.retry(job_id)
        await tx.audit.append("job.retry", job_id, {"name": job.name}, tenant=job.tenant)
    return job


async def drop_job(transactions: Transactions, job_id: str, *, by: Actor, tenant: str | None) -> Job:
    """Delete a parked job and return it. The audit record still holds its name, payload and reason.

    ``tenant``: as in ``cancel_job``. Raises ``UnknownJob``, ``JobNotParked``.
    """
    async with job_transaction(transactions, by=by, tenant=tenant) as tx:
        job = await tx.jobs.drop(job_id)
        detail = {"name": job.name, "payload": dict(job.payload), "reason": job.reason}
        await tx.audit.append("job.drop", job_id, detail, tenant=job.tenant)
    return job
