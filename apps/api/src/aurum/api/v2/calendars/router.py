"""``/v2/calendars``: delivery calendars, calendars of sessions, and families of seasons."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves import reference
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.storage.ports.curves import ReferenceKind

router = FeatureRouter(
    reads=Policy(Permission.CURVES_READ),
    # Shared calendars need admin:write as well.
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/calendars",
    tags=["calendars"],
    dependencies=[Depends(known_only)],
)


class CalendarKind(StrEnum):
    """Kind of a calendar."""

    DELIVERY = "delivery"
    SESSIONS = "sessions"
    SEASONS = "seasons"


_KINDS = {
    CalendarKind.DELIVERY: ReferenceKind.DELIVERY_CALENDAR,
    CalendarKind.SESSIONS: ReferenceKind.SESSIONS,
    CalendarKind.SEASONS: ReferenceKind.SEASONS,
}
_WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)

Name = Annotated[Text, Path(description="Name of the calendar.", examples=["eu_power"])]
Kind = Annotated[
    CalendarKind,
    Query(
        description="`delivery`: days in which products deliver. `sessions`: days on which a venue quotes. `seasons`: families "
        "of seasons. Default: `delivery`."
    ),
]


@router.get(
    "",
    operation_id="listCurveCalendars",
    summary="List calendars",
    response_model=reference.ReferenceList,
    responses=problems(),
)
async def list_calendars(
    request: Request, response: Response, kind: Kind = CalendarKind.DELIVERY
) -> reference.ReferenceList | Response:
    """List the calendars of a kind: those of the release, shared ones, and those of the caller's tenant."""
    return await reference.listed(request, response, _KINDS[kind])


@router.get(
    "/{name}",
    operation_id="readCurveCalendar",
    summary="Read a calendar",
    response_model=reference.ReferenceAnswer,
    responses=problems(NotFound),
)
async def read_calendar(
    request: Request, response: Response, name: Name, kind: Kind = CalendarKind.DELIVERY
) -> reference.ReferenceAnswer | Response:
    """Return a calendar."""
    return await reference.shown(request, response, _KINDS[kind], name)


@router.post("", operation_id="addCurveCalendar", summary="Add a calendar", status_code=201, responses=_WRITTEN)
async def post_calendar(
    request: Request, body: reference.NewReference, kind: Kind = CalendarKind.DELIVERY
) -> reference.ReferenceAnswer:
    """Add a calendar of your tenant, or a shared one, which may replace one of the release."""
    return await reference.added(request, _KINDS[kind], body)


@router.patch("/{name}", operation_id="changeCurveCalendar", summary="Change a calendar", responses=_WRITTEN)
async def patch_calendar(
    request: Request, name: Name, body: reference.ReferenceChanges, kind: Kind = CalendarKind.DELIVERY
) -> reference.ReferenceAnswer:
    """Change members of a calendar. All curves that name it are read with it from then on."""
    return await reference.changed(request, _KINDS[kind], name, body)


@router.delete("/{name}", operation_id="removeCurveCalendar", summary="Remove a calendar", status_code=204, responses=_WRITTEN)
async def delete_calendar(request: Request, name: Name, kind: Kind = CalendarKind.DELIVERY) -> None:
    """Remove a stored calendar. One of the release that it replaced holds again."""
    await reference.removed(request, _KINDS[kind], name)
