"""A question about several series, however it was sent."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import MANY, question_of, read
from aurum.api.handlers.services import services
from aurum.api.observations.respond import asked, long_response, not_modified, wide_response
from aurum.services.observations import all_series_of, make_plan
from aurum.services.observations.complexity import Budget, estimated_points, estimated_rows


async def answer_many(request: Request, query: QueryParams, *, budget: Budget | None = None) -> Response:
    """The answer to the parameters ``MANY``. Raises ``InvalidParameters``.

    ``budget``: of all questions of one request; what this one is likely to take is taken of it.
    """
    given = read(query, MANY)
    service = services(request)
    series = await all_series_of(
        service.store.catalog.reader, query.getlist("series"), most=service.settings.series_per_request
    )
    plan = await make_plan(question_of(given), series, service.store.catalog.reader)
    ask = await asked(request, query, series, plan, given, "long")
    if budget is not None:
        points, rows = (count(series, plan.read_span, plan.freq) for count in (estimated_points, estimated_rows))
        # An estimate may be too high: by itself a question is refused for what it holds.
        budget.spend(points, min(rows, service.settings.document_rows))
    # A question that is sent has no tag to compare with (RFC 9110, 13.1.2): only what is fetched may stay as it is.
    if request.method == "GET" and (unchanged := not_modified(ask)) is not None:
        return unchanged
    return await (wide_response(ask) if ask.layout == "wide" else long_response(ask))
