"""``/v1/drought``: the Drought Monitor's index and shares of area."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.drought.points import index_point, index_reader, shares_point, shares_reader
from aurum.api.v1.drought.query import DATASET, INDEX, IndexQuery, RegionQuery
from aurum.api.v1.drought.schemas import DroughtDimensionsAnswer, DroughtIndexPoint, UsdmPoint
from aurum.api.v1.envelope import Listed, document, responses
from aurum.api.v1.pages import Limit
from aurum.api.v1.routing import v1_router
from aurum.api.v1.walk import Walk, requested_rows, walk_response
from aurum.core.access import Permission
from aurum.core.drought import Statistics
from aurum.services.catalog import each_series
from aurum.services.drought import INDEX_DATASET, MAIN_SHARE, SOURCE, shares_dataset
from aurum.services.walk import every_series
from aurum.storage.ports.catalog import SeriesFilter

router = v1_router("/v1/drought", "v1 drought", Permission.SERIES_READ)

_SHARES_DATASET = shares_dataset(Statistics.CUMULATIVE)


@router.get(
    "/dimensions",
    operation_id="v1DroughtDimensions",
    summary="Filter values of drought data",
    response_class=Response,
    responses=responses(DroughtDimensionsAnswer),
)
async def dimensions(request: Request) -> Response:
    """Existing values of each filter."""
    kinds: set[str] = set()
    async for series in each_series(services(request).store.catalog.reader, [SeriesFilter(SOURCE)], every_series):
        kinds.add(series.spec.location_type.upper())
    data = {
        "datasets": [DATASET],
        "indices": [INDEX],
        "timescales": [],
        "layers": [],
        "region_types": sorted(kinds - {""}),
    }
    return document(request, {"data": data})


@router.get(
    "/indices",
    operation_id="v1DroughtIndices",
    summary="Drought indices",
    response_class=Response,
    responses=responses(Listed[DroughtIndexPoint]),
)
async def indices(
    request: Request,
    *,
    index: Annotated[IndexQuery, Query()],
    regions: Annotated[RegionQuery, Query()],
    limit: Limit = 250,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Values by region and day."""
    regions.check()
    requested = requested_rows(request, cursors, limit)
    criteria = [SeriesFilter(SOURCE, INDEX_DATASET, location=regions.location())] if index.matches() else []
    walk = Walk(criteria, regions.span_of, index_reader(regions.span_of), index_point, regions.matches())
    return await walk_response(request, walk, requested)


@router.get(
    "/usdm",
    operation_id="v1DroughtMonitor",
    summary="Shares of area in drought",
    response_class=Response,
    responses=responses(Listed[UsdmPoint]),
)
async def usdm(
    request: Request,
    *,
    regions: Annotated[RegionQuery, Query()],
    limit: Limit = 250,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Shares by region and day."""
    regions.check()
    requested = requested_rows(request, cursors, limit)
    criteria = [SeriesFilter(SOURCE, _SHARES_DATASET, None, MAIN_SHARE, regions.location())]
    walk = Walk(criteria, regions.span_of, shares_reader(regions.span_of), shares_point, regions.matches())
    return await walk_response(request, walk, requested)
