"""Whose jobs a caller sees and controls."""

from __future__ import annotations

from aurum.core.access import Caller, MissingScope, Permission


def visible_tenant(caller: Caller, requested: str | None = None) -> str | None:
    """Return the tenant whose jobs a caller reaches; None: the jobs of every tenant and of the platform, for ``admin:write``.

    ``requested``: the tenant whose jobs the caller asks for; None: all that it reaches. Raises ``MissingScope`` for another
    tenant than the caller's own without ``admin:write``.
    """
    if caller.may(Permission.ADMIN_WRITE):
        return requested
    if requested not in (None, caller.tenant):
        raise MissingScope(Permission.ADMIN_WRITE)
    return caller.tenant
