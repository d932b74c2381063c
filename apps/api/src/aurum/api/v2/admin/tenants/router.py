"""``/v2/admin/tenants``: customers, their names and rate plans."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import InvalidParameters, problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.tenants.schemas import NewTenant, TenantAnswer, TenantChange, TenantDocument, TenantId, TenantPage
from aurum.core.access import Permission
from aurum.core.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable, UnknownName
from aurum.services import access

router = FeatureRouter(
    reads=Policy(Permission.TENANT_MANAGE),
    writes=Policy(Permission.TENANT_MANAGE),
    prefix="/v2/admin/tenants",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

InPath = Annotated[TenantId, Path(description="Id of the tenant.", examples=["acme"])]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


@router.get("", operation_id="listTenants", summary="List tenants", responses=_FAILURES)
async def list_tenants(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> TenantPage:
    """List all tenants, ascending by id."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    tenants = await services(request).store.access.tenants.tenants(
        after=page.after[0] if page.after else None, limit=page.limit + 1
    )
    meta = page_meta(request, response, page, tenants, lambda one: (one.tenant_id,))
    return TenantPage.model_validate({"data": [TenantDocument.from_domain(one) for one in tenants[: page.limit]], "meta": meta})


@router.post(
    "",
    status_code=201,
    operation_id="createTenant",
    summary="Create a tenant",
    responses=problems(Unauthenticated, Forbidden, Conflict, Unavailable),
)
async def create_tenant(request: Request, body: NewTenant) -> TenantAnswer:
    """Create a tenant. It has no API key yet."""
    with _plan_in_the_body():
        store, by = services(request).store, actor_of(request)
        created = await access.create_tenant(store.transactions, body.tenant_id, body.name, body.plan, by=by)
    return TenantAnswer(data=TenantDocument.from_domain(created))


@router.get("/{tenant_id}", operation_id="readTenant", summary="Read a tenant", responses=_ONE)
async def read_tenant(request: Request, tenant_id: InPath) -> TenantAnswer:
    """Return a tenant with its rate plan, and the time since when it is disabled."""
    tenant, _ = await services(request).store.access.tenants.tenant(tenant_id)
    return TenantAnswer(data=TenantDocument.from_domain(tenant))


@router.patch("/{tenant_id}", operation_id="changeTenant", summary="Change a tenant", responses=_ONE)
async def change_tenant(request: Request, tenant_id: InPath, body: TenantChange) -> TenantAnswer:
    """Change the rate plan of a tenant, disable it or enable it. Every process applies the change within a second."""
    with _plan_in_the_body():
        store, by = services(request).store, actor_of(request)
        changed = await access.change_tenant(store.transactions, tenant_id, plan=body.plan, disabled=body.disabled, by=by)
    return TenantAnswer(data=TenantDocument.from_domain(changed))


@contextmanager
def _plan_in_the_body() -> Generator[None]:
    """Turn an unknown plan into 422, because the body names it; an unknown tenant stays 404."""
    try:
        yield
    except UnknownName as error:
        if error.kind != "plan":
            raise
        raise InvalidParameters(("plan", error.detail, error.name), nearest=list(error.nearest)) from error
