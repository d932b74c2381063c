"""Settings of what tenants store of their own: series, products and reference documents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PrivateSettings(BaseModel):
    """``AURUM_PRIVATE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: int = Field(default=1_000, ge=1, description="most private series of one tenant; then 409")
    points: int = Field(default=200_000, ge=1, description="most points in one request or file for a private series; then 422")
    body_bytes: int = Field(
        default=16 << 20,
        ge=1,
        description="longest body with points of a private series, in place of AURUM_LIMITS__BODY_BYTES, and longest such file;"
        " then 413",
    )
    products: int = Field(default=1_000, ge=1, description="most own products of one tenant; then 409")
    documents: int = Field(
        default=200, ge=1, description="most own calendars, families of seasons and shapes of one tenant together; then 409"
    )
