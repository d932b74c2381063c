"""``/v1/metadata``: dimensions, locations, units, calendars and EIA's datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Day, Text
from aurum.api.handlers.services import services
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.cursors import CursorParameter, PrevCursor, SinceCursor, Trail, requested
from aurum.api.v1.envelope import Listed, Meta, Page, answer, document, page_of, responses
from aurum.api.v1.problems import BadRequest, V1Route
from aurum.api.v1.publications import PUBLICATIONS
from aurum.core.access import Permission
from aurum.core.calendars import Block, block_hours, parse_block
from aurum.core.catalog.entries import DatasetEntry, LocationEntry
from aurum.core.errors import NotFound, UnknownName
from aurum.core.markettime import parse_market
from aurum.core.names import nearest
from aurum.core.units import known_currencies, known_units
from aurum.storage.ports.catalog import LocationFilter

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ), prefix="/v1/metadata", tags=["v1 metadata"], route_class=V1Route, deprecated=True
)

_DIMENSIONS = ("asset_class", "iso", "location", "market", "product", "block", "tenor_type")
_LONGEST = timedelta(days=366)
_PAGE = 1000

Prefix = Annotated[Text | None, Query(description="Only what begins so, in any case.", examples=["N.Y"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows in a page at most.")]
CalendarName = Annotated[Text, Path(description="Calendar.", examples=["nyiso"])]
BlockName = Annotated[Text, Query(description="Block of the calendar, or an alias of it.", examples=["ON_PEAK"])]


class DimensionCount(BaseModel):
    value: str
    count: int


class Dimensions(BaseModel):
    """Values by dimension. Of asset class, product and tenor type there are none until there are curves."""

    meta: Meta
    data: dict[str, list[str]]
    counts: dict[str, list[DimensionCount]] | None = None


class Location(BaseModel):
    """A node, hub, zone or region. What its operator does not say is null."""

    iso: str
    location_id: str
    location_name: str | None
    location_type: str | None
    zone: str | None
    hub: str | None
    timezone: str


class LocationAnswer(BaseModel):
    meta: Meta
    data: Location


class Units(BaseModel):
    currencies: list[str]
    units: list[str]


class UnitsAnswer(BaseModel):
    meta: Meta
    data: Units


class UnitSpelling(BaseModel):
    """A spelling and what it means."""

    units_raw: str = Field(examples=["$/MWh"])
    currency: str | None = Field(examples=["USD"])
    per_unit: str | None = Field(examples=["MWh"])


class Calendar(BaseModel):
    name: str
    timezone: str


class EiaDataset(BaseModel):
    """One kind of EIA's publications, as this service stores it."""

    path: str
    name: str
    description: str | None
    default_frequency: str
    start_period: str | None
    end_period: str | None
    facets: list[str]
    data_columns: list[str]
    frequencies: list[str]


class EiaDatasetAnswer(BaseModel):
    meta: Meta
    data: EiaDataset


@router.get(
    "/dimensions",
    operation_id="v1Dimensions",
    summary="Values of dimensions",
    response_class=Response,
    responses=responses(Dimensions),
)
async def dimensions(
    request: Request,
    asof: Annotated[
        Day | None, Query(description="Of curves; without them it changes nothing.", examples=["2026-11-20"])
    ] = None,
    dims: Annotated[Text | None, Query(description="Only these, with commas between.", examples=["iso,block"])] = None,
    per_dim_limit: Annotated[int, Query(ge=1, le=1000, description="Values of each dimension at most.")] = 500,
    prefix: Prefix = None,
    include_counts: Annotated[bool, Query(description="Tell of how many series each value is.")] = False,
) -> Response:
    """Values that there are, with the number of series of each."""
    del asof
    wanted = dims.split(",") if dims else list(_DIMENSIONS)
    unknown = next((name for name in wanted if name not in _DIMENSIONS), None)
    if unknown is not None:
        raise BadRequest("dims", f"there is no dimension {unknown!r}; there are {', '.join(_DIMENSIONS)}", dims)
    counted = await _counted(request, wanted, prefix, per_dim_limit)
    body: dict[str, object] = {"data": {name: list(counted[name]) for name in wanted}}
    if include_counts:
        body["counts"] = {name: [{"value": value, "count": count} for value, count in counted[name].items()] for name in wanted}
    return document(request, body)


