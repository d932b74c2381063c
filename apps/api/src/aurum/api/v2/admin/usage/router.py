"""``/v2/admin/usage``: usage by caller and UTC day, as processes have written it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.usage.schemas import CallerDay, UsagePage
from aurum.core.access import MissingScope, Permission
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ), prefix="/v2/admin/usage", tags=["admin"], dependencies=[Depends(known_only)]
)


@router.get(
    "",
    operation_id="listUsage",
    summary="Usage by caller and day",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def list_usage(
    request: Request,
    response: Response,
    tenant: Annotated[
        Text | None,
        Query(
            description="Only callers of this tenant. Default: all, or the caller's own without permission for others.",
            examples=["acme"],
        ),
    ] = None,
    days: Annotated[
        int, Query(ge=1, le=366, description="Number of UTC days, today included. Default: 30.", examples=[7])
    ] = 30,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> UsagePage:
    """List the usage of each caller, ascending by day, tenant and subject. Processes write their counts about every minute."""
    caller, service = caller_of(request), services(request)
    if not caller.may(Permission.TENANT_MANAGE):
        if tenant not in (None, caller.tenant):
            raise MissingScope(Permission.TENANT_MANAGE)
        tenant = caller.tenant
    page = requested_page(request, cursor=cursor, limit=limit, width=3)
    entries = await service.store.usage.page(
        tenant=tenant,
        since=service.clock.now().date() - timedelta(days=days - 1),
        after=(date.fromisoformat(page.after[0]), page.after[1], page.after[2]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, entries, lambda one: (one.day.isoformat(), one.tenant, one.subject))
    response.headers["Cache-Control"] = "no-store"
    data = [CallerDay(**asdict(one)) for one in entries[: page.limit]]
    return UsagePage.model_validate({"data": data, "meta": meta})
