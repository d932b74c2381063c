"""``/v2/me``: the caller, what is left of its limits, and its usage."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.api.middleware.admission import AdmissionQueue
from aurum.api.middleware.ratelimit import account_of
from aurum.api.routing.policy import Credential, Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.me.schemas import Me, MeAnswer, MeMeta, MyDay, MyLimits, MyPlan, PlacesLeft, WindowLeft
from aurum.common.ratelimit import Account, Limiter
from aurum.core.access import Caller, RatePlan
from aurum.core.errors import Unauthenticated
from aurum.services.usage import UsageCounter

router = FeatureRouter(reads=Policy(Credential.ANY), prefix="/v2/me", tags=["me"], dependencies=[Depends(known_only)])


@router.get("", operation_id="readMe", summary="The caller", responses=problems(Unauthenticated))
async def read_me(
    request: Request,
    response: Response,
    days: Annotated[
        int, Query(ge=1, le=366, description="Number of days of usage, today included. Default: 30.", examples=[7])
    ] = 30,
) -> MeAnswer:
    """Return who the credential of this request belongs to, what it permits, what is left of each limit, and its usage.

    Every valid credential suffices. Usage counts requests that no limit has refused. Each process writes its counts about every
    minute, so those that other processes have not written yet are missing, and this request itself.
    """
    caller, usage = caller_of(request), _usage_counter(request)
    recent = await usage.recent(caller, days=days)
    response.headers["Cache-Control"] = "no-store"
    return MeAnswer(
        data=Me(
            tenant=caller.tenant,
            subject=caller.subject,
            name=caller.name or None,
            person=caller.person,
            roles=[*caller.roles],
            scopes=sorted(caller.scopes),
            plan=MyPlan(**asdict(caller.plan)) if caller.plan is not None else None,
            limits=_limits(request, caller),
            usage=[MyDay(day=one.day, requests=one.requests, points=one.points, bytes=one.bytes) for one in recent],
        ),
        meta=MeMeta(days=days, first=recent[0].day, last=recent[-1].day),
    )


def _limits(request: Request, caller: Caller) -> MyLimits:
    limiter: Limiter[RatePlan] = request.state.limiter
    gate: AdmissionQueue = request.state.gate
    service = services(request)
    is_shared = request.state.sharing is not None
    now = limiter.clock()
    account, tenant = account_of(caller, limiter, now), gate.tenant_of(caller)
    limit, left = service.hub.places.left(caller)
    return MyLimits(
        windows=_windows(account, now, 1.0 if is_shared else account.bucket.share) if account is not None else [],
        at_once=PlacesLeft(limit=tenant.places, left=max(0, tenant.places - tenant.in_use)) if tenant is not None else None,
        listeners=PlacesLeft(limit=limit, left=left),
        points=service.reading.most_points,
    )


def _windows(account: Account, now: float, share: float) -> list[WindowLeft]:
    """Return the windows of an account. ``share``: the part of the limits that is left and refilled here."""
    return [
        WindowLeft(
            name=window.name,
            limit=window.limit,
            burst=int(window.capacity),
            left=int(min(max(0.0, left), window.capacity)),
            full_in_s=round(max(0.0, window.capacity * share - left) / (window.rate * share), 3),
        )
        for window, left in zip(account.bucket.limits, account.remaining(now), strict=True)
    ]


def _usage_counter(request: Request) -> UsageCounter:
    return request.state.usage
