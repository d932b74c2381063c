"""``/v2/admin/limits``: use of the rate limits by caller, as this process knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.limits.schemas import CallerUse, LimitsAnswer, LimitsUse, WindowUse
from aurum.common.ratelimit import Account, Limiter
from aurum.core.access import MissingScope, Permission, RatePlan
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from aurum.common.ratelimit.shared import Sharing

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ), prefix="/v2/admin/limits", tags=["admin"], dependencies=[Depends(known_only)]
)


@router.get(
    "",
    operation_id="readLimitsUse",
    summary="Use of rate limits",
    responses=problems(Unauthenticated, Forbidden, Unavailable),
)
async def read_use(
    request: Request,
    tenant: Annotated[
        Text | None,
        Query(
            description="Only callers of this tenant. Default: all, or the caller's own without permission for others.",
            examples=["acme"],
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Largest number of callers. Default: 100.", examples=[100])] = 100,
) -> LimitsAnswer:
    """List recent callers with the requests left to them, those with the smallest share left first."""
    caller = caller_of(request)
    if not caller.may(Permission.TENANT_MANAGE):
        if tenant not in (None, caller.tenant):
            raise MissingScope(Permission.TENANT_MANAGE)
        tenant = caller.tenant
    limiter: Limiter[RatePlan] = request.state.limiter
    sharing: Sharing[RatePlan] | None = request.state.sharing
    state = sharing.state() if sharing is not None else None
    callers = [_use(one, limiter.clock()) for one in limiter.accounts() if tenant in (None, one.key[0])]
    callers.sort(key=lambda one: min(window.left / window.limit for window in one.windows))
    return LimitsAnswer(
        data=LimitsUse(
            shared=state is not None and state.connected,
            processes=state.processes if state is not None else round(1 / limiter.share),
            refused=limiter.refused,
            callers=callers[:limit],
        )
    )


def _use(account: Account, now: float) -> CallerUse:
    plan = account.plan.name if isinstance(account.plan, RatePlan) else None
    windows = [
        WindowUse(name=window.name, limit=window.limit, left=max(0, int(left)))
        for window, left in zip(account.bucket.limits, account.remaining(now), strict=True)
    ]
    return CallerUse(tenant=account.key[0], subject=account.key[1], plan=plan, windows=windows)
