"""The audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aurum.storage.ports.access import Actor, AuditEntry
from aurum.storage.postgres.pool import Connection, PostgresPool

_APPEND = """
INSERT INTO audit (tenant_id, actor, action, target, detail, request_id, address) VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)
"""
_PAGE = """
SELECT audit_id, at, tenant_id, actor, action, target, detail::text AS detail, request_id, address FROM audit
WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR action = $2) AND ($3::bigint IS NULL OR audit_id < $3)
ORDER BY audit_id DESC LIMIT $4
"""


async def record(connection: Connection, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
    """Append within a transaction, so that the change and its record stand or fall together."""
    text = json.dumps(dict(detail), default=str)
    await connection.execute(_APPEND, by.tenant, by.subject, action, target, text, by.request_id, by.address)


class PostgresAuditLog:
    """``AuditLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
        async with self._pool.acquire() as connection:
            await record(connection, action, target, detail, by=by)

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        scope = self._pool.acquire() if tenant is None else self._pool.for_tenant(tenant)
        async with scope as connection:
            rows = await connection.fetch(_PAGE, tenant, action, before, limit)
        return [
            AuditEntry(
                audit_id=row["audit_id"],
                at=row["at"],
                tenant=row["tenant_id"],
                actor=row["actor"],
                action=row["action"],
                target=row["target"],
                detail=json.loads(row["detail"]),
                request_id=row["request_id"],
                address=row["address"],
            )
            for row in rows
        ]
