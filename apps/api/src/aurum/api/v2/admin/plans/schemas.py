"""Documents of rate plans."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

_MOST = 2_000_000_000


_EXAMPLE = {"per_minute": 300, "per_hour": 5_000, "per_day": 50_000, "burst": 1.5, "at_once": 10, "listeners": 20}


class Limits(BaseModel):
    """The limits of a rate plan. Each caller of a tenant has them, except `at_once` and `listeners`, which count for the whole
    tenant."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    per_minute: int = Field(strict=True, ge=1, le=_MOST, description="Requests per minute.")
    per_hour: int = Field(strict=True, ge=1, le=_MOST, description="Requests per hour.")
    per_day: int = Field(strict=True, ge=1, le=_MOST, description="Requests per day.")
    burst: float = Field(strict=True, ge=1, le=1000, description="Largest burst of requests, as a multiple of `per_minute`.")
    at_once: int = Field(
        strict=True, ge=1, le=10_000, description="Largest number of requests of the tenant in progress at the same time."
    )
    listeners: int = Field(
        default=20,
        strict=True,
        ge=1,
        le=10_000,
        description="Largest number of streams of events that the tenant has open at the same time, in each process.",
    )


class PlanDocument(Limits):
    """A rate plan."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "basic", **_EXAMPLE}]})

    name: str


class PlanList(BaseModel):
    data: list[PlanDocument]


class PlanAnswer(BaseModel):
    data: PlanDocument
