"""Tenants and their rate plans: creation and changes."""

from __future__ import annotations

from dataclasses import asdict

from aurum.core.access import RatePlan
from aurum.storage.ports.access import Actor, Tenant
from aurum.storage.ports.transaction import Transactions


async def create_tenant(transactions: Transactions, tenant_id: str, name: str, plan: str, *, by: Actor) -> Tenant:
    """Create a tenant. Raises ``Conflict`` when the id exists already, ``UnknownName`` for an unknown plan."""
    async with transactions.transaction(by=by) as tx:
        tenant = await tx.tenants.insert(tenant_id, name, plan)
        await tx.audit.append("tenant.create", tenant_id, {"name": name, "plan": plan}, tenant=tenant_id)
        return tenant


async def change_tenant(
    transactions: Transactions, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None, by: Actor
) -> Tenant:
    """Change the plan or the state of a tenant; None leaves a field unchanged. Raises ``NotFound``, ``UnknownName``."""
    async with transactions.transaction(by=by) as tx:
        tenant = await tx.tenants.change(tenant_id, plan=plan, disabled=disabled)
        await tx.audit.append("tenant.change", tenant_id, {"plan": plan, "disabled": disabled}, tenant=tenant_id)
        return tenant


async def put_plan(transactions: Transactions, plan: RatePlan, *, by: Actor) -> None:
    """Create a plan, or change it for all tenants on it at once."""
    async with transactions.transaction(by=by) as tx:
        await tx.tenants.put_plan(plan)
        await tx.audit.append("plan.put", plan.name, asdict(plan))
