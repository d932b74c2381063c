"""``/v2/admin/audit``: who did what, the newest first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Text
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable

router = APIRouter(prefix="/v2/admin/audit", tags=["admin"], dependencies=[Depends(known_only)])


class AuditDocument(BaseModel):
    """One change and who made it."""

    audit_id: int
    at: datetime
    tenant: str | None = Field(description="Whose thing was changed.")
    actor: str = Field(examples=["key:3f2c9a606a4b4f0e"])
    action: str = Field(examples=["key.create"])
    target: str
    detail: dict[str, Any]
    request_id: str
    address: str


class AuditPage(BaseModel):
    data: list[AuditDocument]
    meta: PageMeta


@router.get("", operation_id="listAudit", summary="Who did what", responses=problems(Unauthenticated, Forbidden, Unavailable))
async def list_audit(
    request: Request,
    response: Response,
    action: Annotated[Text | None, Query(description="Only of this kind.", examples=["key.create"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AuditPage:
    """Changes, the newest first: those of your own tenant, or of all when you manage tenants."""
    page = requested_page(request, cursor=cursor, limit=limit, width=1)
    caller = caller_of(request)
    found = await services(request).store.access.audit.page(
        tenant=None if caller.may(Permission.TENANT_MANAGE) else caller.tenant,
        action=action,
        before=int(page.after[0]) if page.after else None,
        limit=page.limit + 1,
    )
    meta = page_meta(request, response, page, found, lambda one: (str(one.audit_id),))
    return AuditPage.model_validate({"data": [asdict(one) for one in found[: page.limit]], "meta": meta})
