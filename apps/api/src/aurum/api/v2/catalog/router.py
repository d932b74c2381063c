"""``/v2/catalog``: sources, datasets, markets, locations, units, calendars, blocks, dimensions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import CalendarFilter, MarketFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Day, Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.catalog import schemas
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.core.markettime import MARKETS
from aurum.services.catalog import blocks, calendars, listed_datasets
from aurum.services.catalog import expand_block as expand
from aurum.services.catalog.units import listed_units
from aurum.storage.ports.catalog import LocationFilter

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.REFERENCE, ("catalog",))),
    prefix="/v2/catalog",
    tags=["catalog"],
    dependencies=[Depends(known_only)],
)


@router.get("/sources", operation_id="listSources", summary="List sources", responses=problems())
async def list_sources(request: Request) -> schemas.SourceList:
    """List all sources, ascending by name."""
    sources = await services(request).store.catalog.reader.sources()
    return schemas.SourceList(data=[schemas.SourceDocument(**asdict(one)) for one in sources])


@router.get("/datasets", operation_id="listDatasets", summary="List datasets", responses=problems())
async def list_datasets(request: Request, source: SourceFilter = None) -> schemas.DatasetList:
    """List datasets, ascending by source and name, with the number of their series and the span of their observations."""
    datasets = await listed_datasets(services(request).store.catalog.reader, source=source)
    return schemas.DatasetList(data=[schemas.DatasetDocument.from_domain(one) for one in datasets])


@router.get("/markets", operation_id="listMarkets", summary="List markets", responses=problems())
async def list_markets() -> schemas.MarketList:
    """List all markets, with their time zones and block calendars."""
    return schemas.MarketList(
        data=[
            schemas.MarketDocument(code=one.code, title=one.title, tz=one.zone, calendar=one.calendar, currency=one.currency)
            for one in MARKETS.values()
        ]
    )


@router.get("/locations", operation_id="listLocations", summary="List locations", responses=problems())
async def list_locations(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    market: MarketFilter = None,
    text: Annotated[
        Text | None,
        Query(description="Only locations with this text in their id or name; case is ignored.", examples=["n.y.c"]),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.LocationPage:
    """List locations, ascending by source and id."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    locations = await services(request).store.catalog.reader.locations_page(
        LocationFilter(source=source, market=market.upper() if market else None, text=text),
        after=(page.after[0], page.after[1]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, locations, lambda one: (one.source, one.location))
    data = [
        {
            "source": one.source,
            "location": one.location,
            "name": one.name,
            "type": one.kind,
            "market": one.market,
            "tz": one.zone,
            "series": one.series,
        }
        for one in locations[: page.limit]
    ]
    return schemas.LocationPage.model_validate({"data": data, "meta": meta})


@router.get("/units", operation_id="listUnits", summary="List units", responses=problems())
async def list_units(request: Request) -> schemas.UnitList:
    """List all units that values can be converted to."""
    return schemas.UnitList(
        data=[
            schemas.UnitDocument(unit=one.text, dimension=one.dimension, currency=one.currency, aliases=list(one.aliases))
            for one in await listed_units(services(request).store.catalog.mappings)
        ]
    )


@router.get("/calendars", operation_id="listCalendars", summary="List block calendars", responses=problems())
async def list_calendars(request: Request) -> schemas.CalendarList:
    """List the calendars with the names of their blocks."""
    blocks_of = await calendars(services(request).store.catalog.reader)
    return schemas.CalendarList(
        data=[
            schemas.CalendarDocument(
                name=name, tz=members[0].zone, holidays=str(members[0].holidays), blocks=[block.name for block in members]
            )
            for name, members in blocks_of.items()
        ]
    )


@router.get("/blocks", operation_id="listBlocks", summary="List blocks", responses=problems())
async def list_blocks(request: Request, calendar: CalendarFilter = None) -> schemas.BlockList:
    """List blocks, ascending by calendar and name, with the hours that define them."""
    data = [
        {**block.to_document(), "tz": block.zone}
        for block in await blocks(services(request).store.catalog.reader)
        if calendar is None or block.calendar == calendar
    ]
    return schemas.BlockList.model_validate({"data": data})


@router.get(
    "/blocks/{calendar}/{block}/hours",
    operation_id="expandBlock",
    summary="Hours of a block",
    responses=problems(NotFound),
)
async def expand_block(
    request: Request,
    calendar: Annotated[str, Path(description="Name of the calendar; see `/v2/catalog/calendars`.", examples=["nyiso"])],
    block: Annotated[str, Path(description="Name of a block of the calendar, or an alias.", examples=["ON_PEAK"])],
    start: Annotated[Day, Query(description="First local day, YYYY-MM-DD, inclusive.", examples=["2025-11-01"])],
    end: Annotated[Day, Query(description="Day after the last local day, YYYY-MM-DD, exclusive.", examples=["2025-11-08"])],
) -> schemas.BlockHours:
    """List every hour of a block in the half-open span `[start, end)` of days in the time zone of the block."""
    expansion = await expand(services(request).store.catalog.reader, calendar, block, start=start, end=end)
    hours = expansion.hours
    data = [
        {"start": ts, "end": ts + timedelta(hours=1), "day": day, "hour_ending": str(label)}
        for ts, day, label in zip(hours["ts"], hours["day"], hours["hour_ending"], strict=True)
    ]
    meta = {
        "calendar": expansion.block.calendar,
        "block": expansion.block.name,
        "tz": expansion.block.zone,
        "hours": hours.height,
    }
    return schemas.BlockHours.model_validate({"data": data, "meta": meta})


@router.get("/dimensions", operation_id="listDimensions", summary="Values of the series filters", responses=problems())
async def list_dimensions(request: Request) -> schemas.Dimensions:
    """List the available values for each filter of `/v2/series`, each with the number of its series."""
    dimensions = await services(request).store.catalog.reader.dimensions()
    return schemas.Dimensions(data={name: dict(counts) for name, counts in dimensions.items()})
