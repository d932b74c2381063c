"""The response to a request for observations of several series, from a URL or a body."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import MANY_SERIES, question_of, read
from aurum.api.handlers.services import services
from aurum.api.observations.respond import long_response, not_modified, resolve_request, wide_response
from aurum.services.observations import all_series_of, make_plan
from aurum.services.observations.complexity import Budget, estimated_points, estimated_rows


async def answer_many(request: Request, query: QueryParams, *, budget: Budget | None = None) -> Response:
    """Return the response to a query with the parameters ``MANY_SERIES``. Raises ``InvalidParameters``, ``TooManyPoints``.

    ``budget``: of all queries of a batch; the estimated observations of this one are taken off it.
    """
    arguments = read(query, MANY_SERIES)
    service = services(request)
    series = await all_series_of(
        service.store.catalog.reader, query.getlist("series"), most=service.settings.series_per_request
    )
    plan = await make_plan(question_of(arguments), series, service.store.catalog.reader)
    resolved = await resolve_request(request, query, series, plan, arguments, "long")
    if budget is not None:
        points, rows = (count(series, plan.read_span, plan.freq) for count in (estimated_points, estimated_rows))
        # An estimate may be too high: a query of its own is refused only for the rows that it really has.
        budget.spend(points, min(rows, service.settings.document_rows))
    # Only a GET may be answered with 304: a POST has no current response to compare a tag with (RFC 9110, 13.1.2).
    if request.method == "GET" and (unchanged := not_modified(resolved)) is not None:
        return unchanged
    return await (wide_response(resolved) if resolved.layout == "wide" else long_response(resolved))
