"""``/v2/private/series``: series that the caller's tenant declares, and that no other tenant can see.

Their observations are read like those of shared series, by key: ``/v2/series/{key}/observations``.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import WithSparkline
from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.spool.spooler import Spooler
from aurum.api.v2.private.rows import CSV, JSON, rows_of
from aurum.api.v2.private.schemas import (
    ListedPrivateSeries,
    PrivateDeclaration,
    PrivatePoints,
    PrivateSeriesAnswer,
    PrivateSeriesDocument,
    PrivateSeriesPage,
    StoredPointsAnswer,
    StoredPointsDocument,
)
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services import private
from aurum.services.observations.sparklines import series_sparklines
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.private import PrivateStore


async def not_cached(request: Request, response: Response) -> None:
    """Keep a response out of every cache but that of its caller."""
    state_of(request.scope).is_private = True
    response.headers["Cache-Control"] = "private, no-cache"


router = FeatureRouter(
    reads=Policy(Permission.PRIVATE_READ),
    writes=Policy(Permission.PRIVATE_WRITE),
    prefix="/v2/private/series",
    tags=["private"],
    dependencies=[Depends(known_only), Depends(not_cached)],
)

Name = Annotated[
    str,
    Path(
        description="Name of the series, unique within the tenant: up to 100 ASCII letters, digits, dots, hyphens and "
        "underscores, a letter or a digit first.",
        examples=["east-plant"],
        # Checked by the service, whose messages say what a name is.
        json_schema_extra={"pattern": private.NAME},
    ),
]

_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"$ref": f"#/components/schemas/{PrivatePoints.__name__}"},
                "examples": {"one point": {"value": {"data": [{"start": "2026-11-02T00:00:00-05:00", "value": 12.5}]}}},
            },
            CSV: {
                "schema": {"type": "string"},
                "example": "start,value,known_at\n2026-11-02T00:00:00-05:00,12.5,2026-11-03T09:00:00Z\n",
            },
        },
    }
}


def _own(request: Request) -> PrivateStore:
    return services(request).store.private.of(caller_of(request).tenant)


@router.get("", operation_id="listPrivateSeries", summary="List private series", responses=problems(Unauthenticated, Forbidden))
async def list_private_series(
    request: Request, response: Response, sparkline: WithSparkline = False, limit: Limit = 100, cursor: Cursor = None
) -> PrivateSeriesPage:
    """List the private series of the caller's tenant, ascending by key.

    With `sparkline` a page has at most 100 series.
    """
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    after = page.after[0] if page.after else None
    own = _own(request)
    series = await own.catalog.series_page(SeriesFilter(), after=after, limit=page.limit + 1)
    meta = page_meta(request, response, page, series, lambda one: (str(one.key),))
    shown = series[: page.limit]
    lines = await series_sparklines(own.neighbours, shown) if sparkline else {}
    data = [ListedPrivateSeries.from_domain(one).with_sparkline(lines.get(one.series_id)) for one in shown]
    return PrivateSeriesPage.model_validate({"data": data, "meta": meta})


@router.put(
    "/{name}/observations",
    operation_id="putPrivateObservations",
    summary="Store points of a private series",
    openapi_extra=_BODY,
    responses=_ONE | problems(also=(413,)),
)
async def put_private_observations(request: Request, name: Name) -> StoredPointsAnswer:
    """Store points, all of them or none: one bad row refuses the request, with the lines of the bad rows.

    Points that the series has with the same value change nothing. Another value is a correction: it counts from its known time
    on, by default from now, and the earlier value stays readable with `as_of`.
    """
    service, body = services(request), await request.body()
    rows = await asyncio.to_thread(rows_of, body, request.headers.get("content-type", JSON))
    stored = await private.store_points(
        _own(request),
        name,
        rows,
        file_name="request",
        size=len(body),
        most=service.store.settings.private.points,
        now=service.clock.now(),
        by=actor_of(request),
    )
    return StoredPointsAnswer(data=StoredPointsDocument(new=stored.new, revised=stored.revised, unchanged=stored.unchanged))


@router.put(
    "/{name}",
    operation_id="declarePrivateSeries",
    summary="Declare a private series",
    responses={201: {"model": PrivateSeriesAnswer, "description": "Declared"}}
    | problems(Unauthenticated, Forbidden, Conflict, Unavailable),
)
async def declare_private_series(
    request: Request, response: Response, name: Name, body: PrivateDeclaration
) -> PrivateSeriesAnswer:
    """Declare a series, status 201, or change the title of a declared one, status 200. The same declaration changes nothing.

    A declared series with another unit, frequency or zone is refused with status 409, because its points depend on them.
    """
    spec = private.private_spec(name, unit=body.unit, frequency=body.frequency, zone=body.zone, title=body.title)
    most = services(request).store.settings.private.series
    declared = await private.declare_series(_own(request), spec, most=most, by=actor_of(request))
    response.status_code = 201 if declared.is_new else 200
    return PrivateSeriesAnswer(data=PrivateSeriesDocument.from_domain(declared.series))


@router.get("/{name}", operation_id="readPrivateSeries", summary="Read a private series", responses=_ONE)
async def read_private_series(request: Request, name: Name) -> PrivateSeriesAnswer:
    """Return a private series with its unit and step, and the first and last interval of its points."""
    return PrivateSeriesAnswer(data=PrivateSeriesDocument.from_domain(await private.private_series(_own(request), name)))


@router.delete(
    "/{name}",
    operation_id="removePrivateSeries",
    summary="Remove a private series",
    responses=_ONE,
    status_code=204,
)
async def remove_private_series(request: Request, name: Name) -> None:
    """Remove a private series with all its points and their history. It cannot be undone."""
    await private.remove_private_series(_own(request), name, by=actor_of(request))
    spooler: Spooler = request.scope["state"]["spooler"]
    await asyncio.to_thread(spooler.folder.forget, caller_of(request).tenant)
