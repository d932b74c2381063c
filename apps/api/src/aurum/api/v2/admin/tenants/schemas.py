"""Shapes of tenants."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.core.access import TENANT_ID
from aurum.storage.ports.access import Tenant

TenantId = Annotated[str, StringConstraints(pattern=TENANT_ID)]


PlanName = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00]*$")]


class TenantDocument(BaseModel):
    """A customer."""

    tenant_id: str = Field(examples=["acme"])
    name: str
    plan: str
    created_at: datetime
    disabled_at: datetime | None = Field(description="Since when none of its credentials is taken.")

    @classmethod
    def from_domain(cls, tenant: Tenant) -> TenantDocument:
        return cls.model_validate(asdict(tenant))


class TenantPage(BaseModel):
    data: list[TenantDocument]
    meta: PageMeta


class TenantAnswer(BaseModel):
    data: TenantDocument


class NewTenant(BaseModel):
    """A customer to be."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tenant_id": "acme", "name": "Acme Power", "plan": "basic"}]}
    )

    tenant_id: TenantId
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    plan: PlanName = "free"


class TenantChange(BaseModel):
    """What is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"plan": "premium"}]})

    plan: PlanName | None = None
    disabled: StrictBool | None = None
