"""``/v2/admin/keys``: make, list, rotate and end API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.keys import schemas
from aurum.core.access import Caller, MissingScope, Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.services import access
from aurum.services.access import IssuedKey, NewKey

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/keys",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

KeyId = Annotated[
    Text, Path(description="Id of a key: what stands between the first two underscores of it.", examples=["3f2c9a606a4b4f0e"])
]
TenantFilter = Annotated[
    schemas.TenantId | None, Query(description="Whose keys; your own unless you manage tenants.", examples=["acme"])
]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


def _tenant(caller: Caller, named: str | None) -> str:
    """Whose keys a request is about: only who manages tenants may name another's."""
    if named is None or named == caller.tenant:
        return caller.tenant
    if not caller.may(Permission.TENANT_MANAGE):
        raise MissingScope(Permission.TENANT_MANAGE)
    return named


@router.get("", operation_id="listKeys", summary="Keys of a tenant", responses=_FAILURES)
async def list_keys(
    request: Request, response: Response, tenant: TenantFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> schemas.KeyPage:
    """Keys by id, those that ended too."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    whose = _tenant(caller_of(request), tenant)
    found = await services(request).store.access.keys.page(
        whose, after=page.after[0] if page.after else None, limit=page.limit + 1
    )
    meta = page_meta(request, response, page, found, lambda one: (one.key_id,))
    data = [schemas.KeyDocument.from_domain(one) for one in found[: page.limit]]
    return schemas.KeyPage.model_validate({"data": data, "meta": meta})


@router.post(
    "",
    status_code=201,
    operation_id="createKey",
    summary="Make a key",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def create_key(request: Request, wish: schemas.NewKey) -> schemas.NewSecretAnswer:
    """Make a key. Its secret is in this answer and nowhere else, ever again."""
    caller, service = caller_of(request), services(request)
    now = service.clock.now()
    if wish.expires_at is not None and wish.expires_at <= now:
        raise InvalidParameters(("expires_at", "is not in the future", wish.expires_at.isoformat()))
    new = NewKey(_tenant(caller, wish.tenant), wish.name, tuple(wish.roles), tuple(wish.scopes), wish.expires_at)
    return _shown(
        request, await access.create_key(service.store.transactions, new, by=actor_of(request), may=caller.scopes, now=now)
    )


@router.get("/{key_id}", operation_id="readKey", summary="One key", responses=_ONE)
async def read_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """What a key is, without its secret."""
    whose = _tenant(caller_of(request), tenant)
    return schemas.KeyAnswer(
        data=schemas.KeyDocument.from_domain(await services(request).store.access.keys.read(whose, key_id))
    )


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    operation_id="rotateKey",
    summary="A new secret",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def rotate_key(
    request: Request, key_id: KeyId, wish: schemas.Rotation, tenant: TenantFilter = None
) -> schemas.NewSecretAnswer:
    """Make a key like this one in its place; the old one is still taken for a while, so that callers can change over.

    A key that has ended, or was rotated before, is a conflict.
    """
    caller, service = caller_of(request), services(request)
    issued = await access.rotate_key(
        service.store.transactions,
        _tenant(caller, tenant),
        key_id,
        grace=timedelta(hours=wish.grace_hours),
        by=actor_of(request),
        may=caller.scopes,
        now=service.clock.now(),
    )
    return _shown(request, issued)


@router.post("/{key_id}/revoke", operation_id="revokeKey", summary="End a key", responses=_ONE)
async def revoke_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """End a key: within a second no process takes it any more. A second time changes nothing."""
    whose = _tenant(caller_of(request), tenant)
    key = await access.revoke_key(services(request).store.transactions, whose, key_id, by=actor_of(request))
    return schemas.KeyAnswer(data=schemas.KeyDocument.from_domain(key))


def _shown(request: Request, issued: IssuedKey) -> schemas.NewSecretAnswer:
    state_of(request.scope).holds_secret = True
    document = schemas.KeyDocument.from_domain(issued.key).model_dump()
    return schemas.NewSecretAnswer(data=schemas.NewSecret(**document, key=issued.text))
