"""Writes to the log of jobs on PostgreSQL, in the transaction of a change."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from aurum.core.jobs.states import JobState
from aurum.storage.job_values import check_new_job, job_uuid, new_job_ids, stored_json
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.jobs import ClaimLost, Job, JobHasEnded, JobNotParked, NewJob, UnknownJob
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.jobs.rows import CANCEL, CHANNEL, COLUMNS, job_of

# Equal notices of one transaction are sent once. Rows with keys are inserted in the order of their keys, so that two
# transactions with the same keys wait for each other and do not deadlock.
_INSERT = f"""
WITH added AS (
    INSERT INTO job (job_id, name, payload, queue, priority, tenant_id, subject, is_due, submitted_at, run_after, key,
                     exclusive, parent, carried)
    SELECT job_id, name, payload::json, queue, priority, tenant_id, subject, run_after IS NULL OR run_after <= at, at,
           coalesce(run_after, at), key, exclusive, parent, carried::json
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::timestamptz[],
                $9::text[], $10::text[], $11::uuid[], $12::text[])
         AS n(job_id, name, payload, queue, priority, tenant_id, subject, run_after, key, exclusive, parent, carried),
         statement_timestamp() AS at
    ORDER BY tenant_id, key, job_id
    ON CONFLICT (share, key) WHERE key IS NOT NULL DO NOTHING
    RETURNING job_id, is_due
)
SELECT job_id, CASE WHEN is_due THEN pg_notify('{CHANNEL}', '') END AS notified FROM added
"""  # noqa: S608 - constants
_BY_KEY = """
SELECT j.job_id, j.share, j.key
FROM unnest($1::text[], $2::text[]) AS w(share, key) JOIN job AS j ON j.share = w.share AND j.key = w.key
"""
_SUCCEED = """
UPDATE job SET state = 'succeeded', ended_at = clock_timestamp(), result = $3::text::json, reason = '',
               evidence = '{}'
WHERE job_id = $1 AND attempt = $2 AND state = 'running' RETURNING job_id
"""
_LOCK = "SELECT state FROM job WHERE job_id = $1 FOR UPDATE"
_CANCEL_QUEUED = f"""
UPDATE job SET state = 'cancelled', ended_at = clock_timestamp(), cancel_requested_at = clock_timestamp(),
               reason = 'cancelled before it began'
WHERE job_id = $1 RETURNING {COLUMNS}
"""  # noqa: S608 - constants
_CANCEL_RUNNING = f"""
UPDATE job SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()) WHERE job_id = $1 RETURNING {COLUMNS}
"""  # noqa: S608 - constants
_RETRY = f"""
UPDATE job SET state = 'queued', is_due = true, is_alone = false, run_after = statement_timestamp(), announced_at = NULL,
               attempts = 0, deaths = 0, losses = 0, started_at = NULL, ended_at = NULL, worker = NULL,
               cancel_requested_at = NULL, done = NULL, total = NULL, note = '', reason = '', evidence = '{{}}'
