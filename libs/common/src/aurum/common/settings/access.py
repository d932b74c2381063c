"""Settings of authentication."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Algorithm = Literal["RS256", "ES256"]


class AccessSettings(BaseModel):
    """``AURUM_ACCESS__*``. With ``open`` every client may do everything, so the service must listen on loopback only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["open", "required"] = Field(
        default="open", description="open: no credentials, on loopback only; required: every caller needs an API key or a token"
    )
    issuer: str | None = Field(default=None, description="issuer (iss) of accepted JWTs; without it only API keys are accepted")
    audience: str | None = Field(default=None, description="audience (aud) that JWTs must have; required with an issuer")
    jwks_url: str | None = Field(default=None, description="URL of the issuer's keys; by default from its OIDC discovery")
    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256", "ES256"), description="accepted algorithms of signatures of JWTs"
    )
    roles_claim: str = Field(
        default="roles", description="dotted path of the claim that lists the roles; role names are compared exactly"
    )
    tenant_claim: str = Field(default="tenant", description="dotted path of the claim with the tenant")
    leeway_s: float = Field(
        default=60.0,
        ge=0,
        le=300,
        description="difference between the clocks of the issuer and of this service that is allowed",
    )
    jwks_ttl_s: float = Field(default=300.0, gt=0, description="time after which the issuer's keys are fetched again")
    jwks_pause_s: float = Field(
        default=10.0,
        gt=0,
        description="shortest time between two fetches of the keys, also after bad tokens and while the issuer does not answer",
    )
    remembered_s: float = Field(
        default=60.0, gt=0, le=600, description="how long the result of a look-up of a credential is reused"
    )

    @model_validator(mode="after")
    def _audience_with_issuer(self) -> AccessSettings:
        if self.issuer is not None and self.audience is None:
            raise ValueError(
                "AURUM_ACCESS__AUDIENCE is needed with an issuer: otherwise tokens issued for other services would be accepted"
            )
        return self
