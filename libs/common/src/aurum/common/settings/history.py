"""Settings of history: where months are archived, and when."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HistorySettings(BaseModel):
    """``AURUM_HISTORY__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Literal["duckdb", "trino", "none"] = Field(
        default="duckdb",
        description="store of archived months: duckdb (Parquet), trino (Iceberg, AURUM_TRINO__*), or none: they cannot be read",
    )
    url: str | None = Field(
        default=None,
        min_length=1,
        description="for duckdb: a folder or a bucket (s3://...); default: the folder history of the data directory",
    )
    closed_after_days: int = Field(default=400, ge=1, description="days after its end from which on a month may be archived")
    chunk_rows: int = Field(default=2_000_000, ge=1, description="rows, with all versions, that an archive run holds in memory")
    pool_size: int = Field(default=2, ge=1, le=64, description="most queries of history of a process at once")
    memory: str = Field(
        default="1GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$", description="memory that duckdb may use before it spills to disk"
    )
    grace_s: float = Field(
        default=3600, ge=0, description="how long replaced files stay for readers under way; must exceed the longest read"
    )
