"""``/v2/series``: what series there are; the observations and revisions of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.documentation import answers
from aurum.api.filters import DatasetFilter, LocationFilter, MarketFilter, MeasureFilter, SourceFilter
from aurum.api.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.params import HISTORY, SLICE, documented, known_only, read
from aurum.api.problems import problems
from aurum.api.reading.columns import slice_table
from aurum.api.reading.lookup import series_of
from aurum.api.reading.plan import make_plan
from aurum.api.reading.respond import asked, not_modified, slice_meta, slice_response, whole_response
from aurum.api.schemas import SeriesDocument, Slice
from aurum.api.services import services
from aurum.api.text import Text
from aurum.api.v2.series.schemas import SeriesAnswer, SeriesPage
from aurum.core.errors import NotFound
from aurum.storage.ports import SeriesFilter

router = APIRouter(prefix="/v2/series", tags=["series"])

Key = Annotated[str, Path(description="Series key.", examples=["nyiso:damlbmp_zone:61761:lmp"])]


@router.get(
    "",
    operation_id="listSeries",
    summary="List series",
    response_model=SeriesPage,
    responses=problems(),
    dependencies=[Depends(known_only)],
)
async def list_series(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    market: MarketFilter = None,
    measure: MeasureFilter = None,
    location: LocationFilter = None,
    text: Annotated[
        Text | None, Query(description="Looked for in keys and location names, in any case.", examples=["n.y.c"])
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SeriesPage:
    """Series by key; every filter given must match."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    criteria = SeriesFilter(
        source=source,
        dataset=dataset,
        market=market.upper() if market else None,
        measure=measure,
        location=location,
        text=text,
    )
    after = page.after[0] if page.after else None
    found = await services(request).catalog.series_page(criteria, after=after, limit=limit + 1)
    meta = page_meta(request, response, page, found, lambda one: (str(one.key),))
    return SeriesPage.model_validate({"data": [SeriesDocument.from_domain(one) for one in found[:limit]], "meta": meta})


@router.get(
    "/{key:path}/observations",
    operation_id="readObservations",
    summary="Observations of one series",
    openapi_extra=documented(SLICE),
    responses=answers(Slice) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_observations(request: Request, key: Key) -> Response:
    """Values over half-open `[start, end)`, ascending. Bulk formats stream without a limit; JSON documents have one."""
    given = read(request.query_params, SLICE)
    service = services(request)
    series = await series_of(service.catalog, key)
    plan = await make_plan(given, [series], service.catalog)
    ask = await asked(request, service, [series], plan, given, "rows")
    return not_modified(ask) or await slice_response(ask)


@router.get(
    "/{key:path}/revisions",
    operation_id="readRevisions",
    summary="Every version of every point of one series",
    openapi_extra=documented(HISTORY),
    responses=answers(Slice) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_revisions(request: Request, key: Key) -> Response:
    """All values a point has had, each with the time from which it was known, ascending by `start` and `known_at`."""
    given = read(request.query_params, HISTORY)
    service = services(request)
    series = await series_of(service.catalog, key)
    plan = await make_plan(given, [series], service.catalog)
    ask = await asked(request, service, [series], plan, given, "rows")
    if (unchanged := not_modified(ask)) is not None:
        return unchanged
    frame = await service.reader.revisions(series.series_id, span=plan.span)
    return whole_response(ask, slice_table(frame, series, plan), slice_meta(ask, frame.height))


@router.get(
    "/{key:path}",
    operation_id="readSeries",
    summary="One series",
    response_model=SeriesAnswer,
    responses=problems(NotFound),
    dependencies=[Depends(known_only)],
)
async def read_series(request: Request, key: Key) -> SeriesAnswer:
    """What a series is, and over what time it has observations."""
    return SeriesAnswer(data=SeriesDocument.from_domain(await series_of(services(request).catalog, key)))
