"""Documents of tenants."""

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
    """A tenant."""

    tenant_id: str = Field(examples=["acme"])
    name: str
    plan: str = Field(description="Name of its rate plan.")
    created_at: datetime
    disabled_at: datetime | None = Field(description="Time at which the tenant was disabled; null: it is enabled.")

    @classmethod
    def from_domain(cls, tenant: Tenant) -> TenantDocument:
        return cls.model_validate(asdict(tenant))


class TenantPage(BaseModel):
    data: list[TenantDocument]
    meta: PageMeta


class TenantAnswer(BaseModel):
    data: TenantDocument


class NewTenant(BaseModel):
    """A tenant to be created."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tenant_id": "acme", "name": "Acme Power", "plan": "basic"}]}
    )

    tenant_id: TenantId = Field(description="Id: lower-case letters, digits and hyphens, 1 to 63 characters.")
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    plan: PlanName = Field(default="free", description="Name of the rate plan. Default: `free`.")


class TenantChange(BaseModel):
    """A change of a tenant. Fields that are missing or null stay as they are."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"plan": "premium"}]})

    plan: PlanName | None = Field(default=None, description="Name of the new rate plan.")
    disabled: StrictBool | None = Field(
        default=None, description="True: refuse all credentials of the tenant; false: accept them."
    )
