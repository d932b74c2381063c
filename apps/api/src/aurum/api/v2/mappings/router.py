"""``/v2/mappings``: spellings of labels and units that administrators map, and the labels that no mapping knows."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.mappings import schemas, writes
from aurum.core.access import Permission
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.errors import Forbidden, NotFound, Unavailable
from aurum.services.catalog.unknown_labels import unknown_labels

router = FeatureRouter(
    # Labels of files tell what an installation loads: they are for administrators.
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/mappings",
    tags=["mappings"],
    dependencies=[Depends(known_only)],
)

_READ = problems(Forbidden, NotFound, Unavailable)

Kind = Annotated[MappingKind | None, Query(description="Only this kind.", examples=["area"])]


@router.get("", operation_id="listMappings", summary="List mappings", responses=problems(Forbidden, Unavailable))
async def list_mappings(
    request: Request,
    kind: Kind = None,
    scope: Annotated[Text | None, Query(description="Only this scope.", examples=["europe"])] = None,
) -> schemas.MappingList:
    """List the mappings that administrators stored. The shipped ones are part of the release."""
    stored = await services(request).store.catalog.mappings.mappings(kind=kind)
    wanted = [one for one in stored if scope is None or one.scope == scope]
    return schemas.MappingList(data=[schemas.MappingDocument.model_validate(one) for one in wanted])


@router.get("/unknown", operation_id="listUnknownLabels", summary="Unknown labels", responses=problems(Forbidden, Unavailable))
async def list_unknown(request: Request, kind: Kind = None) -> schemas.UnknownLabelList:
    """List labels of loaded files that no mapping knows. Map one, then load its file again: it leaves the list."""
    labels = await unknown_labels(services(request).store.catalog.mappings, kind=kind)
    return schemas.UnknownLabelList(data=[schemas.UnknownLabelDocument.model_validate(one) for one in labels])


@router.get("/{mapping_id:int}", operation_id="readMapping", summary="Read a mapping", responses=_READ)
async def read_mapping(request: Request, mapping_id: writes.MappingId) -> schemas.MappingAnswer:
    """Return a mapping."""
    stored = await services(request).store.catalog.mappings.mapping(mapping_id)
    return schemas.MappingAnswer(data=schemas.MappingDocument.model_validate(stored))


@router.post("", operation_id="addMapping", summary="Add a mapping", status_code=201, responses=writes.WRITTEN)
async def post_mapping(request: Request, body: schemas.NewMapping) -> schemas.MappingAnswer:
    """Map a spelling that the release does not know. Files that are loaded from then on are read with it."""
    return await writes.added(request, body.kind, body.spelling, body.target, body.scope)


@router.patch("/{mapping_id:int}", operation_id="changeMapping", summary="Change a mapping", responses=writes.WRITTEN)
async def patch_mapping(request: Request, mapping_id: writes.MappingId, body: schemas.MappingChanges) -> schemas.MappingAnswer:
    """Give a mapping another target. What is stored stays; files that are loaded from then on are read with it."""
    return await writes.changed(request, mapping_id, body)


@router.delete(
    "/{mapping_id:int}", operation_id="removeMapping", summary="Remove a mapping", status_code=204, responses=writes.WRITTEN
)
async def delete_mapping(request: Request, mapping_id: writes.MappingId, version: writes.Version = None) -> None:
    """Remove a mapping. Its spelling is unknown again; what is stored stays."""
    await writes.removed(request, mapping_id, version)
