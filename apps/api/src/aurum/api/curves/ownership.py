"""Who may write what: a tenant its own products and reference data, an administrator the shared ones."""

from __future__ import annotations

from starlette.requests import Request

from aurum.api.curves.documents import Owner
from aurum.api.http.request_state import caller_of
from aurum.core.access import MissingScope, Permission


def written_owner(request: Request, owner: Owner) -> str | None:
    """Return the tenant whose data a request writes; None for shared data. Raises ``MissingScope``."""
    caller = caller_of(request)
    if owner == "tenant":
        return caller.tenant
    if not caller.may(Permission.ADMIN_WRITE):
        raise MissingScope(Permission.ADMIN_WRITE)
    return None


def stored_owner(request: Request, tenant: str | None) -> str | None:
    """Return the owner of stored data that a request changes: ``tenant``. Raises ``MissingScope`` for shared data."""
    return written_owner(request, "shared" if tenant is None else "tenant")
