"""How a background worker tells of itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WorkersSettings(BaseModel):
    """``AURUM_WORKERS__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics_host: str = Field(
        default="127.0.0.1", description="where a worker's metrics are asked for; nobody is asked for a key"
    )
    metrics_port: int = Field(default=9191, ge=0, le=65535, description="0: nowhere")
