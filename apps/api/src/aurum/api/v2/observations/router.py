"""``/v2/series/{key}/observations`` and ``/revisions``, ``/v2/observations``: values of one series or of several."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import (
    KEY,
    MANY_LATEST,
    MANY_SERIES,
    ONE_LATEST,
    ONE_SERIES,
    REVISIONS,
    at_present,
    documented,
    known_bounds,
    question_of,
    read,
)
from aurum.api.contract.schemas import ManySeriesObservations, SeriesObservations, Vintages
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.observations.many import answer_many
from aurum.api.observations.one import answer_one
from aurum.api.observations.private import reading_of
from aurum.api.observations.respond import (
    not_modified,
    resolve_request,
    series_meta,
    whole_response,
)
from aurum.api.observations.tables import series_table
from aurum.api.observations.vintages import vintages_response
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter, PlainRoute
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.core.markettime import is_relative
from aurum.services.observations import known_span, make_plan, series_of
from aurum.services.observations.bases import with_bases
from aurum.services.observations.planned import planned_revisions

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True), prefix="/v2", tags=["observations"], route_class=PlainRoute
)


@router.get(
    "/series/{key:path}/observations",
    operation_id="readObservations",
    summary="Observations of one series",
    openapi_extra=documented(ONE_SERIES, KEY),
    responses=answers(SeriesObservations, pictures=True) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_observations(request: Request) -> Response:
    """Return the values of one series over the half-open span `[start, end)`, ascending by `start`.

    A JSON document has a limited number of observations; NDJSON, CSV, Arrow and Parquet are streamed without that limit.
    """
    return await answer_one(request, series_of, request.path_params["key"])


@router.get(
    "/series/{key:path}/latest",
    operation_id="readLatestObservation",
    summary="Latest observation of one series",
    openapi_extra=documented(ONE_LATEST, KEY),
    responses=answers(SeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_latest(request: Request) -> Response:
    """Return the last row of `/v2/series/{key}/observations` with the same parameters.

    It is the row with the greatest `start`: of a forecast, the most distant interval. `end=now` leaves out intervals to come.
    """
    return await answer_one(request, series_of, request.path_params["key"], latest=True)


@router.get(
    "/series/{key:path}/revisions",
    operation_id="readRevisions",
    summary="Revisions of one series",
    openapi_extra=documented(REVISIONS, KEY),
    responses=answers(SeriesObservations, Vintages) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_revisions(request: Request) -> Response:
    """Return every version of every observation, with the time from which it was known, ascending by `start` and `known_at`.

    The layout `vintages` has all vintages side by side: a row for each interval, a column for each known time.
    """
    arguments = read(request.query_params, REVISIONS)
    key = request.path_params["key"]
    reading = reading_of(request, [key])
    series = await series_of(reading.catalog, key)
    now = services(request).clock.now()
    plan = await make_plan(at_present(question_of(arguments), now), [series], reading.catalog)
    bounds = known_bounds(arguments)
    relative = (*plan.relative, *(text for text in bounds if text is not None and is_relative(text)))
    plan = replace(plan, known=known_span(*bounds, zone=plan.zone, now=now), relative=relative)
    based = {**arguments, "basis": "true"} if arguments.get("layout") != "vintages" else arguments
    resolved = await resolve_request(request, request.query_params, reading, [series], plan, based, "rows")
    if (unchanged := not_modified(resolved)) is not None:
        return unchanged
    if resolved.layout == "vintages":
        return await vintages_response(resolved)
    frame = await with_bases(reading, series, await planned_revisions(reading, series, plan, known=plan.known))
    return whole_response(resolved, series_table(frame, plan), series_meta(resolved, frame.height))


@router.get(
    "/observations",
    operation_id="readManyObservations",
    summary="Observations of several series",
    openapi_extra=documented(MANY_SERIES),
    responses=answers(ManySeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_many(request: Request) -> Response:
    """Return the values of several series over the half-open span `[start, end)`.

    Series are named by their keys, by patterns of keys with `*`, or chosen by filters such as `source` and `measure`. A JSON
    document has a limited number of observations; NDJSON, CSV, Arrow and Parquet are streamed for any number of series.

    The layout `long` has one series after the other, each ascending by `start`; `wide` has one row per interval, ascending,
    with one column per series.
    """
    return await answer_many(request, request.query_params)


@router.get(
    "/observations/latest",
    operation_id="readLatestObservations",
    summary="Latest observations of several series",
    openapi_extra=documented(MANY_LATEST),
    responses=answers(ManySeriesObservations) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_many_latest(request: Request) -> Response:
    """Return the last row of each series that `/v2/observations` has with the same parameters.

    It is the row with the greatest `start`: of a forecast, the most distant interval. `end=now` leaves out intervals to come.
    """
    return await answer_many(request, request.query_params, latest=True)
