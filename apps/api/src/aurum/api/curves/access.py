"""Readers of curves for one request."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.etag import entity_tag, is_current
from aurum.api.handlers.services import services
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.observations.private import PRIVATE_HEADERS
from aurum.services.curves import CurveReading


def reading_of(request: Request) -> CurveReading:
    """Return the readers of the caller: shared products and those of the caller's own tenant, never those of another."""
    service = services(request)
    tenant = caller_of(request).tenant
    return CurveReading(service.store.curves, service.reading, tenant, service.store.private.of(tenant).loaded)


async def written(request: Request) -> None:
    """Wait until this process knows of a change that the request has made, so that its caller reads what it wrote."""
    await services(request).feed.catch_up()


def own_tag(request: Request, path: str, parameters: Iterable[tuple[str, str]], *versions: object) -> str:
    """Return the entity tag of a response for the caller's tenant, such as ``own_response`` gives it."""
    tenant = caller_of(request).tenant
    return entity_tag(services(request).feed.timeline, path, sorted(parameters), tenant, *versions)


def own_response(request: Request, response: Response, *versions: object) -> Response | None:
    """Keep a response out of every cache but that of its caller: another tenant has other products.

    ``versions``: everything that the answer depends on beside the request. Returns a 304 when the client has the current
    response; else None, and ``response`` has its entity tag.
    """
    state_of(request.scope).is_private = True
    tag = own_tag(request, request.url.path, request.query_params.multi_items(), *versions)
    headers = {"ETag": tag, **PRIVATE_HEADERS}
    if is_current(request, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
