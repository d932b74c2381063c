"""Requests that name private series: their readers, the scope they need, and the headers of their responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.requests import Request

from aurum.api.handlers.services import services
from aurum.api.http.request_state import state_of
from aurum.core.access import MissingScope, Permission
from aurum.services.observations import Reading
from aurum.services.private import tenant_reading
from aurum.storage.ports.private import is_private

PRIVATE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Authorization, X-API-Key",
}
"""Headers of a response with private series: a browser asks each time, and another credential gets another response."""


def reading_of(request: Request, keys: Iterable[str]) -> Reading:
    """Return the readers for a request that names these series, whether they exist or not.

    With a private key among them the readers see the private series of the caller's tenant, and nothing caches the response,
    a 404 included. ``keys``: several may be in one text, separated by commas. Raises ``MissingScope``.
    """
    service = services(request)
    if not any(is_private(key) for text in keys for key in (text, *text.split(","))):
        return service.reading
    state = state_of(request.scope)
    state.is_private, state.caching = True, None
    if not state.caller.may(Permission.PRIVATE_READ):
        raise MissingScope(Permission.PRIVATE_READ)
    return tenant_reading(service.reading, service.store.private.of(state.caller.tenant))
