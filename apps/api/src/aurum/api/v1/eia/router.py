"""``/v1/ref/eia``: values of EIA's series."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.v1.csv import CsvFile, Format
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.eia.points import point, points_reader, span_of_periods
from aurum.api.v1.eia.query import EiaQuery, facets
from aurum.api.v1.eia.schemas import EiaDimensions, EiaDimensionsAnswer, EiaSeriesPoint
from aurum.api.v1.envelope import Listed, document, responses
from aurum.api.v1.pages import Limit
from aurum.api.v1.routing import v1_router
from aurum.api.v1.times import Times
from aurum.api.v1.walk import Walk, requested_rows, walk_response
from aurum.core.access import Permission
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.catalog import each_series
from aurum.storage.ports.catalog import SeriesFilter

router = v1_router("/v1/ref/eia", "v1 eia", Permission.SERIES_READ)

_MOST_VALUES = 1000


@router.get(
    "/series",
    operation_id="v1EiaSeries",
    summary="Values of EIA's series",
    response_class=Response,
    responses=responses(Listed[EiaSeriesPoint], csv=True),
)
async def eia_series(
    request: Request,
    *,
    query: Annotated[EiaQuery, Query()],
    times: Annotated[Times, Query()],
    limit: Limit = 200,
    offset: Annotated[int, Query(ge=0, le=10_000, description="Rows to leave out; use cursors instead.", deprecated=True)] = 0,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Values by series and period, as known now."""
    times.check()
    requested = requested_rows(request, cursors, limit, offset=offset)

    def span_of(series: Series) -> Span:
        return span_of_periods(series, times.span_in(series.spec.zone))

    walk = Walk(query.criteria(), span_of, points_reader(span_of), point, query.matches())
    csv = CsvFile("eia-series", list(EiaSeriesPoint.model_fields)) if format == "csv" else None
    return await walk_response(request, walk, requested, csv=csv, shows_offset=True)


@router.get(
    "/series/dimensions",
    operation_id="v1EiaDimensions",
    summary="Filter values of EIA's series",
    response_class=Response,
    responses=responses(EiaDimensionsAnswer),
)
async def eia_dimensions(request: Request, query: Annotated[EiaQuery, Query()]) -> Response:
    """Distinct values of the series that match."""
    values: dict[str, set[str]] = {name: set() for name in EiaDimensions.model_fields}
    criteria = [SeriesFilter("eia", query.dataset)]
    async for series in each_series(services(request).store.catalog.reader, criteria, query.matches()):
        for name, value in facets(series).items():
            if value is not None:
                values[name].add(value)
    return document(request, {"data": {name: sorted(distinct)[:_MOST_VALUES] for name, distinct in values.items()}})
