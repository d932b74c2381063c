"""Settings of the calls to dependencies: circuit breakers, retries, timeouts."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ResilienceSettings(BaseModel):
    """``AURUM_RESILIENCE__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    breaker_failures: int = Field(
        default=5, ge=1, description="failures in a row after which a dependency is not called for a while"
    )
    breaker_open_s: float = Field(default=2.0, gt=0, description="how long it is not called; then a single call tries it")
    retry_attempts: int = Field(default=3, ge=1, description="attempts of a call that is safe to repeat, the first included")
    retry_within_s: float = Field(default=5.0, gt=0, description="longest time for all attempts together")
    retry_first_wait_s: float = Field(default=0.05, ge=0, description="wait before the second attempt; doubles each time")
    retry_most_wait_s: float = Field(default=1.0, ge=0, description="longest wait between two attempts")
    retry_jitter_s: float = Field(
        default=0.05, ge=0, description="most random time added to a wait, so that processes do not retry at the same moment"
    )
    redis_timeout_s: float = Field(
        default=0.25,
        gt=0,
        description="timeout of calls to Redis; short, because a slow Redis must not delay a request more than it saves",
    )
    http_timeout_s: float = Field(
        default=3.0, gt=0, description="timeout of calls to other services, such as identity providers"
    )

    @model_validator(mode="after")
    def _notices_silence(self) -> Self:
        if self.http_timeout_s >= self.retry_within_s:
            raise ValueError(
                "http_timeout_s must be less than retry_within_s: otherwise the time for all attempts ends before a service"
                " that does not answer counts as failed"
            )
        return self
