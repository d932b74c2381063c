"""Usage by caller and day on PostgreSQL. Rows of one tenant are read behind row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from aurum.storage.ports.usage import DayUsage, UsageBatch
from aurum.storage.postgres.connection.pool import PostgresPool

# One statement, so that the number of the batch and its counts commit together. Rows are locked in the order of their key:
# two processes that add at the same time wait for each other and never deadlock. A writer that has been silent for a week
# has ended.
_ADD = """
WITH silent AS (
    DELETE FROM usage_writer WHERE written_at < now() - interval '7 days' AND writer <> $1
), is_new AS (
    INSERT INTO usage_writer AS w (writer, batch, written_at) VALUES ($1, $2, now())
    ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, written_at = excluded.written_at WHERE w.batch < excluded.batch
    RETURNING true
)
INSERT INTO usage_day AS u (tenant_id, subject, day, requests, points, bytes)
SELECT c.tenant_id, c.subject, c.day, c.requests, c.points, c.bytes
FROM unnest($3::text[], $4::text[], $5::date[], $6::bigint[], $7::bigint[], $8::bigint[])
     AS c(tenant_id, subject, day, requests, points, bytes)
WHERE EXISTS (SELECT FROM is_new)
ORDER BY c.tenant_id, c.subject, c.day
ON CONFLICT (tenant_id, subject, day) DO UPDATE
SET requests = u.requests + excluded.requests, points = u.points + excluded.points, bytes = u.bytes + excluded.bytes
"""
_OF_CALLER = """
SELECT tenant_id, subject, day, requests, points, bytes FROM usage_day
WHERE tenant_id = $1 AND subject = $2 AND day >= $3 ORDER BY day
"""
_PAGE = """
SELECT tenant_id, subject, day, requests, points, bytes FROM usage_day
WHERE ($1::text IS NULL OR tenant_id = $1) AND day >= $2
  AND ($3::date IS NULL OR (day, tenant_id, subject) > ($3, $4::text, $5::text))
ORDER BY day, tenant_id, subject LIMIT $6
"""


class PostgresUsageStore:
    """``UsageStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def add(self, batch: UsageBatch) -> None:
        days = batch.days
        columns = ([getattr(one, name) for one in days] for name in ("tenant", "subject", "day", "requests", "points", "bytes"))
        async with self._pool.acquire() as connection:
            await connection.execute(_ADD, batch.writer, batch.number, *columns)

    async def of_caller(self, tenant: str, subject: str, *, since: date) -> Sequence[DayUsage]:
        async with self._pool.for_tenant(tenant) as connection:
            return [DayUsage(*row) for row in await connection.fetch(_OF_CALLER, tenant, subject, since)]

    async def page(
        self, *, tenant: str | None, since: date, after: tuple[date, str, str] | None, limit: int
    ) -> Sequence[DayUsage]:
        scope = self._pool.acquire() if tenant is None else self._pool.for_tenant(tenant)
        async with scope as connection:
            rows = await connection.fetch(_PAGE, tenant, since, *(after or (None, None, None)), limit)
        return [DayUsage(*row) for row in rows]
