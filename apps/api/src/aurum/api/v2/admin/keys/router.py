"""``/v2/admin/keys``: create, list, rotate and revoke API keys, and name the owner of one that has none."""

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
    Text, Path(description="Id of the key: the part between its first two underscores.", examples=["3f2c9a606a4b4f0e"])
]
TenantFilter = Annotated[
    schemas.TenantId | None,
    Query(
        description="Tenant of the key; only callers that may manage tenants can name another. Default: their own.",
        examples=["acme"],
    ),
]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


def _tenant(caller: Caller, named: str | None) -> str:
    """Return the tenant whose keys a request is about. Raises ``MissingScope`` for another tenant than the caller's."""
    if named is None or named == caller.tenant:
        return caller.tenant
    if not caller.may(Permission.TENANT_MANAGE):
        raise MissingScope(Permission.TENANT_MANAGE)
    return named


@router.get("", operation_id="listKeys", summary="List API keys", responses=_FAILURES)
async def list_keys(
    request: Request, response: Response, tenant: TenantFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> schemas.KeyPage:
    """List the keys of a tenant, ascending by id, with expired and revoked ones."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    owner = _tenant(caller_of(request), tenant)
    keys = await services(request).store.access.keys.page(
        owner, after=page.after[0] if page.after else None, limit=page.limit + 1
    )
    meta = page_meta(request, response, page, keys, lambda one: (one.key_id,))
    data = [schemas.KeyDocument.from_domain(one) for one in keys[: page.limit]]
    return schemas.KeyPage.model_validate({"data": data, "meta": meta})


@router.post(
    "",
    status_code=201,
    operation_id="createKey",
    summary="Create an API key",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def create_key(request: Request, body: schemas.NewKey) -> schemas.NewSecretAnswer:
    """Create a key. Only this response holds its secret, which cannot be read again."""
    caller, service = caller_of(request), services(request)
    now = service.clock.now()
    if body.expires_at is not None and body.expires_at <= now:
        raise InvalidParameters(
            ("expires_at", "is not in the future: choose a later time, or leave it out", body.expires_at.isoformat())
        )
    new = NewKey(_tenant(caller, body.tenant), body.name, tuple(body.roles), tuple(body.scopes), body.expires_at, body.owner)
    return _with_secret(
        request, await access.create_key(service.store.transactions, new, by=actor_of(request), may=caller.scopes, now=now)
    )


@router.get("/{key_id}", operation_id="readKey", summary="Read an API key", responses=_ONE)
async def read_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """Return a key without its secret."""
    owner = _tenant(caller_of(request), tenant)
    return schemas.KeyAnswer(
        data=schemas.KeyDocument.from_domain(await services(request).store.access.keys.read(owner, key_id))
    )


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    operation_id="rotateKey",
    summary="Rotate an API key",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def rotate_key(
    request: Request, key_id: KeyId, body: schemas.Rotation, tenant: TenantFilter = None
) -> schemas.NewSecretAnswer:
    """Replace a key by a new one with the same name, roles and scopes. The old key stays valid for the grace period.

    The status is 409 for a key that is expired, revoked or was rotated before.
    """
    caller, service = caller_of(request), services(request)
    issued = await access.rotate_key(
        service.store.transactions,
        _tenant(caller, tenant),
        key_id,
        grace=timedelta(hours=body.grace_hours),
        by=actor_of(request),
        may=caller.scopes,
        now=service.clock.now(),
    )
    return _with_secret(request, issued)


@router.put(
    "/{key_id}/owner",
    operation_id="putKeyOwner",
    summary="Name the owner of an API key",
    responses=problems(Unauthenticated, Forbidden, NotFound, Conflict, Unavailable),
)
async def put_owner(request: Request, key_id: KeyId, body: schemas.Owner, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """Name the person who uses a key that names none, so that it can take part in approvals from then on.

    An owner never changes: the status is 409 for a key that has another one, and for a key that is expired, revoked or was
    rotated. What the key submitted before names no person still, and is submitted again.
    """
    caller, service = caller_of(request), services(request)
    key = await access.give_owner(
        service.store.transactions,
        _tenant(caller, tenant),
        key_id,
        body.owner,
        by=actor_of(request),
        may=caller.scopes,
        now=service.clock.now(),
    )
    return schemas.KeyAnswer(data=schemas.KeyDocument.from_domain(key))


@router.post("/{key_id}/revoke", operation_id="revokeKey", summary="Revoke an API key", responses=_ONE)
async def revoke_key(request: Request, key_id: KeyId, tenant: TenantFilter = None) -> schemas.KeyAnswer:
    """Revoke a key. Within a second no process accepts it; revoking it again changes nothing."""
    owner = _tenant(caller_of(request), tenant)
    key = await access.revoke_key(services(request).store.transactions, owner, key_id, by=actor_of(request))
    return schemas.KeyAnswer(data=schemas.KeyDocument.from_domain(key))


def _with_secret(request: Request, issued: IssuedKey) -> schemas.NewSecretAnswer:
    state_of(request.scope).holds_secret = True
    document = schemas.KeyDocument.from_domain(issued.key).model_dump()
    return schemas.NewSecretAnswer(data=schemas.NewSecret(**document, key=issued.text))
