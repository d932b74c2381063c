"""``/v2/units``: units with their spellings. Administrators map further spellings."""

from __future__ import annotations

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.mappings import schemas, writes
from aurum.core.access import Permission
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.services.catalog.units import listed_units

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.REFERENCE, ("catalog",))),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/units",
    tags=["units"],
    dependencies=[Depends(known_only)],
)


class NewUnitMapping(BaseModel):
    """A spelling of a unit to map."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"spelling": "EUR per MW hour", "target": "EUR/MWh"}]}
    )

    spelling: Text = Field(description="Text as files and requests have it. It must not be a spelling of a unit already.")
    target: Text = Field(description="Unit of the vocabulary that it means.")


@router.get("", operation_id="listMappedUnits", summary="List units with mapped spellings", responses=problems())
async def list_units(request: Request) -> schemas.SpelledUnitList:
    """List all units that values can be converted to, with the spellings that administrators mapped among their aliases."""
    units = await listed_units(services(request).store.catalog.mappings)
    return schemas.SpelledUnitList(
        data=[
            schemas.SpelledUnit(unit=one.text, dimension=one.dimension, currency=one.currency, aliases=list(one.aliases))
            for one in units
        ]
    )


@router.get("/mappings", operation_id="listUnitMappings", summary="List spellings of units", responses=problems())
async def list_unit_mappings(request: Request) -> schemas.MappingList:
    """List the spellings of units that administrators mapped."""
    stored = await services(request).store.catalog.mappings.mappings(kind=MappingKind.UNIT)
    return schemas.MappingList(data=[schemas.MappingDocument.model_validate(one) for one in stored])


@router.post(
    "/mappings", operation_id="addUnitMapping", summary="Add a spelling of a unit", status_code=201, responses=writes.WRITTEN
)
async def post_unit_mapping(request: Request, body: NewUnitMapping) -> schemas.MappingAnswer:
    """Map a spelling to a unit. Requests and files that are loaded from then on may have it."""
    return await writes.added(request, MappingKind.UNIT, body.spelling, body.target)


@router.patch(
    "/mappings/{mapping_id:int}",
    operation_id="changeUnitMapping",
    summary="Change a spelling of a unit",
    responses=writes.WRITTEN,
)
async def patch_unit_mapping(
    request: Request, mapping_id: writes.MappingId, body: schemas.MappingChanges
) -> schemas.MappingAnswer:
    """Give a spelling another unit, of the same dimension and currency."""
    return await writes.changed(request, mapping_id, body, kind=MappingKind.UNIT)


@router.delete(
    "/mappings/{mapping_id:int}",
    operation_id="removeUnitMapping",
    summary="Remove a spelling of a unit",
    status_code=204,
    responses=writes.WRITTEN,
)
async def delete_unit_mapping(request: Request, mapping_id: writes.MappingId, version: writes.Version = None) -> None:
    """Remove a spelling. Files and requests that have it are refused again."""
    await writes.removed(request, mapping_id, version, kind=MappingKind.UNIT)
