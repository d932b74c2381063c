"""Answers to requests with an Idempotency-Key, on PostgreSQL."""

from __future__ import annotations

from aurum.storage.ports.idempotency import EarlierRequest, StoredAnswer
from aurum.storage.postgres.connection.pool import PostgresPool

# The first insert claims the key, and an expired row may be claimed again. The statement returns no row when the claim fails.
_CLAIM = """
INSERT INTO idempotency AS i (tenant_id, key, fingerprint, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
ON CONFLICT (tenant_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL, expires_at = excluded.expires_at
WHERE i.expires_at <= clock_timestamp()
RETURNING true
"""
_READ = "SELECT fingerprint, status, headers, body FROM idempotency WHERE tenant_id = $1 AND key = $2"
_FINISH = """
UPDATE idempotency SET status = $3, headers = $4, body = $5, expires_at = clock_timestamp() + make_interval(secs => $6)
WHERE tenant_id = $1 AND key = $2 AND status IS NULL
"""


class PostgresIdempotencyStore:
    """``IdempotencyStore`` on PostgreSQL, behind row-level security."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def begin(self, tenant: str, key: str, fingerprint: bytes, *, claim_s: float) -> EarlierRequest | None:
        async with self._pool.for_tenant(tenant) as connection:
            if await connection.fetchval(_CLAIM, tenant, key, fingerprint, claim_s):
                return None
            row = await connection.fetchrow(_READ, tenant, key)
        if row is None:  # given up between the two statements: the client gets the key when it tries again
            return EarlierRequest(fingerprint, None)
        if row["status"] is None:
            return EarlierRequest(row["fingerprint"], None)
        headers = tuple((str(name), str(value)) for name, value in row["headers"])
        return EarlierRequest(row["fingerprint"], StoredAnswer(row["status"], headers, row["body"]))

    async def finish(self, tenant: str, key: str, answer: StoredAnswer, *, keep_s: float) -> None:
        async with self._pool.for_tenant(tenant) as connection:
            await connection.execute(_FINISH, tenant, key, answer.status, answer.headers, answer.body, keep_s)

    async def give_up(self, tenant: str, key: str) -> None:
        async with self._pool.for_tenant(tenant) as connection:
            await connection.execute(
                "DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2 AND status IS NULL", tenant, key
            )

    async def sweep(self) -> int:
        async with self._pool.acquire() as connection:
            status: str = await connection.execute("DELETE FROM idempotency WHERE expires_at <= clock_timestamp()")
        return int(status.rpartition(" ")[2])
