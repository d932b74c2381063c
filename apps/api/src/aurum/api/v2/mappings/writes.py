"""Changes of mappings, for the routes of all mappings and for those of units."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request

from aurum.api.curves.access import written
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.v2.mappings.schemas import MappingAnswer, MappingChanges, MappingDocument
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.errors import Conflict, Forbidden, NotFound, Unavailable
from aurum.services.catalog.mappings import add_mapping, change_mapping, remove_mapping

WRITTEN = problems(NotFound, Conflict, Forbidden, Unavailable)

MappingId = Annotated[int, Path(ge=1, le=2**31 - 1, description="Id of the mapping.", examples=[1])]
Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Version that you have read. Default: the current one.", examples=[1])
]


async def added(request: Request, kind: MappingKind, spelling: str, target: str, scope: str = ANY_SCOPE) -> MappingAnswer:
    """Add a mapping and return the answer with it."""
    transactions, by = services(request).store.transactions, actor_of(request)
    stored = await add_mapping(transactions, kind, spelling=spelling, target=target, scope=scope, by=by)
    await written(request)
    return MappingAnswer(data=MappingDocument.model_validate(stored))


async def changed(request: Request, mapping_id: int, body: MappingChanges, *, kind: MappingKind | None = None) -> MappingAnswer:
    """Give a mapping another target and return the answer with it. ``kind``: only a mapping of this kind."""
    store, by = services(request).store, actor_of(request)
    stored = await change_mapping(
        store.transactions, store.catalog.mappings, mapping_id, body.target, version=body.version, kind=kind, by=by
    )
    await written(request)
    return MappingAnswer(data=MappingDocument.model_validate(stored))


async def removed(request: Request, mapping_id: int, version: int | None, *, kind: MappingKind | None = None) -> None:
    """Remove a mapping. ``kind``: only one of this kind."""
    store, by = services(request).store, actor_of(request)
    await remove_mapping(store.transactions, store.catalog.mappings, mapping_id, version=version, kind=kind, by=by)
    await written(request)
