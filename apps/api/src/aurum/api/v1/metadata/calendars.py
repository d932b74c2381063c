"""``/v1/metadata/calendars``: calendars, their blocks, and the hours of a block."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Day, Text
from aurum.api.handlers.services import services
from aurum.api.v1.envelope import Listed, responses, whole_list
from aurum.api.v1.metadata.schemas import Calendar
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.services.catalog import calendar_blocks as blocks_of
from aurum.services.catalog import calendars, expand_block

router = v1_router("/v1/metadata/calendars", "v1 metadata", Permission.CATALOG_READ)

_LONGEST = timedelta(days=366)
_FIRST, _LAST = date(1900, 1, 1), date(2200, 1, 1)

CalendarName = Annotated[Text, Path(description="Calendar.", examples=["nyiso"])]
BlockName = Annotated[Text, Query(description="Block of the calendar, or an alias of it.", examples=["ON_PEAK"])]


@router.get(
    "",
    operation_id="v1ListCalendars",
    summary="Calendars",
    response_class=Response,
    responses=responses(Listed[Calendar]),
)
async def list_calendars(request: Request) -> Response:
    """Calendars and their time zones."""
    by_name = await calendars(services(request).store.catalog.reader)
    return whole_list(request, [{"name": name, "timezone": blocks[-1].zone} for name, blocks in by_name.items()])


@router.get(
    "/{name}/blocks",
    operation_id="v1CalendarBlocks",
    summary="Blocks of a calendar",
    response_class=Response,
    responses=responses(Listed[str], 404),
)
async def calendar_blocks(request: Request, name: CalendarName) -> Response:
    """Names of blocks."""
    blocks = await blocks_of(services(request).store.catalog.reader, name)
    return whole_list(request, sorted(block.name for block in blocks))


@router.get(
    "/{name}/hours",
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
    """The instants at which the hours of a block begin, on the calendar's clock."""
    _check_days("date", day, day)
    return await _hours(request, name, block, day, day)


@router.get(
    "/{name}/expand",
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
    """The instants at which the hours of a block begin, on the calendar's clock."""
    _check_days("start", start, end)
    return await _hours(request, name, block, start, end)


def _check_days(field: str, first: date, last: date) -> None:
    if not _FIRST <= first <= last < _LAST:
        raise BadRequest(field, f"days must ascend and lie between {_FIRST.year} and {_LAST.year}", str(first))
    if last - first > _LONGEST:
        raise BadRequest("end", f"at most {_LONGEST.days} days at once", str(last))


async def _hours(request: Request, calendar: str, block: str, first: date, last: date) -> Response:
    catalog = services(request).store.catalog.reader
    expansion = await expand_block(catalog, calendar, block, start=first, end=last + timedelta(days=1))
    hours = expansion.hours["ts"].dt.convert_time_zone(expansion.block.zone)
    return whole_list(request, [hour.isoformat() for hour in hours])
