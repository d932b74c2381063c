"""Loading a file with rows in quarantine again, by a job."""

from __future__ import annotations

from aurum.services.jobs.definitions import ReplayFile, default_definitions
from aurum.services.jobs.submit import new_job
from aurum.services.quality.files import check_quarantined
from aurum.storage.ports.access import Actor
from aurum.storage.ports.quality import QualityLog
from aurum.storage.ports.transaction import Transactions


async def replay_later(transactions: Transactions, quality: QualityLog, digest: str, *, by: Actor) -> str:
    """Submit the job that loads a file content again, with the audit record of the replay, and return the job's id.

    Raises ``NothingQuarantined``.
    """
    await check_quarantined(quality, digest)
    job = new_job(default_definitions()["quarantine.replay"], ReplayFile(digest=digest), subject=by.subject)
    async with transactions.transaction(by=by) as tx:
        (job_id,) = await tx.jobs.submit([job])
        await tx.audit.append("quarantine.replay", digest, {"job_id": job_id})
    return job_id
