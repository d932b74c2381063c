"""Documents of ``/v2/admin/cache``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Tag = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00,]*$")]
"""A cache tag. It has no comma, because processes exchange tags separated by commas."""


class Keyspace(BaseModel):
    """Look-ups of one keyspace in one tier since this process started."""

    tier: str = Field(description="`local` for the memory of this process; others are shared.", examples=["local"])
    keyspace: str = Field(description="Route or kind of result.", examples=["/v2/series/{key}/observations"])
    hits: int
    stale: int = Field(description="Number of responses sent although they were out of date.")
    misses: int
    hit_ratio: float | None = Field(description="Hits as a share of all look-ups, 0 to 1; null before the first look-up.")


class CacheState(BaseModel):
    """The response cache of this process."""

    enabled: bool
    policy: str = Field(description="How entries are chosen when the cache is full.", examples=["tiny_lfu"])
    entries: int
    bytes: int
    most_entries: int = Field(description="Limit of `entries`.")
    most_bytes: int = Field(description="Limit of `bytes`.")
    keyspaces: list[Keyspace]


class CacheAnswer(BaseModel):
    data: CacheState


class ForgetRequest(BaseModel):
    """The tags whose cached responses are removed, in every process."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tags": ["source:nyiso"]}]})

    tags: list[Tag] = Field(
        min_length=1,
        max_length=1000,
        description="Tags: `source:<source>`, `iso:<market>`, `series:<id>`, `catalog`, `files`, `models` or `any series`.",
        examples=[["source:nyiso"]],
    )


class Forgotten(BaseModel):
    """The result of an invalidation, which every process receives."""

    entries: int = Field(description="Number of entries removed from this process and the shared tiers.")


class ForgottenAnswer(BaseModel):
    data: Forgotten


class Warmed(BaseModel):
    """The golden queries that this process executed."""

    queries: list[str] = Field(description="All golden queries.")
    answered: int = Field(description="Number of queries with status 200.")


class WarmedAnswer(BaseModel):
    data: Warmed
