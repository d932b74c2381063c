"""Shapes of ``/v2/admin/cache``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Tag = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00,]*$")]
"""No comma: tags travel to other processes with commas between."""


class Keyspace(BaseModel):
    """How look-ups of one kind of answer went in one tier since this process started."""

    tier: str = Field(examples=["local"])
    keyspace: str = Field(examples=["/v2/series/{key}/observations"])
    hits: int
    stale: int = Field(description="Given although out of date.")
    misses: int
    hit_ratio: float | None = Field(description="Of all look-ups; null before the first.")


class CacheState(BaseModel):
    """What this process keeps."""

    enabled: bool
    policy: str = Field(examples=["tiny_lfu"])
    entries: int
    bytes: int
    most_entries: int
    most_bytes: int
    keyspaces: list[Keyspace]


class CacheAnswer(BaseModel):
    data: CacheState


class Forget(BaseModel):
    """What to forget, in every process."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tags": ["source:nyiso"]}]})

    tags: list[Tag] = Field(
        min_length=1,
        max_length=1000,
        description="`source:<source>`, `iso:<market>`, `series:<id>`, `catalog`, `files`, `any series`.",
        examples=[["source:nyiso"]],
    )


class Forgotten(BaseModel):
    """Told to every process; `entries`: how many this process and the shared tiers held."""

    entries: int


class ForgottenAnswer(BaseModel):
    data: Forgotten


class Warmed(BaseModel):
    """Golden queries that were worked out anew by this process."""

    queries: list[str]
    answered: int


class WarmedAnswer(BaseModel):
    data: Warmed
