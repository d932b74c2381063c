"""Tenants, their keys and plans, and the audit log. Rows of a tenant are read and written behind row-level security.

Changes are made in a transaction (``ports.transaction``) that also records them in the audit log. All methods raise
``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from aurum.core.access import RatePlan
from aurum.core.errors import Conflict, Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program that makes a change.

    ``subject``, ``person``: as in ``Caller``. ``tenant``: the owner of its credential; None for the operator's command line.
    """

    subject: str
    tenant: str | None = None
    request_id: str = ""
    address: str = ""
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer. ``disabled_at``: since when its credentials are refused; None while they are accepted."""

    tenant_id: str
    name: str
    plan: str
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret.

    ``replaces``: the id of the key that it replaced by rotation. ``owner``: name of the person who uses it; None: unknown.
    """

    key_id: str
    tenant: str
    name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaces: str | None = None
    owner: str | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the key is accepted at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with the facts that authentication checks. ``digest``: SHA-256 of its secret."""

    key: ApiKey
    digest: bytes
    tenant: Tenant
    plan: RatePlan


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One recorded change: the actor, the action and its target.

    ``at``: UTC. ``detail``: JSON-representable values; instants as ISO 8601 texts.
    """

    audit_id: int
    at: datetime
    tenant: str | None
    actor: str
    action: str
    target: str
    detail: Mapping[str, object]
    request_id: str
    address: str


def json_detail(detail: Mapping[str, object]) -> dict[str, object]:
    """Return a copy of the details of an audit entry with JSON values alone: instants as ISO 8601, other values as texts."""
    return json.loads(json.dumps(dict(detail), default=_as_text))


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


class OtherTenant(Forbidden):
    """A transaction of one tenant tried to write a row of another tenant. Facts: ``tenant``, the other one."""

    def __init__(self, own: str, other: str | None) -> None:
        super().__init__(
            f"a transaction of tenant {own!r} cannot write rows of tenant {other!r}: begin a transaction of that tenant",
            tenant=other,
        )


class KeyEnded(Conflict):
    """The key has expired or was revoked, so it can neither be rotated nor get an owner. Facts: ``key_id``."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the key {key_id!r} has expired or was revoked: make a new one", key_id=key_id)


class KeyReplaced(Conflict):
    """The key was rotated before, so its successor is meant. Facts: ``key_id``, ``by``: the key that replaced it."""

    def __init__(self, key_id: str, by: str) -> None:
        super().__init__(f"the key {key_id!r} was replaced by {by!r}: name that one", key_id=key_id, by=by)


class KeyOwned(Conflict):
    """The key has an owner, and an owner never changes. Facts: ``key_id``, ``owner``: the owner it has."""

    def __init__(self, key_id: str, owner: str) -> None:
        super().__init__(
            f"the key {key_id!r} belongs to {owner}, and the owner of a key never changes: revoke it and make a new one",
            key_id=key_id,
            owner=owner,
        )


class KeyStore(Protocol):
    """Reads of keys. A caller that acts for one tenant never sees the keys of another."""

    async def credential(self, key_id: str) -> Credential | None:
        """Return a key with the facts for authentication, before the tenant is known; None when no key has this id."""
        ...

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        """Return keys of a tenant, ascending by id; ``after`` is the last id already seen."""
        ...

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        """Return a key of a tenant. Raises ``NotFound``."""
        ...

    async def note_used(self, last_used: Mapping[str, datetime]) -> None:
        """Record the time of the last use of keys, by id. A time before the recorded one changes nothing."""
        ...


class KeyWriter(Protocol):
    """Writes of keys, for the tenant of a transaction."""

    async def locked(self, key_id: str) -> ApiKey:
        """Return a key and lock it, so that no other transaction changes it before this one ends. Raises ``NotFound``."""
        ...

    async def successor(self, key_id: str) -> str | None:
        """Return the id of the key that replaced a key; None when it was not replaced."""
        ...

    async def insert(self, key: ApiKey, digest: bytes) -> None:
        """Store a new key. Raises ``NotFound`` for an unknown tenant, ``Conflict`` when a key has this id."""
        ...

    async def expire(self, key_id: str, at: datetime) -> None:
        """Set the time at which a key expires."""
        ...

    async def give_owner(self, key_id: str, owner: str) -> ApiKey:
        """Name the owner of a key that has none, and return the key; an owner that it has stays. Raises ``NotFound``."""
        ...

    async def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key now and return it. Raises ``NotFound``."""
        ...


class TenantStore(Protocol):
    """Reads of tenants and plans."""

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        """Return tenants, ascending by id; ``after`` is the last id already seen."""
        ...

    async def tenant(self, tenant_id: str) -> tuple[Tenant, RatePlan]:
        """Return a tenant and its plan. Raises ``NotFound``."""
        ...

    async def plans(self) -> Sequence[RatePlan]:
        """Return all plans, ascending by name."""
        ...


class TenantWriter(Protocol):
    """Writes of tenants and plans within a transaction."""

    async def insert(self, tenant_id: str, name: str, plan: str) -> Tenant:
        """Store a new tenant. Raises ``Conflict`` when a tenant has this id, ``UnknownName`` for an unknown plan."""
        ...

    async def change(self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None) -> Tenant:
        """Change the parameters that are not None. Raises ``NotFound``, ``UnknownName``."""
        ...

    async def put_plan(self, plan: RatePlan) -> None:
        """Store a plan under its name. A change applies to all tenants of the plan at once."""
        ...


class AuditWriter(Protocol):
    """Writes of audit entries, in the transaction of the recorded change."""

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, tenant: str | None = None) -> None:
        """Append an entry by the actor of the transaction.

        ``tenant``: the tenant that the entry concerns; None means that of the transaction, else that of the actor. Raises
        ``OtherTenant`` when a transaction of one tenant names another.
        """
        ...


class AuditLog(Protocol):
    """Reads of the audit log."""

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Return entries, the newest first. ``before``: the last id already seen. ``tenant`` None: entries of all tenants."""
        ...
