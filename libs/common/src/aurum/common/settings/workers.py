"""Settings of background workers: the address of their metrics."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WorkersSettings(BaseModel):
    """``AURUM_WORKERS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics_host: str = Field(
        default="127.0.0.1", description="address at which a worker serves its metrics, without authentication"
    )
    metrics_port: int = Field(default=9191, ge=0, le=65535, description="port at which a worker serves its metrics; 0: none")
