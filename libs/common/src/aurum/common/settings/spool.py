"""Settings of spooled answers: files from which HEAD and Range are served."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

_MIB = 1 << 20


class SpoolSettings(BaseModel):
    """``AURUM_SPOOL__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path | None = Field(
        default=None,
        description="folder of spooled answers, shared by all API processes of a machine; on several machines a shared one, or"
        " clients stay on one machine; default: spool in AURUM_DATA_DIR",
    )
    keep_s: float = Field(
        default=60.0,
        ge=1,
        le=86_400,
        description="time for which an address and credential get the same bytes, from the moment they were spooled",
    )
    answer_bytes: int = Field(
        default=1024 * _MIB, ge=1, description="longest answer that is spooled for HEAD and Range; then 413"
    )
    tenant_bytes: int = Field(
        default=2048 * _MIB,
        ge=1,
        description="most bytes of spooled answers of one tenant, each counted as at least 64 KiB; then 429",
    )
    most_bytes: int = Field(
        default=8192 * _MIB, ge=1, description="most bytes of spooled answers of all tenants, counted alike; then 503"
    )
