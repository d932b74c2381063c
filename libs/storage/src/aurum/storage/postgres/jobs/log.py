"""Reads of the log of jobs on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Uuid, bindparam, literal_column, or_, select, tuple_

from aurum.core.errors import Invalid
from aurum.core.jobs.states import JobState, Queue
from aurum.storage.job_values import job_uuid
from aurum.storage.ports.jobs import Job, JobFilter, QueueCounts, UnknownJob, WorkerEntry
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.connection.statements import Statement, compiled, filter_names, matching
from aurum.storage.postgres.jobs.rows import COLUMNS, job_of
from aurum.storage.postgres.tables import job
from aurum.storage.postgres.tables.metadata import INSTANT

_READ = f"SELECT {COLUMNS} FROM job WHERE job_id = $1"  # noqa: S608 - constants
_READ_MANY = f"SELECT {COLUMNS} FROM job WHERE job_id = ANY($1)"  # noqa: S608 - constants
# One branch for each partial index.
_COUNTS = """
SELECT queue, sum(waiting)::bigint AS waiting, sum(delayed)::bigint AS delayed, sum(running)::bigint AS running,
       sum(parked)::bigint AS parked, min(oldest) AS oldest
FROM (
    SELECT queue, count(*) AS waiting, 0 AS delayed, 0 AS running, 0 AS parked, min(run_after) AS oldest
    FROM job WHERE state = 'queued' AND is_due GROUP BY queue
    UNION ALL
    SELECT queue, count(*) FILTER (WHERE run_after <= now()), count(*) FILTER (WHERE run_after > now()), 0, 0,
           min(run_after) FILTER (WHERE run_after <= now())
    FROM job WHERE state = 'queued' AND NOT is_due GROUP BY queue
    UNION ALL
    SELECT queue, 0, 0, count(*), 0, NULL FROM job WHERE state = 'running' GROUP BY queue
    UNION ALL
    SELECT queue, 0, 0, 0, count(*), NULL FROM job WHERE state = 'parked' GROUP BY queue
) AS counted
GROUP BY queue
"""
_WORKERS = """
SELECT w.worker, w.facts, w.started_at, w.heartbeat_at,
       (SELECT count(*) FROM job AS j WHERE j.state = 'running' AND j.worker = w.worker) AS running
FROM job_worker AS w ORDER BY w.worker
"""


class PostgresJobLog:
    """``JobLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def job(self, job_id: str, *, tenant: str | None = None) -> Job:
        row = None
        uuid = job_uuid(job_id)
        if uuid is not None and tenant is None:
            row = await self._pool.reads.fetchrow(_READ, uuid)
        elif uuid is not None and tenant is not None:
            async with self._pool.for_tenant(tenant) as connection:
                row = await connection.fetchrow(_READ, uuid)
        if row is None:
            raise UnknownJob(job_id)
        return job_of(row)

    async def jobs(self, job_ids: Sequence[str]) -> Sequence[Job]:
        uuids = [uuid for job_id in job_ids if (uuid := job_uuid(job_id)) is not None]
        async with self._pool.acquire() as connection:
            return [job_of(row) for row in await connection.fetch(_READ_MANY, uuids)]

    async def page(self, wanted: JobFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Job]:
        after_id = None if before is None else job_uuid(before[1])
        if before is not None and after_id is None:
            raise Invalid(f"{before[1]!r} is not the id of a job")
        parent = None if wanted.parent is None else job_uuid(wanted.parent)
        if wanted.parent is not None and parent is None:
            return []  # no job has such a parent
        values = {
            "queue": wanted.queue,
            "name": wanted.name,
            "parent": parent,
            "before": None if before is None else before[0],
            "before_id": after_id,
        }
        statement = _page(filter_names(values), frozenset(wanted.states))
        scope = self._pool.acquire() if wanted.tenant is None else self._pool.for_tenant(wanted.tenant)
        async with scope as connection:
            return [job_of(row) for row in await statement.fetch(connection, **values, limit=limit)]

    async def counts(self, *, tenant: str | None = None) -> Sequence[QueueCounts]:
        scope = self._pool.acquire() if tenant is None else self._pool.for_tenant(tenant)
        async with scope as connection:
            rows = await connection.fetch(_COUNTS)
        counted = {row["queue"]: QueueCounts(**row) for row in rows}
        empty = {str(queue): QueueCounts(str(queue), 0, 0, 0, 0, None) for queue in Queue}
        return [counts for _, counts in sorted({**empty, **counted}.items())]

    async def workers(self) -> Sequence[WorkerEntry]:
        async with self._pool.acquire() as connection:
            return [WorkerEntry(**row) for row in await connection.fetch(_WORKERS)]


@cache
def _page(filters: tuple[str, ...], states: frozenset[JobState]) -> Statement:
    columns = [job.c[name.strip()] for name in COLUMNS.split(",")]
    query = select(*columns).order_by(job.c.submitted_at.desc(), job.c.job_id.desc()).limit(bindparam("limit"))
    for name in ("queue", "name", "parent"):
        if name in filters:
            query = query.where(matching(job.c[name]))
    if states:
        # Written out, because an index of one state is used only for a constant.
        query = query.where(or_(*(job.c.state == literal_column(f"'{state}'") for state in sorted(states))))
    if "before" in filters:
        last = tuple_(bindparam("before", type_=INSTANT), bindparam("before_id", type_=Uuid))
        query = query.where(tuple_(job.c.submitted_at, job.c.job_id) < last)
    return compiled(query)
