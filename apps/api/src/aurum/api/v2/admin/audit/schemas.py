"""Shapes of audit records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


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
