"""Tenants, their keys and plans, and who changed them. What belongs to a tenant is read and written behind row-level security.

Every change is recorded in the audit log in its own transaction: there is none without a record, and no record without one.
All methods raise ``Unavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aurum.core.access import Plan
from aurum.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. ``subject``: as in ``Caller``. ``tenant``: on whose behalf; None: the operator's own."""

    subject: str
    tenant: str | None = None
    request_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer. ``disabled_at``: since when none of its credentials is taken."""

    tenant_id: str
    name: str
    plan: str
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. ``replaces``: the key it was made from by rotation."""

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

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Credential:
    """All that is needed to let a key in. ``digest``: SHA-256 of its secret."""

    key: ApiKey
    digest: bytes
    tenant: Tenant
    plan: Plan


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom. ``at``: UTC. ``detail``: JSON-representable values; instants as ISO 8601 texts."""

    audit_id: int
    at: datetime
    tenant: str | None
    actor: str
    action: str
    target: str
    detail: Mapping[str, object]
    request_id: str
    address: str


class KeyEnded(Conflict):
    """The key opens nothing any more, so none can be made in its place. Facts: ``key_id``."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the key {key_id!r} has ended: make a new one", key_id=key_id)


class KeyReplaced(Conflict):
    """The key was rotated before. Facts: ``key_id``, ``by``: the key in its place."""

    def __init__(self, key_id: str, by: str) -> None:
        super().__init__(f"the key {key_id!r} was replaced by {by!r}: rotate that one", key_id=key_id, by=by)


class KeyStore(Protocol):
    """Keys by id. Other tenants' keys do not exist for whoever acts for one."""

    async def credential(self, key_id: str) -> Credential | None:
        """For authentication, when no tenant is known yet; None when there is no such key."""
        ...

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        """A tenant's keys by id."""
        ...

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        """Raises ``NotFound``."""
        ...

    async def create(self, key: ApiKey, digest: bytes, *, by: Actor) -> None:
        """Raises ``NotFound`` when there is no such tenant, ``Conflict`` when the id is taken."""
        ...

    async def rotate(self, key: ApiKey, digest: bytes, *, old_expires_at: datetime, by: Actor) -> None:
        """Create ``key``, which replaces ``key.replaces``, and let the old one expire then, if not before.

        Raises ``NotFound``; ``KeyEnded`` when the old one opens nothing at ``key.created_at``: else whoever may rotate could
        undo that it was revoked; ``KeyReplaced`` when it was rotated before: the end it has now is not its own.
        """
        ...

    async def revoke(self, tenant: str, key_id: str, *, by: Actor) -> ApiKey:
        """End a key at once; a second time changes nothing. Raises ``NotFound``."""
        ...

    async def note_used(self, used: Mapping[str, datetime]) -> None:
        """When keys were last used, by id."""
        ...


class TenantStore(Protocol):
    """Tenants and plans."""

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        """By id."""
        ...

    async def tenant(self, tenant_id: str) -> tuple[Tenant, Plan]:
        """Raises ``NotFound``."""
        ...

    async def create_tenant(self, tenant_id: str, name: str, plan: str, *, by: Actor) -> Tenant:
        """Raises ``Conflict`` when the id is taken, ``UnknownName`` when there is no such plan."""
        ...

    async def change_tenant(
        self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None, by: Actor
    ) -> Tenant:
        """What is None stays as it is. Raises ``NotFound``, ``UnknownName``."""
        ...

    async def plans(self) -> Sequence[Plan]:
        """By name."""
        ...

    async def put_plan(self, plan: Plan, *, by: Actor) -> None:
        """Make a plan or change it, for all its tenants at once."""
        ...


class AuditLog(Protocol):
    """Who did what."""

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, by: Actor) -> None:
        """For what is changed outside the store."""
        ...

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        """The newest first; ``before``: the last id already seen. ``tenant`` None: of all."""
        ...
