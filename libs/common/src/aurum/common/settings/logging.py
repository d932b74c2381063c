"""Settings of logging: level and format."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LoggingSettings(BaseModel):
    """``AURUM_LOGGING__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="lowest level that is logged")
    format: Literal["console", "json"] = Field(default="console", description="console for people, json for machines")
