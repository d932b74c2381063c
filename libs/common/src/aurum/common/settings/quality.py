"""Settings of data quality: retention of validation results."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QualitySettings(BaseModel):
    """``AURUM_QUALITY__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: int = Field(default=90, ge=1, description="days for which validation results are stored")
    keep_each: int = Field(
        default=500,
        ge=1,
        description="stored results of each suite: this many of the newest successes, and this many of the newest failures",
    )
