"""The response to a request for observations of several series, from a URL or a body."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import MANY_LATEST, MANY_SERIES, at_present, latest_of, question_of, read, series_filter_of
from aurum.api.handlers.services import services
from aurum.api.observations.private import reading_of
from aurum.api.observations.respond import (
    ObservationsRequest,
    long_response,
    not_modified,
    resolve_request,
    wide_response,
)
from aurum.services.observations import make_plan, selected_series
from aurum.services.observations.complexity import Budget
from aurum.services.observations.first_rows import most_selected, points_to_select


async def answer_many(request: Request, query: QueryParams, *, latest: bool = False, budget: Budget | None = None) -> Response:
    """Return the response to a query with the parameters ``MANY_SERIES``. Raises ``InvalidParameters``, ``TooManyPoints``.

    ``latest``: the last row of each series, with the parameters ``MANY_LATEST``. ``budget``: of all queries of a batch; the
    estimated observations of this one are taken off it.
    """
    resolved = await resolve_many(request, query, latest=latest, budget=budget)
    # Only a GET may be answered with 304: a POST has no current response to compare a tag with (RFC 9110, 13.1.2).
    if request.method == "GET" and (unchanged := not_modified(resolved)) is not None:
        return unchanged
    return await (wide_response(resolved) if resolved.layout == "wide" else long_response(resolved))


async def resolve_many(
    request: Request, query: QueryParams, *, latest: bool = False, budget: Budget | None = None
) -> ObservationsRequest:
    """Resolve a query of ``answer_many``, and check its size. Raises like ``answer_many``."""
    arguments = read(query, MANY_LATEST if latest else MANY_SERIES)
    service = services(request)
    settings = service.settings
    keys, criteria = query.getlist("series"), series_filter_of(arguments)
    reading = reading_of(request, [*keys, f"{criteria.source}:"])
    is_wide = arguments.get("layout") == "wide"
    most = settings.series_per_request if is_wide else settings.series_in_rows
    series = await selected_series(reading.catalog, keys, criteria, most=most)
    question = at_present(question_of(arguments), service.clock.now())
    plan = await make_plan(latest_of(question) if latest else question, series, reading.catalog)
    resolved = await resolve_request(request, query, reading, series, plan, arguments, "long")
    if budget is not None:
        points, rows = points_to_select(series, plan), most_selected(series, plan)
        # An estimate may be too high: a query of its own is refused only for the rows that it really has.
        budget.spend(points, min(rows, settings.document_rows))
    return resolved
