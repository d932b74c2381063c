"""``/v2/admin/audit``: the audit log."""

from __future__ import annotations

from dataclasses import asdict
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
from aurum.api.v2.admin.audit.schemas import AuditPage
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ), prefix="/v2/admin/audit", tags=["admin"], dependencies=[Depends(known_only)]
)


@router.get("", operation_id="listAudit", summary="Audit log", responses=problems(Unauthenticated, Forbidden, Unavailable))
async def list_audit(
    request: Request,
    response: Response,
    action: Annotated[Text | None, Query(description="Only changes of this kind.", examples=["key.create"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AuditPage:
    """List changes, newest first: those of the caller's tenant, or of all tenants for callers that may manage tenants."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    caller = caller_of(request)
    entries = await services(request).store.access.audit.page(
        tenant=None if caller.may(Permission.TENANT_MANAGE) else caller.tenant,
        action=action,
        before=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, entries, lambda one: (str(one.audit_id),))
    return AuditPage.model_validate({"data": [asdict(one) for one in entries[: page.limit]], "meta": meta})
