"""Documents of ``/v2/admin/keys``."""

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
    """An API key without its secret. The service stores only a digest of the secret."""

    key_id: str = Field(examples=["3f2c9a606a4b4f0e"])
    tenant: str
    name: str
    roles: list[str]
    scopes: list[str] = Field(description="Permissions in addition to those of the roles.")
    created_at: datetime
    created_by: str = Field(description="Actor who created the key.")
    expires_at: datetime | None = Field(description="Time from which the key is invalid; null: it does not expire.")
    revoked_at: datetime | None = Field(description="Time of the revocation; null: it is not revoked.")
    last_used_at: datetime | None = Field(description="Time of the last use, to the minute; null: it was not used.")
    replaces: str | None = Field(description="Id of the key that this key replaced; null: it replaced none.")
    owner: str | None = Field(description="Name of the person who uses the key; null: unknown.", examples=["Anna Smith"])

    @classmethod
    def from_domain(cls, key: ApiKey) -> KeyDocument:
        return cls.model_validate(asdict(key))


class KeyPage(BaseModel):
    data: list[KeyDocument]
    meta: PageMeta


class KeyAnswer(BaseModel):
    data: KeyDocument


class NewKey(BaseModel):
    """An API key to be created. It has all permissions of its roles and scopes; its creator must have them too."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "notebook", "roles": ["user"], "owner": "Anna Smith"}]}
    )

    name: Name = Field(description="Purpose of the key.")
    tenant: TenantId | None = Field(
        default=None,
        description="Tenant of the key; only callers that may manage tenants can name another. Default: their own.",
    )
    roles: list[Role] = Field(default=[Role.USER], max_length=10, description="Roles. Default: `user`.")
    scopes: list[Permission] = Field(
        default=[], max_length=50, description="Permissions in addition to those of the roles. Default: none."
    )
    expires_at: Moment | None = Field(
        default=None, description="RFC 3339 date-time from which the key is invalid. Default: it does not expire."
    )
    owner: Name | None = Field(
        default=None,
        description="Name of the person who will use the key. Approvals need two persons: keys of one owner are one person, "
        "and a key without an owner can approve nothing. It can be named later, once. Default: unknown.",
    )


class NewSecret(KeyDocument):
    """An API key with its secret, which is shown only once."""

    key: str = Field(description="The whole key; send it as `Authorization: Bearer <key>`.")


class NewSecretAnswer(BaseModel):
    data: NewSecret


class Owner(BaseModel):
    """The person who uses an API key that was made without an owner."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"owner": "Anna Smith"}]})

    owner: Name = Field(description="Name of the person. It never changes; all keys of one owner are one person.")


class Rotation(BaseModel):
    """The rotation of an API key."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_hours": 24}]})

    grace_hours: float = Field(
        default=24.0, strict=True, ge=0, le=24 * 30, description="Hours for which the old key stays valid. Default: 24."
    )
