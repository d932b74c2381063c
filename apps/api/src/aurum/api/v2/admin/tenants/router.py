"""``/v2/admin/tenants``: customers, what they are called and what they pay for."""

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

InPath = Annotated[TenantId, Path(description="Id of a tenant.", examples=["acme"])]

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)
_ONE = problems(Unauthenticated, Forbidden, NotFound, Unavailable)


@router.get("", operation_id="listTenants", summary="Tenants", responses=_FAILURES)
async def list_tenants(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> TenantPage:
    """Tenants by id."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    found = await services(request).store.access.tenants.tenants(
        after=page.after[0] if page.after else None, limit=page.limit + 1
    )
    meta = page_meta(request, response, page, found, lambda one: (one.tenant_id,))
    return TenantPage.model_validate({"data": [TenantDocument.from_domain(one) for one in found[: page.limit]], "meta": meta})


@router.post(
    "",
    status_code=201,
    operation_id="createTenant",
    summary="Make a tenant",
    responses=problems(Unauthenticated, Forbidden, Conflict, Unavailable),
)
async def create_tenant(request: Request, wish: NewTenant) -> TenantAnswer:
    """Make a tenant; it has no key yet."""
    with _plan_of_the_body():
        store, by = services(request).store, actor_of(request)
        made = await access.create_tenant(store.transactions, wish.tenant_id, wish.name, wish.plan, by=by)
    return TenantAnswer(data=TenantDocument.from_domain(made))


@router.get("/{tenant_id}", operation_id="readTenant", summary="One tenant", responses=_ONE)
async def read_tenant(request: Request, tenant_id: InPath) -> TenantAnswer:
    """A tenant, its plan, and whether it is disabled."""
    tenant, _ = await services(request).store.access.tenants.tenant(tenant_id)
    return TenantAnswer(data=TenantDocument.from_domain(tenant))


@router.patch("/{tenant_id}", operation_id="changeTenant", summary="Change a tenant", responses=_ONE)
async def change_tenant(request: Request, tenant_id: InPath, wish: TenantChange) -> TenantAnswer:
    """Give a tenant another plan, disable or enable it; it holds in every process within a second."""
    with _plan_of_the_body():
        store, by = services(request).store, actor_of(request)
        changed = await access.change_tenant(store.transactions, tenant_id, plan=wish.plan, disabled=wish.disabled, by=by)
    return TenantAnswer(data=TenantDocument.from_domain(changed))


@contextmanager
def _plan_of_the_body() -> Generator[None]:
    """A tenant that is not there is 404; a plan that is not there was named in the body and is 422."""
    try:
        yield
    except UnknownName as error:
        if error.kind != "plan":
            raise
        raise InvalidParameters(("plan", error.detail, error.name), nearest=list(error.nearest)) from error
