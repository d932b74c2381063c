"""``/v2/shapes``: factors by day type and hour, learned from spot prices or written by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
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
    # Shared shapes need admin:write as well.
    writes=Policy(Permission.CURVES_WRITE),
    prefix="/v2/shapes",
    tags=["shapes"],
    dependencies=[Depends(known_only)],
)

_WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)

Name = Annotated[Text, Path(description="Name of the shape.", examples=["de_2024"])]


@router.get("", operation_id="listShapes", summary="List shapes", response_model=reference.ReferenceList, responses=problems())
async def list_shapes(request: Request, response: Response) -> reference.ReferenceList | Response:
    """List shared shapes and those of the caller's tenant."""
    return await reference.listed(request, response, ReferenceKind.SHAPE)


@router.get(
    "/{name}",
    operation_id="readShape",
    summary="Read a shape",
    response_model=reference.ReferenceAnswer,
    responses=problems(NotFound),
)
async def read_shape(request: Request, response: Response, name: Name) -> reference.ReferenceAnswer | Response:
    """Return a shape with its factors."""
    return await reference.shown(request, response, ReferenceKind.SHAPE, name)


@router.post("", operation_id="addShape", summary="Add a shape", status_code=201, responses=_WRITTEN)
async def post_shape(request: Request, body: reference.NewReference) -> reference.ReferenceAnswer:
    """Add a shape of your tenant, or a shared one."""
    return await reference.added(request, ReferenceKind.SHAPE, body)


@router.patch("/{name}", operation_id="changeShape", summary="Change a shape", responses=_WRITTEN)
async def patch_shape(request: Request, name: Name, body: reference.ReferenceChanges) -> reference.ReferenceAnswer:
    """Change members of a shape; it has a new version then."""
    return await reference.changed(request, ReferenceKind.SHAPE, name, body)


@router.delete("/{name}", operation_id="removeShape", summary="Remove a shape", status_code=204, responses=_WRITTEN)
async def delete_shape(request: Request, name: Name) -> None:
    """Remove a shape."""
    await reference.removed(request, ReferenceKind.SHAPE, name)
