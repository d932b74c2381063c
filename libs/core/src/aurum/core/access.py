"""Who asks, for whom, and what they may do. Roles are names for sets of scopes, by exact name and never by likeness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aurum.core.errors import Forbidden, Invalid, UnknownName
from aurum.core.names import nearest


class Permission(StrEnum):
    """One thing a caller may do."""

    SERIES_READ = "series:read"
    CATALOG_READ = "catalog:read"
    CURVES_READ = "curves:read"
    CURVES_WRITE = "curves:write"
    SCENARIOS_READ = "scenarios:read"
    SCENARIOS_WRITE = "scenarios:write"
    SCENARIOS_RUN = "scenarios:run"
    SCENARIOS_DELETE = "scenarios:delete"
    PPA_READ = "ppa:read"
    PPA_WRITE = "ppa:write"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"
    ADMIN_FLAGS = "admin:flags"
    ADMIN_LIMITS = "admin:limits"
    TENANT_MANAGE = "tenant:manage"


class Role(StrEnum):
    """A set of scopes under a name; each holds all of the one before."""

    USER = "user"
    ANALYST = "analyst"
    TRADER = "trader"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


_USER = {
    Permission.SERIES_READ,
    Permission.CATALOG_READ,
    Permission.CURVES_READ,
    Permission.SCENARIOS_READ,
    Permission.PPA_READ,
}
_ANALYST = _USER | {Permission.SCENARIOS_RUN}
_TRADER = _ANALYST | {Permission.CURVES_WRITE, Permission.SCENARIOS_WRITE, Permission.SCENARIOS_DELETE, Permission.PPA_WRITE}
_ADMIN = _TRADER | {Permission.ADMIN_READ, Permission.ADMIN_FLAGS, Permission.ADMIN_LIMITS}
_SUPER_ADMIN = _ADMIN | {Permission.ADMIN_WRITE, Permission.TENANT_MANAGE}

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.USER: frozenset(_USER),
    Role.ANALYST: frozenset(_ANALYST),
    Role.TRADER: frozenset(_TRADER),
    Role.ADMIN: frozenset(_ADMIN),
    Role.SUPER_ADMIN: frozenset(_SUPER_ADMIN),
}
EVERY_PERMISSION = frozenset(Permission)

TENANT_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""What the id of a tenant looks like: a label of a host name (RFC 1123), so that it may be one."""


@dataclass(frozen=True, slots=True)
class RatePlan:
    """How often a tenant's callers may ask: requests a minute, an hour and a day; ``burst`` times a minute's share at
    once; ``at_once`` requests under way together."""

    name: str
    per_minute: int
    per_hour: int
    per_day: int
    burst: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``subject``: ``key:<id>``, ``user:<name>`` or ``local``. ``plan``: None where nothing is limited."""

    tenant: str
    subject: str
    scopes: frozenset[Permission]
    plan: RatePlan | None = None

    def may(self, scope: Permission) -> bool:
        return scope in self.scopes


class MissingScope(Forbidden):
    """The caller may not do this. Facts: ``scope``."""

    def __init__(self, scope: Permission) -> None:
        super().__init__(f"this needs the scope {scope}", scope=str(scope))


class MalformedTenantId(Invalid):
    """No tenant can be called that. Facts: ``tenant``."""


LOCAL = Caller(tenant="local", subject="local", scopes=EVERY_PERMISSION)
"""Whoever asks a service that is open, on the machine it runs on."""


def parse_role(text: str) -> Role:
    """The role of a name. Raises ``UnknownName``."""
    if text not in list(Role):
        raise UnknownName("role", text, nearest(text, list(Role)))
    return Role(text)


def parse_scope(text: str) -> Permission:
    """The scope of a name. Raises ``UnknownName``."""
    if text not in list(Permission):
        raise UnknownName("scope", text, nearest(text, list(Permission)))
    return Permission(text)


def parse_tenant_id(text: str) -> str:
    """The id of a tenant there is or may be. Raises ``MalformedTenantId``."""
    if re.fullmatch(TENANT_ID, text) is None:
        raise MalformedTenantId(f"{text!r} is no tenant: small letters, digits and hyphens, up to 63", tenant=text)
    return text


def granted(roles: Iterable[str], scopes: Iterable[str] = ()) -> frozenset[Permission]:
    """All that roles and scopes grant together. Names nobody knows grant nothing: a token may carry those of others."""
    found = {Permission(scope) for scope in scopes if scope in list(Permission)}
    for role in roles:
        if role in list(Role):
            found |= ROLES[Role(role)]
    return frozenset(found)
