"""``/v2/admin/plans``: how often tenants may ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.core.access import RatePlan
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable
from aurum.services.access import put_plan as change_plan

router = APIRouter(prefix="/v2/admin/plans", tags=["admin"], dependencies=[Depends(known_only)])

_MOST = 2_000_000_000
_EXAMPLE = {"per_minute": 300, "per_hour": 5_000, "per_day": 50_000, "burst": 1.5, "at_once": 10}
PlanName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"),
    Path(description="Name of a plan, there or to be.", examples=["basic"]),
]


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


@router.get("", operation_id="listPlans", summary="Plans", responses=problems(Unauthenticated, Forbidden, Unavailable))
async def list_plans(request: Request) -> PlanList:
    """Plans by name."""
    return PlanList(data=[PlanDocument(**asdict(plan)) for plan in await services(request).store.access.tenants.plans()])


@router.put(
    "/{name}",
    operation_id="putPlan",
    summary="Make or change a plan",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def put_plan(request: Request, name: PlanName, limits: Limits) -> PlanAnswer:
    """Make a plan, or change it for all its tenants: it holds in every process within a second."""
    plan = RatePlan(name=name, **limits.model_dump())
    await change_plan(services(request).store.transactions, plan, by=actor_of(request))
    return PlanAnswer(data=PlanDocument(**asdict(plan)))
