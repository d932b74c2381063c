"""Settings of the list of changes, and of streams of events, of changes and of jobs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ChangesSettings(BaseModel):
    """``AURUM_CHANGES__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: float = Field(
        default=30.0, gt=0, description="days for which an entry of the list of changes is served; then 410"
    )
    comment_s: float = Field(
        default=15.0,
        gt=0,
        description="time without an event after which a listener gets a comment, so that proxies stay; a listener that reads"
        " nothing for twice this time loses its stream",
    )
    listeners: int = Field(default=1_000, ge=0, description="most open streams of a process, of changes and of jobs; then 503")
    key_listeners: int = Field(default=20, ge=1, description="most open streams of one key or user in a process; then 429")
    queue: int = Field(
        default=256,
        ge=1,
        description="events that wait for a slow listener; after them it is served from the database, at its own pace",
    )
    reads: int = Field(
        default=2, ge=1, description="most listeners of a process that read from the database at once, when they resume"
    )
    stream_s: float = Field(
        default=900.0,
        gt=0,
        description="longest time of a stream; then it ends, and the client connects anew, so that its key is checked again",
    )
    retry_s: float = Field(
        default=2.0, gt=0, description="time after which clients connect again when a stream has ended; each gets up to double"
    )
