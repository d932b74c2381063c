"""``/v2/series/{key}/observations`` and ``/revisions``, ``/v2/observations``: values of one series or of several."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import KEY, MANY_SERIES, ONE_SERIES, REVISIONS, documented, question_of, read, series_query
from aurum.api.contract.schemas import ManySeriesObservations, SeriesObservations
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.observations.many import answer_many
from aurum.api.observations.respond import not_modified, resolve_request, series_meta, series_response, whole_response
from aurum.api.observations.tables import series_table
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
    openapi_extra=documented(ONE_SERIES, KEY),
    responses=answers(SeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_observations(request: Request) -> Response:
    """Return the values of one series over the half-open span `[start, end)`, ascending by `start`.

    A JSON document has a limited number of observations; NDJSON, CSV, Arrow and Parquet are streamed without that limit.
    """
    query, arguments, question = series_query(request.scope["query_string"])
    service = services(request)
    series = await series_of(service.store.catalog.reader, request.path_params["key"])
    plan = await make_plan(question, [series], service.store.catalog.reader)
    resolved = await resolve_request(request, query, [series], plan, arguments, "rows")
    return not_modified(resolved) or await series_response(resolved)


@router.get(
    "/series/{key:path}/revisions",
    operation_id="readRevisions",
    summary="Revisions of one series",
    openapi_extra=documented(REVISIONS, KEY),
    responses=answers(SeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_revisions(request: Request) -> Response:
    """Return every version of every observation, with the time from which it was known, ascending by `start` and `known_at`."""
    arguments = read(request.query_params, REVISIONS)
    service = services(request)
    series = await series_of(service.store.catalog.reader, request.path_params["key"])
    plan = await make_plan(question_of(arguments), [series], service.store.catalog.reader)
    resolved = await resolve_request(request, request.query_params, [series], plan, arguments, "rows")
    if (unchanged := not_modified(resolved)) is not None:
        return unchanged
    frame = await planned_revisions(service.reading, series, plan)
    return whole_response(resolved, series_table(frame, plan), series_meta(resolved, frame.height))


@router.get(
    "/observations",
    operation_id="readManyObservations",
    summary="Observations of several series",
    openapi_extra=documented(MANY_SERIES),
    responses=answers(ManySeriesObservations) | problems(also=(406,)),
    response_class=Response,
)
async def read_many(request: Request) -> Response:
    """Return the values of several series over the half-open span `[start, end)`.

    The layout `long` has one series after the other, each ascending by `start`; `wide` has one row per interval, ascending,
    with one column per series.
    """
    return await answer_many(request, request.query_params)
