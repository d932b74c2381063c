"""``/v1/metadata/units``: currencies, units and their spellings."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.v1.envelope import Listed, document, responses, whole_list
from aurum.api.v1.metadata.schemas import Prefix, UnitsAnswer, UnitSpelling
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission
from aurum.core.units import known_currencies
from aurum.services.catalog import has_prefix
from aurum.services.catalog.units import listed_units

router = v1_router("/v1/metadata", "v1 metadata", Permission.CATALOG_READ)


@router.get("/units", operation_id="v1ListUnits", summary="Units", response_class=Response, responses=responses(UnitsAnswer))
async def list_units(request: Request, prefix: Prefix = None) -> Response:
    """Currencies and units."""
    currencies = sorted(one.code for one in known_currencies() if one.code == one.major and has_prefix(one.code, prefix))
    listed = await listed_units(services(request).store.catalog.mappings)
    units = sorted(one.text for one in listed if has_prefix(one.text, prefix))
    return document(request, {"data": {"currencies": currencies, "units": units}})


@router.get(
    "/units/mapping",
    operation_id="v1UnitMapping",
    summary="Spellings of units",
    response_class=Response,
    responses=responses(Listed[UnitSpelling]),
)
async def unit_mapping(request: Request, prefix: Prefix = None) -> Response:
    """Every known spelling, with the currency and the unit it is a price of, or the unit itself."""
    listed = await listed_units(services(request).store.catalog.mappings)
    meanings = {spelling: one for one in listed for spelling in (one.text, *one.aliases)}
    rows = [
        {
            "units_raw": spelling,
            "currency": one.currency,
            "per_unit": (one.text.partition("/")[2] or None) if one.currency else one.text,
        }
        for spelling, one in sorted(meanings.items())
        if has_prefix(spelling, prefix)
    ]
    return whole_list(request, rows)
