"""``/v2/observations``: several series at once, long or wide."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.documentation import answers
from aurum.api.params import MANY, documented, read
from aurum.api.problems import problems
from aurum.api.reading.lookup import all_series_of
from aurum.api.reading.plan import make_plan
from aurum.api.reading.respond import asked, long_response, not_modified, wide_response
from aurum.api.schemas import Many
from aurum.api.services import services

router = APIRouter(prefix="/v2/observations", tags=["observations"])


@router.get(
    "",
    operation_id="readManyObservations",
    summary="Observations of several series",
    openapi_extra=documented(MANY),
    responses=answers(Many) | problems(also=(406,)),
    response_class=Response,
)
async def read_many(request: Request) -> Response:
    """Observations of several series over half-open `[start, end)`.

    `long` gives one series after the other, each ascending; `wide` gives intervals ascending, a column a series.
    """
    given = read(request.query_params, MANY)
    service = services(request)
    keys = request.query_params.getlist("series")
    series = await all_series_of(service.catalog, keys, most=service.settings.series_per_request)
    plan = await make_plan(given, series, service.catalog)
    ask = await asked(request, service, series, plan, given, "long")
    if (unchanged := not_modified(ask)) is not None:
        return unchanged
    return await (wide_response(ask) if ask.layout == "wide" else long_response(ask))
