"""Settings of Redis, which holds the job queue, shared limits and a cache tier."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class RedisSettings(BaseModel):
    """``AURUM_REDIS__*``. Without a URL the embedded Valkey of the data directory is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(default=None, description="redis://host:port/0, rediss:// or unix:///path")

    @field_validator("url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("needs redis://host:port/0, rediss://... or unix:///path")
        return url
