"""Rate limits: of each credential by the plan of its tenant, and of all requests together by a global limit."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import VITAL, refuse
from aurum.common.ratelimit import Account, Limiter, Limits, plan_limits, retry_after
from aurum.core.access import Caller, RatePlan
from aurum.core.errors import RateLimited

_KIND = KINDS[RateLimited]


def limits_of(plan: RatePlan) -> Limits:
    """Return the windows of a plan."""
    return plan_limits(per_minute=plan.per_minute, per_hour=plan.per_hour, per_day=plan.per_day, burst=plan.burst)


class GlobalRateLimit:
    """Pure ASGI; stands above ``Access``, so that requests without a credential count as well. Applies the global limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            limiter: Limiter[RatePlan] = scope["state"]["limiter"]
            total = limiter.global_account
            if total is not None and scope["path"] not in VITAL:
                now = limiter.clock()
                if not total.take(now):
                    limiter.refused += 1
                    await _refuse(total, now, "all callers together may send", scope, send)
                    return
        await self._app(scope, receive, send)


def account_of(caller: Caller, limiter: Limiter[RatePlan], now: float) -> Account | None:
    """Return the account that a caller's requests count against; None: the caller has no plan, so no limit."""
    plan = caller.plan
    return limiter.account((caller.tenant, caller.subject), plan, now) if plan is not None else None


class RateLimit:
    """Pure ASGI; stands below ``Access``, which identifies the caller. Its limiter is ``state["limiter"]``.

    Every response to a caller with a plan tells what is left of it. A request that is refused here does not count against
    the global limit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        limiter: Limiter[RatePlan] = scope["state"]["limiter"]
        now = limiter.clock()
        plan, account = state.caller.plan, account_of(state.caller, limiter, now)
        if plan is not None and account is not None:
            if not account.take(now):
                if limiter.global_account is not None and scope["path"] not in VITAL:
                    limiter.global_account.give_back()
                limiter.refused += 1
                state.is_counted = False
                await _refuse(account, now, f"plan {plan.name} allows", scope, send)
                return
            state.headers += account.headers()
        await self._app(scope, receive, send)


async def _refuse(account: Account, now: float, who_may: str, scope: Scope, send: Send) -> None:
    window, wait, headers = account.refusal(now)
    await refuse(
        scope,
        send,
        _KIND,
        f"rate limit reached: {who_may} {window.limit} requests a {window.name}",
        headers=(*headers, retry_after(wait)),
        retry_after=round(wait, 3),
        # The member that draft-ietf-httpapi-ratelimit-headers gives its problem type.
        **{"violated-policies": [window.name]},
    )
