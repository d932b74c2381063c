"""Settings of the supervision of the servers and processes that ``aurum up`` runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class SupervisionSettings(BaseModel):
    """``AURUM_SUPERVISION__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failures: int = Field(
        default=5, ge=1, description="failures within `within_s` after which a server or process is not started again"
    )
    within_s: float = Field(default=60.0, gt=0, description="time in which failures are counted")
    first_pause_s: float = Field(default=0.5, ge=0, description="pause before the first new start; doubles with each failure")
    longest_pause_s: float = Field(default=10.0, ge=0, description="longest pause before a new start")
    state_file: Path | None = Field(
        default=None, description="file in which `aurum up` tells the API which processes run; `aurum up` sets it"
    )
