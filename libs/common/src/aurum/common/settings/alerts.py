"""Settings of alerts on datasets, and of webhooks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AlertsSettings(BaseModel):
    """``AURUM_ALERTS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_minutes: float = Field(
        default=120.0,
        ge=0,
        description="minutes after the usual publication time before data count as late, and a day with gaps as incomplete",
    )


class WebhooksSettings(BaseModel):
    """``AURUM_WEBHOOKS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: tuple[str, ...] = Field(
        default=(),
        description="host names, addresses and networks that webhooks may reach although they are not public, as a JSON list",
    )
    answer_within_s: float = Field(default=15.0, gt=0, le=45, description="longest time for one request to a receiver")
    per_tenant: int = Field(default=50, ge=1, description="most webhooks of one tenant; then 409")
    log_days: int = Field(default=30, ge=1, description="days for which the log of deliveries is stored")
