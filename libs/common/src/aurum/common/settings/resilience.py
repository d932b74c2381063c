"""How patient the service is with what it depends on."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ResilienceSettings(BaseModel):
    """``AURUM_RESILIENCE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    breaker_failures: int = Field(default=5, ge=1, description="in a row, until a dependency is left alone")
    breaker_open_s: float = Field(default=2.0, gt=0, description="so long it is left alone, then one call tries it")
    retry_attempts: int = Field(default=3, ge=1, description="of what is safe to repeat, the first included")
    retry_within_s: float = Field(default=5.0, gt=0, description="all attempts together")
    retry_first_wait_s: float = Field(default=0.05, ge=0, description="before the second attempt; doubles each time")
    retry_most_wait_s: float = Field(default=1.0, ge=0)
    retry_jitter_s: float = Field(default=0.05, ge=0, description="at most so much more, by chance: not all at the same time")
    redis_timeout_s: float = Field(default=0.25, gt=0, description="nobody waits long for what is there to save time")
    http_timeout_s: float = Field(default=3.0, gt=0, description="of calls to other services, such as identity providers")

    @model_validator(mode="after")
    def _notices_silence(self) -> Self:
        if self.http_timeout_s >= self.retry_within_s:
            raise ValueError("http_timeout_s must be less than retry_within_s, or a service that is silent is never seen to be")
        return self
