"""Tenants, their keys and plans, and who changed them. What belongs to a tenant is read and written behind row-level security.

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
    """Who acts. ``subject``: as in ``Caller``. ``tenant``: whose credential it is; None: the operator's command line."""

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
        """Whether the key is accepted at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with what authentication checks. ``digest``: SHA-256 of its secret."""

    key: ApiKey
    digest: bytes
    tenant: Tenant
    plan: RatePlan


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


def as_recorded(detail: Mapping[str, object]) -> dict[str, object]:
    """Return a copy of the details of an audit entry as JSON can hold them: instants as ISO 8601, other values as texts."""
    return json.loads(json.dumps(dict(detail), default=_as_text))


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


class OtherTenant(Forbidden):
    """A transaction of one tenant was to change or record something of another. Facts: ``tenant``, the other one."""

    def __init__(self, own: str, other: str | None) -> None:
        super().__init__(
            f"a transaction of tenant {own!r} cannot write rows of tenant {other!r}: begin one of that", tenant=other
        )


class KeyEnded(Conflict):
    """The key opens nothing any more, so none can be made in its place. Facts: ``key_id``."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the key {key_id!r} has ended: make a new one", key_id=key_id)


class KeyReplaced(Conflict):
    """The key was rotated before. Facts: ``key_id``, ``by``: the key in its place."""

    def __init__(self, key_id: str, by: str) -> None:
        super().__init__(f"the key {key_id!r} was replaced by {by!r}: rotate that one", key_id=key_id, by=by)


class KeyStore(Protocol):
    """Reads of keys. Keys of other tenants do not exist for a caller that acts for one."""

    async def credential(self, key_id: str) -> Credential | None:
        """What authentication needs, when no tenant is known yet; None when there is no such key."""
        ...

    async def page(self, tenant: str, *, after: str | None, limit: int) -> Sequence[ApiKey]:
        """A tenant's keys by id."""
        ...

    async def read(self, tenant: str, key_id: str) -> ApiKey:
        """Raises ``NotFound``."""
        ...

    async def note_used(self, used: Mapping[str, datetime]) -> None:
        """Record when keys were last used, by id; a time before the one on record changes nothing."""
        ...


class KeyWriter(Protocol):
    """Changes keys of the tenant of a transaction."""

    async def locked(self, key_id: str) -> ApiKey:
        """A key that no other transaction changes before this one has ended. Raises ``NotFound``."""
        ...

    async def successor(self, key_id: str) -> str | None:
        """The id of the key that replaces a key; None when there is none."""
        ...

    async def insert(self, key: ApiKey, digest: bytes) -> None:
        """Raises ``NotFound`` when there is no such tenant, ``Conflict`` when the id is taken."""
        ...

    async def expire(self, key_id: str, at: datetime) -> None:
        """Let a key end at that time."""
        ...

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key now. Raises ``NotFound``."""
        ...


class TenantStore(Protocol):
    """Reads of tenants and plans."""

    async def tenants(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        """By id."""
        ...

    async def tenant(self, tenant_id: str) -> tuple[Tenant, RatePlan]:
        """Raises ``NotFound``."""
        ...

    async def plans(self) -> Sequence[RatePlan]:
        """By name."""
        ...


class TenantWriter(Protocol):
    """Changes tenants and plans within a transaction."""

    async def insert(self, tenant_id: str, name: str, plan: str) -> Tenant:
        """Raises ``Conflict`` when the id is taken, ``UnknownName`` when there is no such plan."""
        ...

    async def change(self, tenant_id: str, *, plan: str | None = None, disabled: bool | None = None) -> Tenant:
        """What is None stays as it is. Raises ``NotFound``, ``UnknownName``."""
        ...

    async def put_plan(self, plan: RatePlan) -> None:
        """Make a plan or change it, for all its tenants at once."""
        ...


class AuditWriter(Protocol):
    """Records who did what, in the transaction that does it."""

    async def append(self, action: str, target: str, detail: Mapping[str, object], *, tenant: str | None = None) -> None:
        """Append an entry by the actor of the transaction.

        ``tenant``: whom it concerns; None: the tenant of the transaction, else that of the actor. A transaction of a tenant
        can name no other one.
        """
        ...


class AuditLog(Protocol):
    """Reads of who did what."""

    async def page(
        self, *, tenant: str | None = None, action: str | None = None, before: int | None, limit: int
    ) -> Sequence[AuditEntry]:
        """The newest first; ``before``: the last id already seen. ``tenant`` None: of all."""
        ...
