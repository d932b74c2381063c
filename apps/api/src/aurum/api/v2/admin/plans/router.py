"""``/v2/admin/plans``: rate plans of tenants."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Path
from pydantic import StringConstraints
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.plans.schemas import Limits, PlanAnswer, PlanDocument, PlanList
from aurum.core.access import Permission, RatePlan
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable
from aurum.services.access import put_plan as change_plan

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    # A plan is of all tenants that have it.
    writes=Policy(Permission.TENANT_MANAGE),
    prefix="/v2/admin/plans",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

PlanName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"),
    Path(description="Name of the plan: lower-case letters, digits and hyphens.", examples=["basic"]),
]


@router.get(
    "", operation_id="listPlans", summary="List rate plans", responses=problems(Unauthenticated, Forbidden, Unavailable)
)
async def list_plans(request: Request) -> PlanList:
    """List all rate plans, ascending by name."""
    return PlanList(data=[PlanDocument(**asdict(plan)) for plan in await services(request).store.access.tenants.plans()])


@router.put(
    "/{name}",
    operation_id="putPlan",
    summary="Create or change a rate plan",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def put_plan(request: Request, name: PlanName, limits: Limits) -> PlanAnswer:
    """Create a rate plan, or change it for all its tenants. Every process applies it within a second."""
    plan = RatePlan(name=name, **limits.model_dump())
    await change_plan(services(request).store.transactions, plan, by=actor_of(request))
    return PlanAnswer(data=PlanDocument(**asdict(plan)))
