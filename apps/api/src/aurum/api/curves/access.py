"""Readers of curves for one request."""

from __future__ import annotations

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


def own_response(request: Request, response: Response, *versions: object) -> Response | None:
    """Keep a response out of every cache but that of its caller: another tenant has other products.

    ``versions``: everything that the answer depends on beside the request. Returns a 304 when the client has the current
    response; else None, and ``response`` has its entity tag.
    """
    state = state_of(request.scope)
    state.is_private = True
    parameters = sorted(request.query_params.multi_items())
    tag = entity_tag(services(request).feed.timeline, request.url.path, parameters, state.caller.tenant, *versions)
    headers = {"ETag": tag, **PRIVATE_HEADERS}
    if is_current(request, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
