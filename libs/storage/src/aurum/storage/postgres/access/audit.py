"""The audit log on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asyncpg import Record

from aurum.storage.ports.access import Actor, AuditEntry, OtherTenant, json_detail
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_APPEND = """
INSERT INTO audit (tenant_id, actor, action, target, detail, request_id, address) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_PAGE = """
SELECT audit_id, at, tenant_id, actor, action, target, detail, request_id, address FROM audit
WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR action = $2) AND ($3::bigint IS NULL OR audit_id < $3)
ORDER BY audit_id DESC LIMIT $4
"""


class PostgresAuditWriter:
    """``AuditWriter`` on the connection of a transaction. ``tenant``: the tenant of the transaction, None when it has none."""

    def __init__(self, connection: Connection, by: Actor, tenant: str | None) -> None:
        self._connection = connection
        self._by = by
        self._tenant = tenant

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, tenant: str | None = None) -> None:
        if self._tenant is not None and tenant not in (None, self._tenant):
            raise OtherTenant(self._tenant, tenant)
        by = self._by
        concerned_tenant = tenant or self._tenant or by.tenant
        values = (concerned_tenant, by.subject, action, target, json_detail(detail), by.request_id, by.address)
        await self._connection.execute(_APPEND, *values)


class PostgresAuditLog:
    """``AuditLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        scope = self._pool.acquire() if tenant is None else self._pool.for_tenant(tenant)
        async with scope as connection:
            return [_entry(row) for row in await connection.fetch(_PAGE, tenant, action, before, limit)]


def _entry(row: Record) -> AuditEntry:
    return AuditEntry(
        audit_id=row["audit_id"],
        at=row["at"],
        tenant=row["tenant_id"],
        actor=row["actor"],
        action=row["action"],
        target=row["target"],
        detail=row["detail"],
        request_id=row["request_id"],
        address=row["address"],
    )
