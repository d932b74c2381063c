"""Settings of the caches: how long answers are fresh, and how many are stored where."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Policy = Literal["tiny_lfu", "lru", "lfu"]


class FreshSettings(BaseModel):
    """Seconds for which an answer is fresh, by class of data. Answers whose data changes sooner are invalidated at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    live: float = Field(default=60, ge=0, description="observations of steps shorter than an hour that reach into today")
    day: float = Field(default=300, ge=0, description="other observations that reach into today")
    history: float = Field(default=3600, ge=0, description="observations of past days, and all answers as of a past instant")
    reference: float = Field(default=7200, ge=0, description="lists of sources, units, calendars and blocks")
    negative: float = Field(default=60, ge=0, description="answers that something does not exist")
    golden: float = Field(default=14_400, ge=0, description="golden queries (AURUM_CACHE__GOLDEN)")


class CacheSettings(BaseModel):
    """``AURUM_CACHE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="cache answers")
    policy: Policy = Field(default="tiny_lfu", description="which answer is evicted when the cache of the process is full")
    most_entries: int = Field(default=50_000, ge=1, description="most answers cached in the process")
    most_bytes: int = Field(default=64 << 20, ge=1024, description="most bytes of answers cached in the process")
    most_entry_bytes: int = Field(default=4 << 20, ge=1024, description="longer answers are not cached")
    fresh_s: FreshSettings = Field(default_factory=FreshSettings)
    stale_s: float = Field(
        default=600,
        ge=0,
        description="how long after its fresh time an answer may be served, while a new one is made or when none can be made",
    )
    stale_if_error_s: float = Field(
        default=86_400,
        ge=0,
        description="how long after its fresh time an answer may be served while the store does not answer",
    )
    shared: bool = Field(default=True, description="cache results that took long in Redis, for all processes")
    durable: bool = Field(default=True, description="cache results that took very long in the database, across restarts")
    shared_from_s: float = Field(default=0.02, ge=0, description="results that took longer to make are cached in Redis")
    durable_from_s: float = Field(default=0.5, ge=0, description="results that took longer to make are cached in the database")
    golden: tuple[str, ...] = Field(
        default=("/v2/catalog/sources", "/v2/catalog/datasets", "/v2/catalog/dimensions", "/v2/catalog/blocks"),
        description="paths, with their queries, whose answers are made at the start and renewed before they expire",
    )
    warm_every_s: float = Field(default=3600, gt=0, description="time between two renewals of the golden queries")