WHERE job_id = $1 RETURNING {COLUMNS}
"""  # noqa: S608 - constants
_DROP = f"DELETE FROM job WHERE job_id = $1 RETURNING {COLUMNS}"  # noqa: S608 - constants
_DELETE_ENDED = """
DELETE FROM job WHERE job_id = ANY (ARRAY(
    SELECT job_id FROM job WHERE state IN ('succeeded', 'cancelled') AND ended_at < $1 ORDER BY ended_at LIMIT $2
    FOR UPDATE SKIP LOCKED
))
"""
_NOTIFY = "SELECT pg_notify($1, $2)"


class PostgresJobWriter:
    """``JobWriter`` on the connection of a transaction. ``tenant``: that of the transaction, None when it has none."""

    def __init__(self, connection: Connection, tenant: str | None) -> None:
        self._connection = connection
        self._tenant = tenant

    async def submit(self, jobs: Sequence[NewJob]) -> Sequence[str]:
        for job in jobs:
            if self._tenant is not None and job.tenant != self._tenant:
                raise OtherTenant(self._tenant, job.tenant)
            check_new_job(job)
        new = dict(
            zip(new_job_ids(len(jobs), at_ms=time.time_ns() // 1_000_000, first=secrets.randbits(73)), jobs, strict=True)
        )
        stored: dict[UUID, UUID] = {}
        # A job whose key is stored may be deleted before its id is read.
        for _ in range(5):
            missing = {job_id: job for job_id, job in new.items() if job_id not in stored}
            if not missing:
                break
            added = await self._connection.fetch(_INSERT, *_columns(missing))
            stored |= {row["job_id"]: row["job_id"] for row in added}
            stored |= await self._with_keys({job_id: job for job_id, job in missing.items() if job_id not in stored})
        else:
            raise LostRace("jobs with the same keys were stored and deleted meanwhile")
        return [str(stored[job_id]) for job_id in new]

    async def _with_keys(self, refused: Mapping[UUID, NewJob]) -> dict[UUID, UUID]:
        """Return the ids of the stored jobs with the keys of those that were not inserted."""
        if not refused:
            return {}
        keys = {(job.tenant or "", job.key or "") for job in refused.values()}
        rows = await self._connection.fetch(_BY_KEY, [share for share, _ in keys], [key for _, key in keys])
        by_key = {(row["share"], row["key"]): row["job_id"] for row in rows}
        named = {job_id: by_key.get((job.tenant or "", job.key or "")) for job_id, job in refused.items()}
        return {job_id: stored_id for job_id, stored_id in named.items() if stored_id is not None}

    async def succeed(self, job_id: str, attempt: int, result: Mapping[str, object] | None = None) -> None:
        uuid = job_uuid(job_id)
        text = None if result is None else stored_json("result", result)
        if uuid is None or await self._connection.fetchval(_SUCCEED, uuid, attempt, text) is None:
            raise ClaimLost(job_id, attempt)

    async def cancel(self, job_id: str) -> Job:
        uuid, state = await self._locked(job_id)
        if state.has_ended:
            raise JobHasEnded(job_id, state)
        if state is JobState.QUEUED:
            return job_of(await self._one(_CANCEL_QUEUED, uuid))
        await self._connection.execute(_NOTIFY, CHANNEL, f"{CANCEL}{uuid}")
        return job_of(await self._one(_CANCEL_RUNNING, uuid))

    async def retry(self, job_id: str) -> Job:
        uuid, state = await self._locked(job_id)
        if state not in (JobState.PARKED, JobState.CANCELLED):
            raise JobNotParked(job_id, state)
        await self._connection.execute(_NOTIFY, CHANNEL, "")
        return job_of(await self._one(_RETRY, uuid))

    async def drop(self, job_id: str) -> Job:
        uuid, state = await self._locked(job_id)
        if state is not JobState.PARKED:
            raise JobNotParked(job_id, state)
        return job_of(await self._one(_DROP, uuid))

    async def delete_ended(self, *, before: datetime, limit: int) -> int:
        status = await self._connection.execute(_DELETE_ENDED, before, limit)
        return int(status.split()[-1])

    async def _locked(self, job_id: str) -> tuple[UUID, JobState]:
        """Return the id and the state of a job, which does not change until the transaction ends. Raises ``UnknownJob``."""
        uuid = job_uuid(job_id)
        state = None if uuid is None else await self._connection.fetchval(_LOCK, uuid)
        if uuid is None or state is None:
            raise UnknownJob(job_id)
        return uuid, JobState(state)

    async def _one(self, statement: str, job_id: UUID) -> Record:
        row = await self._connection.fetchrow(statement, job_id)
        if row is None:
            raise UnknownJob(str(job_id))
        return row


def _columns(jobs: Mapping[UUID, NewJob]) -> list[list[object]]:
    """Return the arrays of ``_INSERT``. Raises ``InvalidJob`` for a payload that is not JSON."""
    new = jobs.values()
    return [
        list(jobs),
        [job.name for job in new],
        [stored_json("payload", job.payload) for job in new],
        [job.queue for job in new],
        [job.priority for job in new],
        [job.tenant for job in new],
        [job.subject for job in new],
        [job.run_after for job in new],
        [job.key for job in new],
        [job.exclusive or "" for job in new],
        [None if job.parent is None else UUID(job.parent) for job in new],
        [stored_json("carried", job.carried) for job in new],
    ]
