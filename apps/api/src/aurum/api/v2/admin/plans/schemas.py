"""Shapes of rate plans."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

_MOST = 2_000_000_000


_EXAMPLE = {"per_minute": 300, "per_hour": 5_000, "per_day": 50_000, "burst": 1.5, "at_once": 10}


class Limits(BaseModel):
    """What a plan allows each of a tenant's callers."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    per_minute: int = Field(strict=True, ge=1, le=_MOST)
    per_hour: int = Field(strict=True, ge=1, le=_MOST)
    per_day: int = Field(strict=True, ge=1, le=_MOST)
    burst: float = Field(strict=True, ge=1, le=1000, description="Times a minute's share may come at once.")
    at_once: int = Field(strict=True, ge=1, le=10_000, description="Requests of a tenant under way together.")


class PlanDocument(Limits):
    """A plan."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "basic", **_EXAMPLE}]})

    name: str


class PlanList(BaseModel):
    data: list[PlanDocument]


class PlanAnswer(BaseModel):
    data: PlanDocument