async def _counted(request: Request, wanted: Sequence[str], prefix: str | None, most: int) -> Mapping[str, Mapping[str, int]]:
    catalog = services(request).store.catalog.reader
    found: dict[str, dict[str, int]] = {name: {} for name in wanted}
    if "iso" in found or "market" in found:
        dimensions = await catalog.dimensions()
        if "iso" in found:
            found["iso"] = dict(dimensions.get("market", {}))
        if "market" in found:
            found["market"] = _markets(dimensions.get("dataset", {}))
    if "block" in found:
        for document in await catalog.blocks():
            name = str(document["name"])
            found["block"][name] = found["block"].get(name, 0) + 1
    if "location" in found:
        found["location"] = await _location_ids(request, prefix, most)
    return {
        name: {value: values[value] for value in sorted(filter(lambda text: _begins(text, prefix), values))[:most]}
        for name, values in found.items()
    }


def _markets(series: Mapping[str, int]) -> dict[str, int]:
    """Series by market, from series by dataset."""
    found: dict[str, int] = {}
    for one in PUBLICATIONS:
        if one.market is not None and one.dataset in series:
            found[one.market] = found.get(one.market, 0) + series[one.dataset]
    return found


async def _location_ids(request: Request, prefix: str | None, most: int) -> dict[str, int]:
    """Series by id of their location, ids that begin so only; as many as there are, or ``most``."""
    found: dict[str, int] = {}
    trail = Trail()
    while len(found) < most:
        page = await _locations(request, None, prefix, trail, _PAGE)
        for one in page:
            if _begins(one.location, prefix):
                found[one.location] = found.get(one.location, 0) + one.series
        if len(page) < _PAGE:
            break
        trail = trail.onwards((page[-1].source, page[-1].location))
    return found


