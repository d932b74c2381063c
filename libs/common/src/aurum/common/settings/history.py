"""Where closed months go, and when."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HistorySettings(BaseModel):
    """``AURUM_HISTORY__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Literal["duckdb", "trino", "none"] = Field(
        default="duckdb",
        description="where archived months are: Parquet, Iceberg (AURUM_TRINO__*), or nowhere: they cannot be read or changed",
    )
    url: str | None = Field(
        default=None,
        min_length=1,
        description="of duckdb: a folder, or a bucket (s3://...); without one the folder history of the data directory",
    )
    closed_after_days: int = Field(default=400, ge=1, description="so long after its end a month may be archived")
    chunk_rows: int = Field(default=2_000_000, ge=1, description="rows, all versions, that an archive run holds at once")
    pool_size: int = Field(default=2, ge=1, le=64, description="queries of history a process runs at once")
    memory: str = Field(
        default="1GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$", description="that duckdb may use before it spills to disk"
    )
    grace_s: float = Field(
        default=3600, ge=0, description="how long what was replaced is kept for readers under way; longer than any read lasts"
    )
