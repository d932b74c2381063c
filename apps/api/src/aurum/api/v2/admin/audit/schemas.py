"""Documents of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


class AuditDocument(BaseModel):
    """A change, and the caller who made it."""

    audit_id: int
    at: datetime
    tenant: str | None = Field(description="Tenant that the change belongs to; null when it belongs to none.")
    actor: str = Field(
        description="`key:<id>` of an API key, `user:<name>` of a token, or `local`.", examples=["key:3f2c9a606a4b4f0e"]
    )
    action: str = Field(description="Kind of the change.", examples=["key.create"])
    target: str = Field(description="Id or name of the changed object.")
    detail: dict[str, Any] = Field(description="Facts about the change, which depend on its kind.")
    request_id: str
    address: str = Field(description="Address of the client.")


class AuditPage(BaseModel):
    data: list[AuditDocument]
    meta: PageMeta
