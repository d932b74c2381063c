"""Tenants, keys, plans and the audit log in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from aurum.core.access import Plan
from aurum.core.clock import Clock
from aurum.core.errors import Conflict, NotFound, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.access import Actor, ApiKey, AuditEntry, Credential, KeyEnded, KeyReplaced, Tenant

PLANS = (
    Plan("basic", 300, 5_000, 50_000, 1.5, 10),
    Plan("enterprise", 5_000, 100_000, 1_000_000, 3.0, 50),
    Plan("free", 60, 1_000, 10_000, 1.0, 5),
    Plan("premium", 1_000, 20_000, 200_000, 2.0, 20),
)
"""The plans every store begins with."""


@dataclass(slots=True)
class AccessState:
    """What the three adapters share. Like every store it begins with a tenant of its own."""

    clock: Clock
    plans: dict[str, Plan] = field(default_factory=lambda: {plan.name: plan for plan in PLANS})
    tenants: dict[str, Tenant] = field(default_factory=dict[str, Tenant])
    keys: dict[str, tuple[ApiKey, bytes]] = field(default_factory=dict[str, tuple[ApiKey, bytes]])
    audit: list[AuditEntry] = field(default_factory=list[AuditEntry])

    def __post_init__(self) -> None:
        self.tenants["local"] = Tenant("local", "This installation", "enterprise", self.clock.now())

    def record(self, action: str, target: str, detail: Mapping[str, object], by: Actor, tenant: str | None) -> None:
        """Append to the audit log."""
        number, at = len(self.audit) + 1, self.clock.now()
        self.audit.append(AuditEntry(number, at, tenant, by.subject, action, target, detail, by.request_id, by.address))

    def tenant(self, tenant_id: str) -> Tenant:
        """Raises ``UnknownName``."""
        if tenant_id not in self.tenants:
            raise UnknownName("tenant", tenant_id)
        return self.tenants[tenant_id]

    def plan(self, name: str) -> Plan:
        """Raises ``UnknownName``."""
        if name not in self.plans:
            raise UnknownName("plan", name, nearest(name, list(self.plans)))
        return self.plans[name]


class MemoryKeyStore:
    """``KeyStore`` in memory."""

    def __init__(self, state: AccessState) -> None:
        self._state = state

    async def credential(self, key_id: str) -> Credential | None:
        found = self._state.keys.get(key_id)
        if found is None:
            return None
        tenant = self._state.tenant(found[0].tenant)
        return Credential(found[0], found[1], tenant, self._state.plan(tenant.plan))

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        mine = sorted((key for key, _ in self._state.keys.values() if key.tenant == tenant), key=lambda key: key.key_id)
        return [key for key in mine if after is None or key.key_id > after][:limit]

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        found = self._state.keys.get(key_id)
        if found is None or found[0].tenant != tenant:
            raise NotFound(f"there is no key {key_id!r}", key_id=key_id)
        return found[0]

    async def create(self, key: ApiKey, digest: bytes, *, by: Actor) -> None:
        self._insert(key, digest)
        self._state.record("key.create", key.key_id, _said(key), by, key.tenant)

    async def rotate(self, key: ApiKey, digest: bytes, *, old_expires_at: datetime, by: Actor) -> None:
        old = await self.read(key.tenant, key.replaces or "")
        if not old.is_valid(key.created_at):
            raise KeyEnded(old.key_id)
        for other, _ in self._state.keys.values():
            if other.replaces == old.key_id:
                raise KeyReplaced(old.key_id, other.key_id)
        self._insert(key, digest)
        ends = old_expires_at if old.expires_at is None else min(old.expires_at, old_expires_at)
        self._change(replace(old, expires_at=ends))
        detail = {**_said(key), "replaces": key.replaces, "old_expires_at": ends.isoformat()}
        self._state.record("key.rotate", key.key_id, detail, by, key.tenant)

    async def revoke(self, tenant: str, key_id: str, *, by: Actor) -> ApiKey:
        key = await self.read(tenant, key_id)
        if key.revoked_at is None:
            key = replace(key, revoked_at=self._state.clock.now())
            self._change(key)
            self._state.record("key.revoke", key_id, {}, by, tenant)
        return key

    async def note_used(self, used: Mapping[str, datetime]) -> None:
        for key_id, at in used.items():
            if key_id in self._state.keys:
                key = self._state.keys[key_id][0]
                if key.last_used_at is None or key.last_used_at < at:
                    self._change(replace(key, last_used_at=at))

    def _insert(self, key: ApiKey, digest: bytes) -> None:
        self._state.tenant(key.tenant)
        if key.key_id in self._state.keys:
            raise Conflict(f"there is a key {key.key_id!r} already", key_id=key.key_id)
        self._state.keys[key.key_id] = key, digest

    def _change(self, key: ApiKey) -> None:
        self._state.keys[key.key_id] = key, self._state.keys[key.key_id][1]


class MemoryTenantStore:
    """``TenantStore`` in memory."""

    def __init__(self, state: AccessState) -> None:
        self._state = state

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        return [self._state.tenants[name] for name in sorted(self._state.tenants) if after is None or name > after][:limit]

    async def tenant(self, tenant_id: str) -> tuple[Tenant, Plan]:
        tenant = self._state.tenant(tenant_id)
        return tenant, self._state.plan(tenant.plan)

    async def create_tenant(self, tenant_id: str, name: str, plan: str, *, by: Actor) -> Tenant:
        self._state.plan(plan)
        if tenant_id in self._state.tenants:
            raise Conflict(f"there is a tenant {tenant_id!r} already", tenant=tenant_id)
        self._state.tenants[tenant_id] = Tenant(tenant_id, name, plan, self._state.clock.now())
        self._state.record("tenant.create", tenant_id, {"name": name, "plan": plan}, by, tenant_id)
        return self._state.tenants[tenant_id]

    async def change_tenant(
        self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None, by: Actor
    ) -> Tenant:
        tenant = self._state.tenant(tenant_id)
        if plan is not None:
            tenant = replace(tenant, plan=self._state.plan(plan).name)
        if disabled is not None:
            since = tenant.disabled_at or self._state.clock.now()
            tenant = replace(tenant, disabled_at=since if disabled else None)
        self._state.tenants[tenant_id] = tenant
        self._state.record("tenant.change", tenant_id, {"plan": plan, "disabled": disabled}, by, tenant_id)
        return tenant

    async def plans(self) -> Sequence[Plan]:
        return [self._state.plans[name] for name in sorted(self._state.plans)]

    async def put_plan(self, plan: Plan, *, by: Actor) -> None:
        self._state.plans[plan.name] = plan
        self._state.record("plan.put", plan.name, asdict(plan), by, by.tenant)


class MemoryAuditLog:
    """``AuditLog`` in memory."""

    def __init__(self, state: AccessState) -> None:
        self._state = state

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
        self._state.record(action, target, detail, by, by.tenant)

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        found = [
            entry
            for entry in reversed(self._state.audit)
            if (tenant is None or entry.tenant == tenant)
            and (action is None or entry.action == action)
            and (before is None or entry.audit_id < before)
        ]
        return found[:limit]


def _said(key: ApiKey) -> dict[str, object]:
    ends = key.expires_at.isoformat() if key.expires_at is not None else None
    return {"name": key.name, "roles": list(key.roles), "scopes": list(key.scopes), "expires_at": ends}
