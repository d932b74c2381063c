"""Signed links on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from aurum.core.access import RatePlan
from aurum.core.errors import NotFound, UnknownName
from aurum.storage.ports.access import ApiKey, OtherTenant, Tenant
from aurum.storage.ports.links import Link, LinkCredential, TooManyLinks
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_COLUMNS = "link_id, tenant_id, subject, read, scopes, created_at, expires_at, revoked_at"
# Runs as the owner of the tables, because the tenant of a link is not known before it is read.
_CREDENTIAL = """
SELECT l.link_id, l.tenant_id, l.subject, l.read, l.scopes, l.created_at, l.expires_at, l.revoked_at,
       t.name AS tenant_name, t.plan, t.created_at AS tenant_created_at, t.disabled_at,
       p.per_minute, p.per_hour, p.per_day, p.burst, p.at_once, p.listeners,
       k.key_id, k.name AS key_name, k.roles AS key_roles, k.scopes AS key_scopes, k.created_at AS key_created_at,
       k.created_by AS key_created_by, k.expires_at AS key_expires_at, k.revoked_at AS key_revoked_at,
       k.last_used_at AS key_last_used_at, k.replaces AS key_replaces, k.owner AS key_owner
FROM link AS l JOIN tenant AS t USING (tenant_id) JOIN plan AS p ON p.name = t.plan
     LEFT JOIN api_key AS k ON l.subject = 'key:' || k.key_id AND k.tenant_id = l.tenant_id
WHERE l.link_id = $1
"""
_PAGE = f"""
SELECT {_COLUMNS} FROM link
WHERE ($1::text IS NULL OR subject = $1) AND ($2::timestamptz IS NULL OR (created_at, link_id) < ($2, $3::text))
ORDER BY created_at DESC, link_id DESC LIMIT $4
"""  # noqa: S608 - constants
# The lock makes the count hold until the insert commits.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aurum links of ' || $1, 0))"
_COUNT = "SELECT count(*) FROM link WHERE tenant_id = $1 AND revoked_at IS NULL AND expires_at > $2"
_INSERT = """
INSERT INTO link (link_id, tenant_id, subject, read, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_REVOKE = f"""
UPDATE link SET revoked_at = clock_timestamp()
WHERE link_id = $1 AND revoked_at IS NULL AND ($2::text IS NULL OR subject = $2) RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_READ = f"SELECT {_COLUMNS} FROM link WHERE link_id = $1 AND ($2::text IS NULL OR subject = $2)"  # noqa: S608 - constants


class UnknownLink(NotFound):
    """The link does not exist, or belongs to another tenant or maker. Facts: ``link_id``."""


class PostgresLinkStore:
    """``LinkStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def credential(self, link_id: str) -> LinkCredential | None:
        row = await self._pool.reads.fetchrow(_CREDENTIAL, link_id)
        if row is None:
            return None
        tenant = Tenant(row["tenant_id"], row["tenant_name"], row["plan"], row["tenant_created_at"], row["disabled_at"])
        limits = (row[name] for name in ("per_minute", "per_hour", "per_day", "burst", "at_once", "listeners"))
        return LinkCredential(_link(row), tenant, RatePlan(row["plan"], *limits), _key(row))

    async def page(
        self, tenant: str, *, subject: str | None = None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Link]:
        at, link_id = before or (None, None)
        async with self._pool.for_tenant(tenant) as connection:
            return [_link(row) for row in await connection.fetch(_PAGE, subject, at, link_id, limit)]

    async def secret(self, proposed: bytes) -> bytes:
        async with self._pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO service_secret (name, secret) VALUES ('links', $1) ON CONFLICT (name) DO NOTHING", proposed
            )
            return await connection.fetchval("SELECT secret FROM service_secret WHERE name = 'links'")

    async def sweep(self) -> int:
        async with self._pool.acquire() as connection:
            status: str = await connection.execute(
                "DELETE FROM link WHERE expires_at < clock_timestamp() - make_interval(days => 1)"
            )
        return int(status.rpartition(" ")[2])


class PostgresLinkWriter:
    """``LinkWriter`` on the connection of a transaction that acts for one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    async def insert(self, link: Link, *, most: int) -> None:
        if link.tenant != self._tenant:
            raise OtherTenant(self._tenant, link.tenant)
        if await self._connection.fetchval("SELECT 1 FROM tenant WHERE tenant_id = $1", link.tenant) is None:
            raise UnknownName("tenant", link.tenant)
        await self._connection.execute(_LOCK, link.tenant)
        if await self._connection.fetchval(_COUNT, link.tenant, link.created_at) >= most:
            raise TooManyLinks(most)
        values = (link.link_id, link.tenant, link.subject, link.read, list(link.scopes), link.created_at, link.expires_at)
        await self._connection.execute(_INSERT, *values)

    async def revoke(self, link_id: str, *, subject: str | None = None) -> Link:
        row = await self._connection.fetchrow(_REVOKE, link_id, subject)
        row = row or await self._connection.fetchrow(_READ, link_id, subject)
        if row is None:
            raise UnknownLink(f"link {link_id!r} does not exist", link_id=link_id)
        return _link(row)


def _link(row: asyncpg.Record) -> Link:
    return Link(
        link_id=row["link_id"],
        tenant=row["tenant_id"],
        subject=row["subject"],
        read=row["read"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )


def _key(row: asyncpg.Record) -> ApiKey | None:
    if row["key_id"] is None:
        return None
    return ApiKey(
        key_id=row["key_id"],
        tenant=row["tenant_id"],
        name=row["key_name"],
        roles=tuple(row["key_roles"]),
        scopes=tuple(row["key_scopes"]),
        created_at=row["key_created_at"],
        created_by=row["key_created_by"],
        expires_at=row["key_expires_at"],
        revoked_at=row["key_revoked_at"],
        last_used_at=row["key_last_used_at"],
        replaces=row["key_replaces"],
        owner=row["key_owner"],
    )
