"""``/v2/admin/keys``: make, list, rotate and end API keys."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.actor import actor_of
from aurum.api.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.params import known_only
from aurum.api.problems import InvalidParameters, problems
from aurum.api.request_state import caller_of, state_of
from aurum.api.services import services
from aurum.api.text import Text
from aurum.api.v2.admin.keys import schemas
from aurum.core.access import Caller, MissingScope, Scope, granted
from aurum.core.api_keys import key_text
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from aurum.storage.ports.access import ApiKey

router = APIRouter(prefix="/v2/admin/keys", tags=["admin"], dependencies=[Depends(known_only)])

KeyId = Annotated[
    Text, Path(description="Id of a key: what stands between the first two underscores of it.", examples=["3f2c9a606a4b4f0e"])
]
TenantFilter = Annotated[
    schemas.TenantId | None, Query(description="Whose keys; your own unless you manage tenants.", examples=["acme"])
]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


class GrantsTooMuch(Forbidden):
    """Nobody can grant what they may not do themselves. Facts: ``scopes``."""


def _tenant(caller: Caller, named: str | None) -> str:
    """Whose keys a request is about: only who manages tenants may name another's."""
    if named is None or named == caller.tenant:
        return caller.tenant
    if not caller.may(Scope.TENANT_MANAGE):
        raise MissingScope(Scope.TENANT_MANAGE)
    return named


@router.get("", operation_id="listKeys", summary="Keys of a tenant", responses=_FAILURES)
async def list_keys(
    request: Request, response: Response, tenant: TenantFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> schemas.KeyPage:
    """Keys by id, those that ended too."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    whose = _tenant(caller_of(request), tenant)
    found = await services(request).keys.page(whose, after=page.after[0] if page.after else None, limit=page.limit + 1)
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
    too_much = granted(wish.roles, wish.scopes) - caller.scopes
    if too_much:
        raise GrantsTooMuch("a key cannot do what its maker may not", scopes=sorted(too_much))
    text, parts = key_text(secrets.token_bytes(40))
    key = ApiKey(
        key_id=parts.key_id,
        tenant=_tenant(caller, wish.tenant),
        name=wish.name,
        roles=tuple(map(str, wish.roles)),
        scopes=tuple(map(str, wish.scopes)),
        created_at=now,
        created_by=caller.subject,
        expires_at=wish.expires_at,
    )
    await service.keys.create(key, parts.digest, by=actor_of(request))
    return _shown(request, key, text)


@router.get("/{key_id}", operation_id="readKey", summary="One key", responses=_ONE)
async def read_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """What a key is, without its secret."""
    whose = _tenant(caller_of(request), tenant)
    return schemas.KeyAnswer(data=schemas.KeyDocument.from_domain(await services(request).keys.read(whose, key_id)))


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
    old = await service.keys.read(_tenant(caller, tenant), key_id)
    too_much = granted(old.roles, old.scopes) - caller.scopes
    if too_much:
        raise GrantsTooMuch("a key cannot do what its maker may not", scopes=sorted(too_much))
    now = service.clock.now()
    text, parts = key_text(secrets.token_bytes(40))
    key = ApiKey(
        parts.key_id, old.tenant, old.name, old.roles, old.scopes, now, caller.subject, old.expires_at, replaces=old.key_id
    )
    ends = now + timedelta(hours=wish.grace_hours)
    await service.keys.rotate(key, parts.digest, old_expires_at=ends, by=actor_of(request))
    return _shown(request, key, text)


@router.post("/{key_id}/revoke", operation_id="revokeKey", summary="End a key", responses=_ONE)
async def revoke_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """End a key: within a second no process takes it any more. A second time changes nothing."""
    whose = _tenant(caller_of(request), tenant)
    key = await services(request).keys.revoke(whose, key_id, by=actor_of(request))
    return schemas.KeyAnswer(data=schemas.KeyDocument.from_domain(key))


def _shown(request: Request, key: ApiKey, text: str) -> schemas.NewSecretAnswer:
    state_of(request.scope).holds_secret = True
    document = schemas.KeyDocument.from_domain(key).model_dump()
    return schemas.NewSecretAnswer(data=schemas.NewSecret(**document, key=text))
