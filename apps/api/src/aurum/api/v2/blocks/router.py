"""``/v2/blocks``: blocks of market calendars with their versions. Administrators add, change and remove them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request

from aurum.api.contract.filters import CalendarFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.curves.access import written
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.data_class import DataClass
from aurum.api.http.problems import problems
from aurum.api.routing.policy import CacheRule, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.blocks import schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.services.catalog.block_changes import add_block, change_block, remove_block, stored_block

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ, is_shared=True, cached=CacheRule(DataClass.REFERENCE, ("catalog",))),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/blocks",
    tags=["blocks"],
    dependencies=[Depends(known_only)],
)

_WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)

Calendar = Annotated[Text, Path(description="Calendar of blocks.", examples=["pjm"])]
Name = Annotated[Text, Path(description="Name of the block, not an alias.", examples=["ON_PEAK"])]


@router.get("", operation_id="listStoredBlocks", summary="List blocks with their versions", responses=problems())
async def list_blocks(request: Request, calendar: CalendarFilter = None) -> schemas.StoredBlockList:
    """List blocks, ascending by calendar and name."""
    blocks = await services(request).store.catalog.blocks.blocks()
    wanted = [one for one in blocks if calendar is None or one.calendar == calendar]
    return schemas.StoredBlockList(data=[schemas.StoredBlockDocument.from_domain(one) for one in wanted])


@router.get("/{calendar}/{name}", operation_id="readBlock", summary="Read a block", responses=problems(NotFound))
async def read_block(request: Request, calendar: Calendar, name: Name) -> schemas.StoredBlockAnswer:
    """Return a block with its hours and its version."""
    stored = await stored_block(services(request).store.catalog.blocks, calendar, name)
    return schemas.StoredBlockAnswer(data=schemas.StoredBlockDocument.from_domain(stored))


@router.post("", operation_id="addBlock", summary="Add a block", status_code=201, responses=_WRITTEN)
async def post_block(request: Request, body: schemas.NewBlock) -> schemas.StoredBlockAnswer:
    """Add a block to a calendar. A calendar that does not exist begins with it."""
    document = body.model_dump(mode="json", exclude_unset=True)
    stored = await add_block(services(request).store.transactions, document, by=actor_of(request))
    await written(request)
    return schemas.StoredBlockAnswer(data=schemas.StoredBlockDocument.from_domain(stored))


@router.patch("/{calendar}/{name}", operation_id="changeBlock", summary="Change a block", responses=_WRITTEN)
async def patch_block(
    request: Request, calendar: Calendar, name: Name, body: schemas.BlockChanges
) -> schemas.StoredBlockAnswer:
    """Change a block. A release does not replace it from then on; hours that stored quotes depend on stay."""
    changes = body.model_dump(mode="json", exclude_unset=True, exclude={"version"})
    transactions = services(request).store.transactions
    stored = await change_block(transactions, calendar, name, changes, version=body.version, by=actor_of(request))
    await written(request)
    return schemas.StoredBlockAnswer(data=schemas.StoredBlockDocument.from_domain(stored))


@router.delete("/{calendar}/{name}", operation_id="removeBlock", summary="Remove a block", status_code=204, responses=_WRITTEN)
async def delete_block(
    request: Request,
    calendar: Calendar,
    name: Name,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Version that you have read. Default: the current one.", examples=[1])
    ] = None,
) -> None:
    """Remove a block that was added. Of a changed block of the release, the shipped one holds again."""
    await remove_block(services(request).store.transactions, calendar, name, version=version, by=actor_of(request))
    await written(request)
