"""Tenants and plans on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from aurum.core.access import RatePlan
from aurum.core.errors import Conflict, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.access import Tenant
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_TENANT = "SELECT tenant_id, name, plan, created_at, disabled_at FROM tenant"
_PLAN = "SELECT name, per_minute, per_hour, per_day, burst, at_once, listeners FROM plan"
_INSERT = """
INSERT INTO tenant (tenant_id, name, plan) VALUES ($1, $2, $3) ON CONFLICT (tenant_id) DO NOTHING RETURNING tenant_id
"""
_DISABLE = """
UPDATE tenant SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, clock_timestamp()) END WHERE tenant_id = $1
"""
_PUT_PLAN = """
INSERT INTO plan (name, per_minute, per_hour, per_day, burst, at_once, listeners)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE
SET per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day, burst = excluded.burst,
    at_once = excluded.at_once, listeners = excluded.listeners
"""


class TenantExists(Conflict):
    """A tenant with this id already exists. Facts: ``tenant``."""


class PostgresTenantStore:
    """``TenantStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        query = f"{_TENANT} WHERE ($1::text IS NULL OR tenant_id > $1) ORDER BY tenant_id LIMIT $2"
        async with self._pool.acquire() as connection:
            return [Tenant(*row) for row in await connection.fetch(query, after, limit)]

    async def tenant(self, tenant_id: str) -> tuple[Tenant, RatePlan]:
        async with self._pool.acquire() as connection:
            tenant = await _tenant(connection, tenant_id)
            return tenant, await _plan(connection, tenant.plan)

    async def plans(self) -> Sequence[RatePlan]:
        async with self._pool.acquire() as connection:
            return [RatePlan(*row) for row in await connection.fetch(f"{_PLAN} ORDER BY name")]


class PostgresTenantWriter:
    """``TenantWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, tenant_id: str, name: str, plan: str) -> Tenant:
        await _plan(self._connection, plan)
        inserted = await self._connection.fetchval(_INSERT, tenant_id, name, plan)
        if inserted is None:
            raise TenantExists(f"a tenant {tenant_id!r} already exists", tenant=tenant_id)
        return await _tenant(self._connection, tenant_id)

    async def change(self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None) -> Tenant:
        await _tenant(self._connection, tenant_id)
        if plan is not None:
            await _plan(self._connection, plan)
            await self._connection.execute("UPDATE tenant SET plan = $2 WHERE tenant_id = $1", tenant_id, plan)
        if disabled is not None:
            await self._connection.execute(_DISABLE, tenant_id, disabled)
        return await _tenant(self._connection, tenant_id)

    async def put_plan(self, plan: RatePlan) -> None:
        await self._connection.execute(_PUT_PLAN, *astuple(plan))


async def _tenant(connection: Connection, tenant_id: str) -> Tenant:
    row = await connection.fetchrow(f"{_TENANT} WHERE tenant_id = $1", tenant_id)
    if row is None:
        raise UnknownName("tenant", tenant_id)
    return Tenant(*row)


async def _plan(connection: Connection, name: str) -> RatePlan:
    plans = [RatePlan(*row) for row in await connection.fetch(_PLAN)]
    plan = next((plan for plan in plans if plan.name == name), None)
    if plan is None:
        raise UnknownName("plan", name, nearest(name, [plan.name for plan in plans]))
    return plan
