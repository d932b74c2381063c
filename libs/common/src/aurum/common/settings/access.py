"""Who is let in."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Algorithm = Literal["RS256", "ES256"]


class AccessSettings(BaseModel):
    """``AURUM_ACCESS__*``. ``open``: whoever reaches the service may do everything, so it must listen on loopback only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["open", "required"] = "open"
    issuer: str | None = Field(default=None, description="of JWTs, as their iss says; without it only API keys are taken")
    audience: str | None = Field(default=None, description="that JWTs must be made out to")
    jwks_url: str | None = Field(default=None, description="keys of the issuer; else found through its OIDC discovery")
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    roles_claim: str = Field(default="roles", description="dotted path of the claim that lists roles, by their exact names")
    tenant_claim: str = Field(default="tenant", description="dotted path of the claim that names the tenant")
    leeway_s: float = Field(default=60.0, ge=0, le=300)
    jwks_ttl_s: float = Field(default=300.0, gt=0)
    jwks_pause_s: float = Field(
        default=10.0, gt=0, description="between two fetches: neither nonsense nor an issuer that is away makes us hammer it"
    )
    remembered_s: float = Field(default=60.0, gt=0, le=600, description="how long a credential is not looked up again")

    @model_validator(mode="after")
    def _audience_with_issuer(self) -> AccessSettings:
        if self.issuer is not None and self.audience is None:
            raise ValueError("AURUM_ACCESS__AUDIENCE is needed with an issuer: else tokens made for others would be taken")
        return self
