"""API keys on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from aurum.core.access import RatePlan
from aurum.core.errors import Conflict, NotFound, UnknownName
from aurum.storage.ports.access import ApiKey, Credential, OtherTenant, Tenant
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_COLUMNS = """key_id, tenant_id, name, roles, scopes, created_at, created_by, expires_at, revoked_at, last_used_at, replaces,
              owner"""
# Runs as the owner of the tables, because the tenant of a caller is not known before its key is read.
_CREDENTIAL = """
SELECT k.key_id, k.tenant_id, k.name, k.roles, k.scopes, k.created_at, k.created_by, k.expires_at, k.revoked_at,
       k.last_used_at, k.replaces, k.owner, k.digest, t.name AS tenant_name, t.plan, t.created_at AS tenant_created_at,
       t.disabled_at, p.per_minute, p.per_hour, p.per_day, p.burst, p.at_once, p.listeners
FROM api_key AS k JOIN tenant AS t USING (tenant_id) JOIN plan AS p ON p.name = t.plan WHERE k.key_id = $1
"""
_INSERT = """
INSERT INTO api_key (key_id, tenant_id, name, digest, roles, scopes, created_at, created_by, expires_at, replaces, owner)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (key_id) DO NOTHING RETURNING key_id
"""
# Naming expires_at fires the trigger by which processes forget what they remember of a key.
_GIVE_OWNER = "UPDATE api_key SET owner = $2, expires_at = expires_at WHERE key_id = $1 AND owner IS NULL"


class UnknownKey(NotFound):
    """The key does not exist, or belongs to another tenant. Facts: ``key_id``."""


class KeyExists(Conflict):
    """A key with this id already exists. Facts: ``key_id``."""


class PostgresKeyStore:
    """``KeyStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def credential(self, key_id: str) -> Credential | None:
        row = await self._pool.reads.fetchrow(_CREDENTIAL, key_id)
        if row is None:
            return None
        tenant = Tenant(row["tenant_id"], row["tenant_name"], row["plan"], row["tenant_created_at"], row["disabled_at"])
        limits = (row[name] for name in ("per_minute", "per_hour", "per_day", "burst", "at_once", "listeners"))
        plan = RatePlan(row["plan"], *limits)
        return Credential(_key(row), row["digest"], tenant, plan)

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        query = f"SELECT {_COLUMNS} FROM api_key WHERE ($1::text IS NULL OR key_id > $1) ORDER BY key_id LIMIT $2"  # noqa: S608 - constants
        async with self._pool.for_tenant(tenant) as connection:
            return [_key(row) for row in await connection.fetch(query, after, limit)]

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        async with self._pool.for_tenant(tenant) as connection:
            return await _read(connection, key_id)

    async def note_used(self, last_used: Mapping[str, datetime]) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                """UPDATE api_key AS k SET last_used_at = u.at FROM unnest($1::text[], $2::timestamptz[]) AS u(key_id, at)
                   WHERE k.key_id = u.key_id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)""",
                list(last_used),
                list(last_used.values()),
            )


class PostgresKeyWriter:
    """``KeyWriter`` on the connection of a transaction that acts for one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    async def locked(self, key_id: str) -> ApiKey:
        return await _read(self._connection, key_id, lock=True)

    async def successor(self, key_id: str) -> str | None:
        return await self._connection.fetchval("SELECT key_id FROM api_key WHERE replaces = $1", key_id)

    async def insert(self, key: ApiKey, digest: bytes) -> None:
        if key.tenant != self._tenant:
            raise OtherTenant(self._tenant, key.tenant)
        if await self._connection.fetchval("SELECT 1 FROM tenant WHERE tenant_id = $1", key.tenant) is None:
            raise UnknownName("tenant", key.tenant)
        inserted = await self._connection.fetchval(
            _INSERT,
            key.key_id,
            key.tenant,
            key.name,
            digest,
            list(key.roles),
            list(key.scopes),
            key.created_at,
            key.created_by,
            key.expires_at,
            key.replaces,
            key.owner,
        )
        if inserted is None:
            raise KeyExists(f"a key {key.key_id!r} already exists", key_id=key.key_id)

    async def expire(self, key_id: str, at: datetime) -> None:
        await self._connection.execute("UPDATE api_key SET expires_at = $2 WHERE key_id = $1", key_id, at)

    async def give_owner(self, key_id: str, owner: str) -> ApiKey:
        await self._connection.execute(_GIVE_OWNER, key_id, owner)
        return await _read(self._connection, key_id)

    async def revoke(self, key_id: str) -> ApiKey:
        await self._connection.execute("UPDATE api_key SET revoked_at = clock_timestamp() WHERE key_id = $1", key_id)
        return await _read(self._connection, key_id)


async def _read(connection: Connection, key_id: str, *, lock: bool = False) -> ApiKey:
    query = f"SELECT {_COLUMNS} FROM api_key WHERE key_id = $1"  # noqa: S608 - constants
    row = await connection.fetchrow(query + " FOR UPDATE" if lock else query, key_id)
    if row is None:
        raise UnknownKey(f"key {key_id!r} does not exist", key_id=key_id)
    return _key(row)


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        tenant=row["tenant_id"],
        name=row["name"],
        roles=tuple(row["roles"]),
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        replaces=row["replaces"],
        owner=row["owner"],
    )
