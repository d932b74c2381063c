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
from aurum.core.units import known_units
from aurum.services.catalog import blocks, calendars
from aurum.services.catalog import expand_block as expand
from aurum.storage.ports.catalog import LocationFilter

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.REFERENCE, ("catalog",))),
    prefix="/v2/catalog",
    tags=["catalog"],
    dependencies=[Depends(known_only)],
)


@router.get("/sources", operation_id="listSources", summary="Who publishes", responses=problems())
async def list_sources(request: Request) -> schemas.SourceList:
    """Sources by name."""
    found = await services(request).store.catalog.reader.sources()
    return schemas.SourceList(data=[schemas.SourceDocument(**asdict(one)) for one in found])


@router.get("/datasets", operation_id="listDatasets", summary="Kinds of publication", responses=problems())
async def list_datasets(request: Request, source: SourceFilter = None) -> schemas.DatasetList:
    """Datasets by source and name."""
    found = await services(request).store.catalog.reader.datasets(source=source)
    return schemas.DatasetList(
        data=[
            schemas.DatasetDocument(
                source=one.source,
                name=one.name,
                title=one.title,
                market=one.market,
                tz=one.zone,
                frequency=one.frequency,
                measures=[schemas.MeasureDocument.model_validate(dict(measure)) for measure in one.measures],
                reference=one.reference,
                schedule=one.schedule,
                freshness_hours=one.freshness_hours,
            )
            for one in found
        ]
    )


@router.get("/markets", operation_id="listMarkets", summary="Market areas", responses=problems())
async def list_markets() -> schemas.MarketList:
    """Every market, with its clock and its block calendar."""
    return schemas.MarketList(
        data=[
            schemas.MarketDocument(code=one.code, title=one.title, tz=one.zone, calendar=one.calendar, currency=one.currency)
            for one in MARKETS.values()
        ]
    )


@router.get("/locations", operation_id="listLocations", summary="Nodes, hubs, zones, regions", responses=problems())
async def list_locations(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    market: MarketFilter = None,
    text: Annotated[Text | None, Query(description="Looked for in ids and names, in any case.", examples=["n.y.c"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.LocationPage:
    """Locations by source and id."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    found = await services(request).store.catalog.reader.locations_page(
        LocationFilter(source=source, market=market.upper() if market else None, text=text),
        after=(page.after[0], page.after[1]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, found, lambda one: (one.source, one.location))
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
        for one in found[: page.limit]
    ]
    return schemas.LocationPage.model_validate({"data": data, "meta": meta})


@router.get("/units", operation_id="listUnits", summary="Units", responses=problems())
async def list_units() -> schemas.UnitList:
    """Every unit that values can be converted to."""
    return schemas.UnitList(
        data=[
            schemas.UnitDocument(unit=one.text, dimension=one.dimension, currency=one.currency, aliases=list(one.aliases))
            for one in known_units()
        ]
    )


@router.get("/calendars", operation_id="listCalendars", summary="Block calendars", responses=problems())
async def list_calendars(request: Request) -> schemas.CalendarList:
    """Calendars, each with the names of its blocks."""
    found = await calendars(services(request).store.catalog.reader)
    return schemas.CalendarList(
        data=[
            schemas.CalendarDocument(
                name=name, tz=blocks[0].zone, holidays=str(blocks[0].holidays), blocks=[block.name for block in blocks]
            )
            for name, blocks in found.items()
        ]
    )


@router.get("/blocks", operation_id="listBlocks", summary="Blocks", responses=problems())
async def list_blocks(request: Request, calendar: CalendarFilter = None) -> schemas.BlockList:
    """Blocks by calendar and name, with the hours they are made of (hour ending, both ends included)."""
    data = [
        {**block.to_document(), "tz": block.zone}
        for block in await blocks(services(request).store.catalog.reader)
        if calendar is None or block.calendar == calendar
    ]
    return schemas.BlockList.model_validate({"data": data})


@router.get(
    "/blocks/{calendar}/{block}/hours",
    operation_id="expandBlock",
    summary="The hours of a block",
    responses=problems(NotFound),
)
async def expand_block(
    request: Request,
    calendar: Annotated[str, Path(description="Calendar; see `/v2/catalog/calendars`.", examples=["nyiso"])],
    block: Annotated[str, Path(description="Block of the calendar, or an alias of it.", examples=["ON_PEAK"])],
    start: Annotated[Day, Query(description="First local day.", examples=["2025-11-01"])],
    end: Annotated[Day, Query(description="The day after the last.", examples=["2025-11-08"])],
) -> schemas.BlockHours:
    """Every hour of a block from `start` up to, not including, `end`, in local days of the block's clock."""
    found = await expand(services(request).store.catalog.reader, calendar, block, start=start, end=end)
    hours = found.hours
    data = [
        {"start": ts, "end": ts + timedelta(hours=1), "day": day, "hour_ending": str(label)}
        for ts, day, label in zip(hours["ts"], hours["day"], hours["hour_ending"], strict=True)
    ]
    meta = {
        "calendar": found.block.calendar,
        "block": found.block.name,
        "tz": found.block.zone,
        "hours": hours.height,
    }
    return schemas.BlockHours.model_validate({"data": data, "meta": meta})


@router.get("/dimensions", operation_id="listDimensions", summary="What series can be filtered by", responses=problems())
async def list_dimensions(request: Request) -> schemas.Dimensions:
    """For each filter of `/v2/series` the values there are, each with the number of its series."""
    found = await services(request).store.catalog.reader.dimensions()
    return schemas.Dimensions(data={name: dict(counts) for name, counts in found.items()})
