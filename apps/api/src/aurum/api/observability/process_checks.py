"""How this process itself is doing, looked at as its dependencies are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurum.api.handlers.health_checks import Finding, HealthCheck
from aurum.api.middleware.admission import AdmissionQueue
from aurum.common.ratelimit import Limiter
from aurum.common.resilience.guards import Guards
from aurum.core.access import RatePlan

if TYPE_CHECKING:
    from aurum.api.security.tokens import TokenVerifier
    from aurum.common.ratelimit.shared import Sharing


def door_check(gate: AdmissionQueue) -> HealthCheck:
    """Requests find a place."""

    async def look() -> Finding:
        state = gate.state()
        detail = f"{state.places.taken} of {state.places.places} places taken, {state.places.waiting} waiting, "
        detail += f"{state.refused} refused since the start"
        return Finding("shedding" if state.shedding.refusing else "ok", detail)

    return HealthCheck("door", look, needed=False)


def limits_check(limiter: Limiter[RatePlan], sharing: Sharing[RatePlan] | None) -> HealthCheck:
    """Rate limits are kept together with other processes, where there are others."""

    async def look() -> Finding:
        accounts = limiter.state().accounts
        if sharing is None:
            return Finding("ok", f"{accounts} callers, counted in this process")
        state = sharing.state()
        if state.connected or not state.failures:
            return Finding("ok", f"{accounts} callers, counted together; processes: {state.processes}")
        return Finding("alone", f"{accounts} callers, each process by itself: a share of the limits each")

    return HealthCheck("limits", look, needed=False)


def guards_check(guards: Guards) -> HealthCheck:
    """No dependency is left alone because it failed. Tells, too, of what had to be tried again, and of what took too long."""

    async def look() -> Finding:
        circuits = [one.state() for one in guards.circuits]
        said = [f"{one.name}: {one.circuit}" for one in circuits]
        said += [f"{one.name}: {one.attempts - one.calls} tried again" for one in (each.state() for each in guards.retries)]
        said += [f"{one.name}: {one.expired} out of time" for one in (each.state() for each in guards.timeouts)]
        said += [f"{one.name}: {one.taken} of {one.places} places taken" for one in (each.state() for each in guards.bulkheads)]
        return Finding("ok" if all(one.circuit == "closed" for one in circuits) else "open", ", ".join(said))

    return HealthCheck("breakers", look, needed=False)


def issuer_check(verifier: TokenVerifier) -> HealthCheck:
    """The identity provider's keys are known."""

    async def look() -> Finding:
        known = await verifier.look()
        return Finding("ok", f"{known} keys known") if known else Finding("unavailable", "its keys cannot be had")

    return HealthCheck("identity provider", look, needed=False)