@router.get(
    "/locations",
    operation_id="v1ListLocations",
    summary="Locations",
    response_class=Response,
    responses=responses(Listed[Location]),
)
async def list_locations(
    request: Request,
    iso: Annotated[Text | None, Query(description="Operator, in any case.", examples=["NYISO"])] = None,
    prefix: Prefix = None,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Locations of the operators, by source and id. ``prefix`` is of the id or the name."""
    trail = requested(request, cursor, since_cursor, prev_cursor, width=2)
    found = await _locations(request, _market(iso), prefix, trail, limit + 1)
    shown = found[:limit]
    following = trail.onwards((shown[-1].source, shown[-1].location)) if len(found) > limit else None
    return answer(request, Page([_location(one) for one in shown], trail, following, limit))


@router.get(
    "/locations/{iso}/{location_id:path}",
    operation_id="v1ReadLocation",
    summary="One location",
    response_class=Response,
    responses=responses(LocationAnswer, 404),
)
async def read_location(
    request: Request,
    iso: Annotated[Text, Path(description="Operator, in any case.", examples=["NYISO"])],
    location_id: Annotated[Text, Path(description="The operator's own id.", examples=["61761"])],
) -> Response:
    """A location."""
    try:
        market = parse_market(iso).code
    except UnknownName as error:
        raise _NoSuchLocation(f"there is no location {location_id} of {iso}") from error
    after: tuple[str, str] | None = None
    while True:
        page = await services(request).store.catalog.reader.locations_page(
            LocationFilter(market=market, text=location_id), after=after, limit=_PAGE
        )
        found = next((one for one in page if one.location == location_id), None)
        if found is not None:
            return document(request, {"data": _location(found)})
        if len(page) < _PAGE:
            raise _NoSuchLocation(f"there is no location {location_id} of {market}")
        after = (page[-1].source, page[-1].location)


class _NoSuchLocation(NotFound):
    """No location of that id."""


async def _locations(
    request: Request, market: str | None, prefix: str | None, trail: Trail, most: int
) -> Sequence[LocationEntry]:
    """Up to ``most`` locations of operators after a position."""
    found: list[LocationEntry] = []
    after = (trail.after[0], trail.after[1]) if trail.after else None
    while len(found) < most:
        page = await services(request).store.catalog.reader.locations_page(
            LocationFilter(market=market, text=prefix), after=after, limit=_PAGE
        )
        found += [one for one in page if one.market and (_begins(one.location, prefix) or _begins(one.name, prefix))]
        if len(page) < _PAGE:
            break
        after = (page[-1].source, page[-1].location)
    return found[:most]


@router.get("/units", operation_id="v1ListUnits", summary="Units", response_class=Response, responses=responses(UnitsAnswer))
async def list_units(request: Request, prefix: Prefix = None) -> Response:
    """Currencies and units."""
    currencies = sorted(one.code for one in known_currencies() if one.code == one.major and _begins(one.code, prefix))
    units = sorted(one.text for one in known_units() if _begins(one.text, prefix))
    return document(request, {"data": {"currencies": currencies, "units": units}})


@router.get(
    "/units/mapping",
    operation_id="v1UnitMapping",
    summary="Spellings of units",
    response_class=Response,
    responses=responses(Listed[UnitSpelling]),
)
async def unit_mapping(request: Request, prefix: Prefix = None) -> Response:
    """Every spelling that is understood, with the currency and the unit it is a price of, or the unit itself."""
    meanings = {spelling: one for one in known_units() for spelling in (one.text, *one.aliases)}
    rows = [
        {
            "units_raw": spelling,
            "currency": one.currency,
            "per_unit": (one.text.partition("/")[2] or None) if one.currency else one.text,
        }
        for spelling, one in sorted(meanings.items())
        if _begins(spelling, prefix)
    ]
    return document(request, {"data": rows}, meta={"count": len(rows), "total": len(rows)})


@router.get(
    "/calendars",
    operation_id="v1ListCalendars",
    summary="Calendars",
    response_class=Response,
    responses=responses(Listed[Calendar]),
)
async def list_calendars(request: Request) -> Response:
    """Calendars and their clocks."""
    zones = {one.calendar: one.zone for one in await _blocks(request)}
    rows = [{"name": name, "timezone": zone} for name, zone in sorted(zones.items())]
    return document(request, {"data": rows}, meta={"count": len(rows), "total": len(rows)})


@router.get(
    "/calendars/{name}/blocks",
    operation_id="v1CalendarBlocks",
    summary="Blocks of a calendar",
    response_class=Response,
    responses=responses(Listed[str], 404),
)
async def calendar_blocks(request: Request, name: CalendarName) -> Response:
    """Names of blocks."""
    rows = sorted(one.name for one in await _calendar(request, name))
    return document(request, {"data": rows}, meta={"count": len(rows), "total": len(rows)})


@router.get(
    "/calendars/{name}/hours",
    operation_id="v1CalendarHours",
    summary="Hours of a block on a day",
    response_class=Response,
    responses=responses(Listed[datetime], 404),
)
async def calendar_hours(
    request: Request,
    name: CalendarName,
    block: BlockName,
    day: Annotated[Day, Query(alias="date", description="Local day.", examples=["2025-11-02"])],
) -> Response:
    """When the hours of a block begin, on the calendar's clock."""
    return await _hours(request, name, block, day, day, "date")


@router.get(
    "/calendars/{name}/expand",
    operation_id="v1CalendarExpand",
    summary="Hours of a block over days",
    response_class=Response,
    responses=responses(Listed[datetime], 404),
)
async def calendar_expand(
    request: Request,
    name: CalendarName,
    block: BlockName,
    start: Annotated[Day, Query(description="First local day.", examples=["2025-11-01"])],
    end: Annotated[Day, Query(description="Last local day, included.", examples=["2025-11-03"])],
) -> Response:
    """When the hours of a block begin, on the calendar's clock."""
    return await _hours(request, name, block, start, end, "start")


async def _hours(request: Request, calendar: str, block: str, first: date, last: date, field: str) -> Response:
    if not date(1900, 1, 1) <= first <= last < date(2200, 1, 1):
        raise BadRequest(field, "days must ascend and lie between 1900 and 2200", str(first))
    if last - first > _LONGEST:
        raise BadRequest("end", f"at most {_LONGEST.days} days at once", str(last))
    found = parse_block(calendar, block, await _calendar(request, calendar))
    hours = block_hours(found, first, last + timedelta(days=1))["ts"].dt.convert_time_zone(found.zone)
    rows = [hour.isoformat() for hour in hours]
    return document(request, {"data": rows}, meta={"count": len(rows), "total": len(rows)})


async def _calendar(request: Request, name: str) -> Sequence[Block]:
    known = await _blocks(request)
    found = [one for one in known if one.calendar == name]
    if not found:
        names = sorted({one.calendar for one in known})
        raise UnknownName("calendar", name, nearest(name, names) or tuple(names))
    return found


async def _blocks(request: Request) -> Sequence[Block]:
    return [Block.from_document(one) for one in await services(request).store.catalog.reader.blocks()]


@router.get(
    "/eia/datasets",
    operation_id="v1ListEiaDatasets",
    summary="EIA's datasets",
    response_class=Response,
    responses=responses(Listed[EiaDataset]),
)
async def list_eia_datasets(
    request: Request,
    prefix: Prefix = None,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    since_cursor: SinceCursor = None,
    prev_cursor: PrevCursor = None,
) -> Response:
    """Datasets by path, which is their name here."""
    trail = requested(request, cursor, since_cursor, prev_cursor, width=1)
    found = [one for one in await services(request).store.catalog.reader.datasets(source="eia") if _begins(one.name, prefix)]
    newest = await _newest(request)
    return answer(request, page_of(found, trail, limit, key=lambda one: (one.name,), row=lambda one: _eia_dataset(one, newest)))


@router.get(
    "/eia/datasets/{dataset_path:path}",
    operation_id="v1ReadEiaDataset",
    summary="One of EIA's datasets",
    response_class=Response,
    responses=responses(EiaDatasetAnswer, 404),
)
async def read_eia_dataset(
    request: Request, dataset_path: Annotated[Text, Path(description="Path of a dataset.", examples=["gas_storage_weekly"])]
) -> Response:
    """A dataset."""
    known = {one.name: one for one in await services(request).store.catalog.reader.datasets(source="eia")}
    if dataset_path not in known:
        raise UnknownName("dataset", dataset_path, nearest(dataset_path, known))
    return document(request, {"data": _eia_dataset(known[dataset_path], await _newest(request))})


async def _newest(request: Request) -> Mapping[str, datetime | None]:
    service = services(request)
    states = await service.store.quality.log.datasets_quality(now=service.clock.now(), source="eia")
    return {one.dataset: one.newest_ts for one in states}


def _eia_dataset(entry: DatasetEntry, newest: Mapping[str, datetime | None]) -> Mapping[str, object]:
    last = newest.get(entry.name)
    return {
        "path": entry.name,
        "name": entry.title,
        "description": entry.reference or None,
        "default_frequency": entry.frequency,
        "start_period": None,
        "end_period": last.date().isoformat() if last else None,
        "facets": [],
        "data_columns": [measure["name"] for measure in entry.measures],
        "frequencies": [entry.frequency],
    }


def _location(entry: LocationEntry) -> Mapping[str, object]:
    kind = entry.kind.upper()
    return {
        "iso": entry.market,
        "location_id": entry.location,
        "location_name": entry.name or None,
        "location_type": kind or None,
        "zone": entry.name if kind == "ZONE" else None,
        "hub": entry.name if kind == "HUB" else None,
        "timezone": entry.zone,
    }


def _market(iso: str | None) -> str | None:
    if iso is None:
        return None
    try:
        return parse_market(iso).code
    except UnknownName as error:
        raise BadRequest("iso", f"unknown ISO; nearest: {', '.join(error.nearest)}", iso) from error


def _begins(text: str, prefix: str | None) -> bool:
    return prefix is None or text.casefold().startswith(prefix.casefold())
