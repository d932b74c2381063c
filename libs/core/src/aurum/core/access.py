"""Callers, their tenants and permissions. A role is a named set of scopes; names are compared exactly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aurum.core.errors import Forbidden, Invalid, UnknownName
from aurum.core.names import nearest


class Permission(StrEnum):
    """A scope: one kind of action that a caller may be allowed."""

    SERIES_READ = "series:read"
    CATALOG_READ = "catalog:read"
    CURVES_READ = "curves:read"
    CURVES_WRITE = "curves:write"
    CURVES_APPROVE = "curves:approve"
    SCENARIOS_READ = "scenarios:read"
    SCENARIOS_WRITE = "scenarios:write"
    SCENARIOS_RUN = "scenarios:run"
    SCENARIOS_DELETE = "scenarios:delete"
    PPA_READ = "ppa:read"
    PPA_WRITE = "ppa:write"
    PRIVATE_READ = "private:read"
    PRIVATE_WRITE = "private:write"
    JOBS_READ = "jobs:read"
    JOBS_RUN = "jobs:run"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"
    ADMIN_FLAGS = "admin:flags"
    ADMIN_LIMITS = "admin:limits"
    TENANT_MANAGE = "tenant:manage"


class Role(StrEnum):
    """A named set of scopes.

    Each role includes all scopes of the one before it, save that an administrator approves nothing: who runs the service does
    not decide about prices. ``super_admin`` has every scope.
    """

    USER = "user"
    ANALYST = "analyst"
    TRADER = "trader"
    APPROVER = "approver"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


_USER = {
    Permission.SERIES_READ,
    Permission.CATALOG_READ,
    Permission.CURVES_READ,
    Permission.SCENARIOS_READ,
    Permission.PPA_READ,
    Permission.PRIVATE_READ,
    Permission.JOBS_READ,
}
_ANALYST = _USER | {Permission.SCENARIOS_RUN}
_TRADER = _ANALYST | {
    Permission.CURVES_WRITE,
    Permission.SCENARIOS_WRITE,
    Permission.SCENARIOS_DELETE,
    Permission.PPA_WRITE,
    Permission.PRIVATE_WRITE,
    Permission.JOBS_RUN,
}
_APPROVER = _TRADER | {Permission.CURVES_APPROVE}
_ADMIN = _TRADER | {Permission.ADMIN_READ, Permission.ADMIN_FLAGS, Permission.ADMIN_LIMITS}
_SUPER_ADMIN = _ADMIN | {Permission.CURVES_APPROVE, Permission.ADMIN_WRITE, Permission.TENANT_MANAGE}

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.USER: frozenset(_USER),
    Role.ANALYST: frozenset(_ANALYST),
    Role.TRADER: frozenset(_TRADER),
    Role.APPROVER: frozenset(_APPROVER),
    Role.ADMIN: frozenset(_ADMIN),
    Role.SUPER_ADMIN: frozenset(_SUPER_ADMIN),
}
EVERY_PERMISSION = frozenset(Permission)

TENANT_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""Pattern of tenant ids: a label of a host name (RFC 1123), so that an id can be part of one."""


@dataclass(frozen=True, slots=True)
class RatePlan:
    """The rate limits of a tenant's callers: requests a minute, an hour and a day.

    ``burst``: multiple of ``per_minute`` that may come at once. ``at_once``: most requests of the tenant under way at once.
    ``listeners``: most streams of events, of changes and of jobs, that the tenant has open at once, in each process.
    """

    name: str
    per_minute: int
    per_hour: int
    per_day: int
    burst: float
    at_once: int
    listeners: int = 20


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity and the permissions of a client.

    ``subject``: ``key:<id>``, ``user:<name>`` or ``local``. ``plan``: None when its requests are not limited. ``roles``: those
    whose scopes it has; ``scopes`` may hold more. ``name``: of its key. ``person``: who acts, as ``person_of_key`` and
    ``person_of_token`` write it; None: a key that names no owner, behind which may be anyone.
    """

    tenant: str
    subject: str
    scopes: frozenset[Permission]
    plan: RatePlan | None = None
    roles: tuple[Role, ...] = ()
    name: str = ""
    person: str | None = None

    def may(self, scope: Permission) -> bool:
        return scope in self.scopes


class MissingScope(Forbidden):
    """The caller lacks a scope. Facts: ``scope``."""

    def __init__(self, scope: Permission) -> None:
        super().__init__(f"this request needs the scope {scope}, which the caller does not have", scope=str(scope))


class MalformedTenantId(Invalid):
    """A text that cannot be the id of a tenant. Facts: ``tenant``."""


LOCAL = Caller(tenant="local", subject="local", scopes=EVERY_PERMISSION, roles=(Role.SUPER_ADMIN,), person="local")
"""Every client of a service with access mode ``open``, which serves only the machine it runs on."""


def person_of_token(subject: str) -> str:
    """Return the person behind a token with this ``sub``: ``user:<sub>``."""
    return f"user:{subject}"


def person_of_key(owner: str | None) -> str | None:
    """Return the person behind a key: ``owner:<name>``; None for a key without an owner."""
    return None if owner is None else f"owner:{owner}"


def is_same_person(one: str, other: str) -> bool:
    """Return whether two persons, as ``Caller.person`` writes them, may be the same one.

    Names are compared without case, width and repeated blanks, and an owner with the ``sub`` of a token, too: two spellings of
    a name are no second person.

    >>> is_same_person("owner:Anna  Smith", "owner:anna smith"), is_same_person("user:anna", "owner:Anna")
    (True, True)
    """
    return _person_name(one) == _person_name(other)


def _person_name(person: str) -> str:
    name = person.partition(":")[2] or person
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def parse_role(text: str) -> Role:
    """Return the role of a name. Raises ``UnknownName``."""
    if text not in list(Role):
        raise UnknownName("role", text, nearest(text, list(Role)))
    return Role(text)


def parse_scope(text: str) -> Permission:
    """Return the scope of a name. Raises ``UnknownName``."""
    if text not in list(Permission):
        raise UnknownName("scope", text, nearest(text, list(Permission)))
    return Permission(text)


def parse_tenant_id(text: str) -> str:
    """Return the text, if it can be the id of a tenant. Raises ``MalformedTenantId``."""
    if re.fullmatch(TENANT_ID, text) is None:
        raise MalformedTenantId(
            f"{text!r} is not the id of a tenant: use up to 63 lower-case letters, digits and hyphens, no hyphen first",
            tenant=text,
        )
    return text


def known_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Return the roles among some names, in the order of ``Role``. Unknown names are left out, as ``granted`` does."""
    present = set(names)
    return tuple(role for role in Role if role in present)


def granted(roles: Iterable[str], scopes: Iterable[str] = ()) -> frozenset[Permission]:
    """Return all permissions of some roles and scopes. Unknown names grant nothing: tokens may hold names of other services."""
    permissions = {Permission(scope) for scope in scopes if scope in list(Permission)}
    for role in roles:
        if role in list(Role):
            permissions |= ROLES[Role(role)]
    return frozenset(permissions)
