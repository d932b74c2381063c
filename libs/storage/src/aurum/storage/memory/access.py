"""Tenants, keys, plans and the audit log in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from aurum.core.access import RatePlan
from aurum.core.clock import Clock
from aurum.core.errors import Conflict, NotFound, UnknownName
from aurum.core.names import nearest
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.access import Actor, ApiKey, AuditEntry, Credential, OtherTenant, Tenant, json_detail


class MemoryKeyStore:
    """``KeyStore`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def credential(self, key_id: str) -> Credential | None:
        if key_id not in self._state.keys:
            return None
        key, digest = self._state.keys[key_id]
        tenant = _tenant(self._state, key.tenant)
        return Credential(key, digest, tenant, _plan(self._state, tenant.plan))

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        keys = sorted((key for key, _ in self._state.keys.values() if key.tenant == tenant), key=lambda key: key.key_id)
        return [key for key in keys if after is None or key.key_id > after][:limit]

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        return _key(self._state, tenant, key_id)

    async def note_used(self, last_used: Mapping[str, datetime]) -> None:
        async with self._state.lock:
            for key_id, at in last_used.items():
                if key_id in self._state.keys:
                    key, digest = self._state.keys[key_id]
                    if key.last_used_at is None or key.last_used_at < at:
                        self._state.keys[key_id] = replace(key, last_used_at=at), digest


class MemoryKeyWriter:
    """``KeyWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock, tenant: str) -> None:
        self._state = state
        self._clock = clock
        self._tenant = tenant

    async def locked(self, key_id: str) -> ApiKey:
        return _key(self._state, self._tenant, key_id)

    async def successor(self, key_id: str) -> str | None:
        keys = (key for key, _ in self._state.keys.values() if key.tenant == self._tenant)
        return next((key.key_id for key in keys if key.replaces == key_id), None)

    async def insert(self, key: ApiKey, digest: bytes) -> None:
        if key.tenant != self._tenant:
            raise OtherTenant(self._tenant, key.tenant)
        _tenant(self._state, key.tenant)
        if key.key_id in self._state.keys:
            raise Conflict(f"a key {key.key_id!r} already exists", key_id=key.key_id)
        self._state.keys[key.key_id] = key, digest

    async def expire(self, key_id: str, at: datetime) -> None:
        self._change(replace(_key(self._state, self._tenant, key_id), expires_at=at))

    async def give_owner(self, key_id: str, owner: str) -> ApiKey:
        key = _key(self._state, self._tenant, key_id)
        return self._change(replace(key, owner=owner)) if key.owner is None else key

    async def revoke(self, key_id: str) -> ApiKey:
        return self._change(replace(_key(self._state, self._tenant, key_id), revoked_at=self._clock.now()))

    def _change(self, key: ApiKey) -> ApiKey:
        self._state.keys[key.key_id] = key, self._state.keys[key.key_id][1]
        return key


class MemoryTenantStore:
    """``TenantStore`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        return [self._state.tenants[name] for name in sorted(self._state.tenants) if after is None or name > after][:limit]

    async def tenant(self, tenant_id: str) -> tuple[Tenant, RatePlan]:
        tenant = _tenant(self._state, tenant_id)
        return tenant, _plan(self._state, tenant.plan)

    async def plans(self) -> Sequence[RatePlan]:
        return [self._state.plans[name] for name in sorted(self._state.plans)]


class MemoryTenantWriter:
    """``TenantWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def insert(self, tenant_id: str, name: str, plan: str) -> Tenant:
        _plan(self._state, plan)
        if tenant_id in self._state.tenants:
            raise Conflict(f"a tenant {tenant_id!r} already exists", tenant=tenant_id)
        self._state.tenants[tenant_id] = Tenant(tenant_id, name, plan, self._clock.now())
        return self._state.tenants[tenant_id]

    async def change(self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None) -> Tenant:
        tenant = _tenant(self._state, tenant_id)
        if plan is not None:
            tenant = replace(tenant, plan=_plan(self._state, plan).name)
        if disabled is not None:
            since = tenant.disabled_at or self._clock.now()
            tenant = replace(tenant, disabled_at=since if disabled else None)
        self._state.tenants[tenant_id] = tenant
        return tenant

    async def put_plan(self, plan: RatePlan) -> None:
        self._state.plans[plan.name] = plan


class MemoryAuditWriter:
    """``AuditWriter`` in memory. ``tenant``: the tenant of the transaction, None when it has none."""

    def __init__(self, state: MemoryState, clock: Clock, by: Actor, tenant: str | None) -> None:
        self._state = state
        self._clock = clock
        self._by = by
        self._tenant = tenant

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, tenant: str | None = None) -> None:
        if self._tenant is not None and tenant not in (None, self._tenant):
            raise OtherTenant(self._tenant, tenant)
        audit_id, at, by = len(self._state.audit) + 1, self._clock.now(), self._by
        concerned_tenant = tenant or self._tenant or by.tenant
        self._state.audit.append(
            AuditEntry(
                audit_id, at, concerned_tenant, by.subject, action, target, json_detail(detail), by.request_id, by.address
            )
        )


class MemoryAuditLog:
    """``AuditLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        entries = [
            entry
            for entry in reversed(self._state.audit)
            if (tenant is None or entry.tenant == tenant)
            and (action is None or entry.action == action)
            and (before is None or entry.audit_id < before)
        ]
        return entries[:limit]


def _key(state: MemoryState, tenant: str, key_id: str) -> ApiKey:
    key, _ = state.keys.get(key_id, (None, None))
    if key is None or key.tenant != tenant:
        raise NotFound(f"key {key_id!r} does not exist", key_id=key_id)
    return key


def _tenant(state: MemoryState, tenant_id: str) -> Tenant:
    if tenant_id not in state.tenants:
        raise UnknownName("tenant", tenant_id)
    return state.tenants[tenant_id]


def _plan(state: MemoryState, name: str) -> RatePlan:
    if name not in state.plans:
        raise UnknownName("plan", name, nearest(name, list(state.plans)))
    return state.plans[name]
