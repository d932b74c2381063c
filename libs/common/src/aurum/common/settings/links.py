"""Settings of signed links."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LinksSettings(BaseModel):
    """``AURUM_LINKS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="secret that signs links, the same for all processes of a service; a new one ends all links; default: made"
        " at the first use and stored in the database",
    )
    longest_s: int = Field(
        default=86_400, ge=60, le=86_400, description="longest time for which a link may be valid; a day at most"
    )
    per_tenant: int = Field(default=1_000, ge=1, description="most valid links of one tenant; then 429")
