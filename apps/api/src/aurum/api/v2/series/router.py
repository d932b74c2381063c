"""``/v2/series``: the list of series, and single series."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import (
    ComponentFilter,
    DatasetFilter,
    FuelFilter,
    KindFilter,
    LocationFilter,
    LocationTypeFilter,
    MarketFilter,
    MarketRunFilter,
    MeasureFilter,
    SourceFilter,
    WithSparkline,
    component_of,
    fuel_of,
    kind_of,
    market_run_of,
)
from aurum.api.contract.params import known_only, no_trailing_slash
from aurum.api.contract.schemas import SeriesDocument
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.http.request_state import state_of
from aurum.api.observations.private import PRIVATE_HEADERS, reading_of
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.series.schemas import ListedSeries, SeriesAnswer, SeriesPage
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.curves.settlement import curves_settling_on
from aurum.services.observations import series_of
from aurum.services.observations.sparklines import series_sparklines
from aurum.storage.ports.catalog import SeriesFilter

router = FeatureRouter(
    reads=Policy(
        Permission.SERIES_READ,
        is_shared=True,
        cached=CacheRule(
            DataClass.DAY,
            (
                "any series",
                "catalog",
                "curves",
            ),
        ),
    ),
    prefix="/v2/series",
    tags=["series"],
)

Key = Annotated[
    str, Path(description="Key of the series, `source:dataset:location:measure`.", examples=["nyiso:damlbmp_zone:61761:lmp"])
]


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
    kind: KindFilter = None,
    market_run: MarketRunFilter = None,
    fuel: FuelFilter = None,
    component: ComponentFilter = None,
    location_type: LocationTypeFilter = None,
    text: Annotated[
        Text | None,
        Query(description="Only series with this text in their key or location name; case is ignored.", examples=["n.y.c"]),
    ] = None,
    sparkline: WithSparkline = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SeriesPage:
    """List series, ascending by key. Several filters are combined with AND.

    With `sparkline` a page has at most 100 series.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    criteria = SeriesFilter(
        source=source,
        dataset=dataset,
        market=market.upper() if market else None,
        measure=measure,
        location=location,
        text=text,
        kind=kind_of(kind),
        market_run=market_run_of(market_run),
        fuel=fuel_of(fuel),
        location_type=location_type,
        component=component_of(component),
    )
    after = page.after[0] if page.after else None
    store = services(request).store
    series = await store.catalog.reader.series_page(criteria, after=after, limit=page.limit + 1)
    meta = page_meta(request, response, page, series, lambda one: (str(one.key),))
    shown = series[: page.limit]
    lines = await series_sparklines(store.observations.neighbours, shown) if sparkline else {}
    return SeriesPage.model_validate(
        {"data": [ListedSeries.from_domain(one).with_sparkline(lines.get(one.series_id)) for one in shown], "meta": meta}
    )


@router.get(
    "/{key:path}",
    operation_id="readSeries",
    summary="Read a series",
    response_model=SeriesAnswer,
    responses=problems(NotFound),
    dependencies=[Depends(no_trailing_slash), Depends(known_only)],
)
async def read_series(request: Request, response: Response, key: Key) -> SeriesAnswer:
    """Return a series with its unit, step and location, and the first and last interval of its observations."""
    reading = reading_of(request, [key])
    if state_of(request.scope).is_private:
        response.headers.update(PRIVATE_HEADERS)
    document = SeriesDocument.from_domain(await series_of(reading.catalog, key))
    settles = await curves_settling_on(services(request).store.curves, key)
    return SeriesAnswer.model_validate({"data": document.model_dump() | {"settles": settles}})
