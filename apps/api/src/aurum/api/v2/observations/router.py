"""``/v2/series/{key}/observations`` and ``/revisions``, ``/v2/observations``: the numbers, of one series or of several."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import HISTORY, KEY, MANY, SLICE, documented, question_of, read, slice_query
from aurum.api.contract.schemas import Many, SeriesObservations
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.observations.many import answer_many
from aurum.api.observations.respond import asked, not_modified, slice_meta, slice_response, whole_response
from aurum.api.observations.tables import slice_table
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter, PlainRoute
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.observations import make_plan, series_of
from aurum.services.observations.planned import planned_revisions

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True), prefix="/v2", tags=["observations"], route_class=PlainRoute
)


@router.get(
    "/series/{key:path}/observations",
    operation_id="readObservations",
    summary="Observations of one series",
    openapi_extra=documented(SLICE, KEY),
    responses=answers(SeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_observations(request: Request) -> Response:
    """Values over half-open `[start, end)`, ascending. Bulk formats stream without a limit; JSON documents have one."""
    query, given, question = slice_query(request.scope["query_string"])
    service = services(request)
    series = await series_of(service.store.catalog.reader, request.path_params["key"])
    plan = await make_plan(question, [series], service.store.catalog.reader)
    ask = await asked(request, query, [series], plan, given, "rows")
    return not_modified(ask) or await slice_response(ask)


@router.get(
    "/series/{key:path}/revisions",
    operation_id="readRevisions",
    summary="Every version of every point of one series",
    openapi_extra=documented(HISTORY, KEY),
    responses=answers(SeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_revisions(request: Request) -> Response:
    """All values a point has had, each with the time from which it was known, ascending by `start` and `known_at`."""
    given = read(request.query_params, HISTORY)
    service = services(request)
    series = await series_of(service.store.catalog.reader, request.path_params["key"])
    plan = await make_plan(question_of(given), [series], service.store.catalog.reader)
    ask = await asked(request, request.query_params, [series], plan, given, "rows")
    if (unchanged := not_modified(ask)) is not None:
        return unchanged
    frame = await planned_revisions(service.reading, series, plan)
    return whole_response(ask, slice_table(frame, plan), slice_meta(ask, frame.height))


@router.get(
    "/observations",
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
    return await answer_many(request, request.query_params)
