"""Shapes of ``/v2/admin/keys``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.api.contract.text import Moment
from aurum.core.access import TENANT_ID, Permission, Role
from aurum.storage.ports.access import ApiKey

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
TenantId = Annotated[str, StringConstraints(pattern=TENANT_ID)]


class KeyDocument(BaseModel):
    """A key without its secret, which nobody knows but who was shown it."""

    key_id: str = Field(examples=["3f2c9a606a4b4f0e"])
    tenant: str
    name: str
    roles: list[str]
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    replaces: str | None = Field(description="The key it was made from by rotation.")

    @classmethod
    def from_domain(cls, key: ApiKey) -> KeyDocument:
        return cls.model_validate(asdict(key))


class KeyPage(BaseModel):
    data: list[KeyDocument]
    meta: PageMeta


class KeyAnswer(BaseModel):
    data: KeyDocument


class NewKey(BaseModel):
    """A key to be made. It grants what its roles and scopes grant together; nobody can grant what they may not do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "notebook", "roles": ["user"]}]})

    name: Name = Field(description="What it is for.")
    tenant: TenantId | None = Field(default=None, description="Whose; your own unless you manage tenants.")
    roles: list[Role] = Field(default=[Role.USER], max_length=10)
    scopes: list[Permission] = Field(default=[], max_length=50)
    expires_at: Moment | None = Field(default=None, description="When it ends; never, when not given.")


class NewSecret(KeyDocument):
    """A key with its secret: it is shown this once."""

    key: str = Field(description="Send it as `Authorization: Bearer <key>`.")


class NewSecretAnswer(BaseModel):
    data: NewSecret


class Rotation(BaseModel):
    """A new secret for a key that goes on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_hours": 24}]})

    grace_hours: float = Field(default=24.0, strict=True, ge=0, le=24 * 30, description="How long the old one is still taken.")
