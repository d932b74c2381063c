"""Tenants and plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import asyncpg

from aurum.core.access import Plan
from aurum.core.errors import Conflict, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.access import Actor, Tenant
from aurum.storage.postgres.audit import record
from aurum.storage.postgres.pool import Connection, PostgresPool

_TENANT = "SELECT tenant_id, name, plan, created_at, disabled_at FROM tenant"
_PLAN = "SELECT name, per_minute, per_hour, per_day, burst, at_once FROM plan"


class TenantExists(Conflict):
    """There is a tenant of this id already. Facts: ``tenant``."""


class PostgresTenantStore:
    """``TenantStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        query = f"{_TENANT} WHERE ($1::text IS NULL OR tenant_id > $1) ORDER BY tenant_id LIMIT $2"
        async with self._pool.acquire() as connection:
            return [Tenant(*row) for row in await connection.fetch(query, after, limit)]

    async def tenant(self, tenant_id: str) -> tuple[Tenant, Plan]:
        async with self._pool.acquire() as connection:
            tenant = await _tenant(connection, tenant_id)
            return tenant, await _plan(connection, tenant.plan)

    async def create_tenant(self, tenant_id: str, name: str, plan: str, *, by: Actor) -> Tenant:
        async with self._pool.acquire() as connection, connection.transaction():
            await _plan(connection, plan)
            try:
                await connection.execute(
                    "INSERT INTO tenant (tenant_id, name, plan) VALUES ($1, $2, $3)", tenant_id, name, plan
                )
            except asyncpg.UniqueViolationError as error:
                raise TenantExists(f"there is a tenant {tenant_id!r} already", tenant=tenant_id) from error
            await record(connection, "tenant.create", tenant_id, {"name": name, "plan": plan}, by=replace(by, tenant=tenant_id))
            return await _tenant(connection, tenant_id)

    async def change_tenant(
        self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None, by: Actor
    ) -> Tenant:
        async with self._pool.acquire() as connection, connection.transaction():
            await _tenant(connection, tenant_id)
            if plan is not None:
                await _plan(connection, plan)
                await connection.execute("UPDATE tenant SET plan = $2 WHERE tenant_id = $1", tenant_id, plan)
            if disabled is not None:
                await connection.execute(
                    """UPDATE tenant SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, clock_timestamp()) END
                       WHERE tenant_id = $1""",
                    tenant_id,
                    disabled,
                )
            detail = {"plan": plan, "disabled": disabled}
            await record(connection, "tenant.change", tenant_id, detail, by=replace(by, tenant=tenant_id))
            return await _tenant(connection, tenant_id)

    async def plans(self) -> Sequence[Plan]:
        async with self._pool.acquire() as connection:
            return [Plan(*row) for row in await connection.fetch(f"{_PLAN} ORDER BY name")]

    async def put_plan(self, plan: Plan, *, by: Actor) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """INSERT INTO plan (name, per_minute, per_hour, per_day, burst, at_once) VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (name) DO UPDATE
                   SET per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day,
                       burst = excluded.burst, at_once = excluded.at_once""",
                *asdict(plan).values(),
            )
            await record(connection, "plan.put", plan.name, asdict(plan), by=by)


async def _tenant(connection: Connection, tenant_id: str) -> Tenant:
    row = await connection.fetchrow(f"{_TENANT} WHERE tenant_id = $1", tenant_id)
    if row is None:
        raise UnknownName("tenant", tenant_id)
    return Tenant(*row)


async def _plan(connection: Connection, name: str) -> Plan:
    plans = [Plan(*row) for row in await connection.fetch(_PLAN)]
    found = next((plan for plan in plans if plan.name == name), None)
    if found is None:
        raise UnknownName("plan", name, nearest(name, [plan.name for plan in plans]))
    return found
