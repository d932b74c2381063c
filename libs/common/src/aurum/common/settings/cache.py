"""How long answers are kept, where, and how many."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Policy = Literal["tiny_lfu", "lru", "lfu"]


class FreshSettings(BaseModel):
    """Seconds an answer of each class of data is fresh. What changes sooner is forgotten sooner, whatever stands here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    live: float = Field(default=60, ge=0, description="steps shorter than an hour that reach into today")
    day: float = Field(default=300, ge=0, description="other observations that reach into today")
    history: float = Field(default=3600, ge=0, description="observations of closed days, and everything as of a past instant")
    reference: float = Field(default=7200, ge=0, description="what sources, units, calendars and blocks there are")
    negative: float = Field(default=60, ge=0, description="that something does not exist")
    golden: float = Field(default=14_400, ge=0, description="golden queries")


class CacheSettings(BaseModel):
    """``AURUM_CACHE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    policy: Policy = Field(default="tiny_lfu", description="which answer goes when the process's share is full")
    most_entries: int = Field(default=50_000, ge=1)
    most_bytes: int = Field(default=64 << 20, ge=1024, description="of answers held in the process")
    most_entry_bytes: int = Field(default=4 << 20, ge=1024, description="a longer answer is not kept")
    fresh_s: FreshSettings = Field(default_factory=FreshSettings)
    stale_s: float = Field(
        default=600, ge=0, description="so much longer an answer may be given while a new one is made, or when none can be made"
    )
    stale_if_error_s: float = Field(default=86_400, ge=0, description="the same, while the store does not answer")
    shared: bool = Field(default=True, description="keep what took long in Redis, for all processes")
    durable: bool = Field(default=True, description="keep what took very long in the database, for after a restart")
    shared_from_s: float = Field(default=0.02, ge=0, description="what took longer to work out goes to Redis")
    durable_from_s: float = Field(default=0.5, ge=0, description="what took longer to work out goes to the database")
    golden: tuple[str, ...] = Field(
        default=("/v2/catalog/sources", "/v2/catalog/datasets", "/v2/catalog/dimensions", "/v2/catalog/blocks"),
        description="paths with queries that are worked out at the start and again before they are too old",
    )
    warm_every_s: float = Field(default=3600, gt=0)
