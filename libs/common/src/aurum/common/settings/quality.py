"""How long is kept what checks of files and marts found."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QualitySettings(BaseModel):
    """``AURUM_QUALITY__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: int = Field(default=90, ge=1, description="days for which validations are kept")
    keep_each: int = Field(
        default=500, ge=1, description="validations kept of each suite: the newest that succeeded, and as many that did not"
    )
