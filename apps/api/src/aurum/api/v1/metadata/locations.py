"""``/v1/metadata/locations``: nodes, hubs, zones and regions of the operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.envelope import Listed, document, page_response, responses
from aurum.api.v1.metadata.schemas import Location, LocationAnswer, Prefix
from aurum.api.v1.pages import Limit, page_of_rest, requested_page
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.core.catalog.entries import LocationEntry
from aurum.core.errors import UnknownName
from aurum.core.markettime import parse_market
from aurum.services.catalog import location_of, market_locations

router = v1_router("/v1/metadata", "v1 metadata", Permission.CATALOG_READ)


@router.get(
    "/locations",
    operation_id="v1ListLocations",
    summary="Locations",
    response_class=Response,
    responses=responses(Listed[Location]),
)
async def list_locations(
    request: Request,
    *,
    iso: Annotated[Text | None, Query(description="Operator, in upper or lower case.", examples=["NYISO"])] = None,
    prefix: Prefix = None,
    limit: Limit = 100,
    cursors: Annotated[Cursors, Query()],
) -> Response:
    """Locations of the operators, by source and id. `prefix` is compared with the id and the name."""
    requested = requested_page(request, cursors, limit, width=2)
    after = requested.trail.after
    entries = await market_locations(
        services(request).store.catalog.reader,
        market=_market(iso),
        prefix=prefix,
        after=(after[0], after[1]) if after else None,
        limit=limit + 1,
    )
    return page_response(request, page_of_rest(entries, requested, key=_key, row=_row))


@router.get(
    "/locations/{iso}/{location_id:path}",
    operation_id="v1ReadLocation",
    summary="One location",
    response_class=Response,
    responses=responses(LocationAnswer, 404),
)
async def read_location(
    request: Request,
    iso: Annotated[Text, Path(description="Operator, in upper or lower case.", examples=["NYISO"])],
    location_id: Annotated[Text, Path(description="The operator's own id.", examples=["61761"])],
) -> Response:
    """One location of an operator."""
    entry = await location_of(services(request).store.catalog.reader, iso, location_id)
    return document(request, {"data": _row(entry)})


def _key(entry: LocationEntry) -> tuple[str, str]:
    return entry.source, entry.location


def _row(entry: LocationEntry) -> Mapping[str, object]:
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
