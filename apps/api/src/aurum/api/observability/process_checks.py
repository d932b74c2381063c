"""Health checks of the process itself, and of the worker beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from aurum.api.handlers.health_checks import Finding, HealthCheck
from aurum.api.middleware.admission import AdmissionQueue
from aurum.common.ratelimit import Limiter
from aurum.common.resilience.guards import Guards
from aurum.common.settings import SupervisionSettings
from aurum.core.access import RatePlan

if TYPE_CHECKING:
    from aurum.api.security.tokens import TokenVerifier
    from aurum.common.ratelimit.shared import Sharing


def admission_check(gate: AdmissionQueue) -> HealthCheck:
    """Return the check that requests are admitted."""

    async def look() -> Finding:
        state = gate.state()
        detail = f"{state.places.in_use} of {state.places.places} requests in progress, {state.places.waiting} waiting, "
        detail += f"{state.refused} refused since the start"
        return Finding("shedding" if state.shedding.refusing else "ok", detail)

    return HealthCheck("door", look, needed=False)


def limits_check(limiter: Limiter[RatePlan], sharing: Sharing[RatePlan] | None) -> HealthCheck:
    """Return the check that rate limits are shared with other processes."""

    async def look() -> Finding:
        accounts = limiter.state().accounts
        if sharing is None:
            return Finding("ok", f"{accounts} callers; their requests are counted in this process only")
        state = sharing.state()
        if state.connected or not state.failures:
            return Finding("ok", f"{accounts} callers; their requests are counted together by {state.processes} processes")
        return Finding("alone", f"{accounts} callers; Redis does not answer, so each process applies its share of the limits")

    return HealthCheck("limits", look, needed=False)


def guards_check(guards: Guards) -> HealthCheck:
    """Return the check that no circuit breaker is open, with counts of retries and timeouts."""

    async def look() -> Finding:
        circuits = [one.state() for one in guards.circuits]
        said = [f"{one.name}: {one.circuit}" for one in circuits]
        said += [f"{one.name}: {one.attempts - one.calls} retries" for one in (each.state() for each in guards.retries)]
        said += [f"{one.name}: {one.expired} timeouts" for one in (each.state() for each in guards.timeouts)]
        said += [f"{one.name}: {one.in_use} of {one.places} in use" for one in (each.state() for each in guards.bulkheads)]
        return Finding("ok" if all(one.circuit == "closed" for one in circuits) else "open", ", ".join(said))

    return HealthCheck("breakers", look, needed=False)


def issuer_check(verifier: TokenVerifier) -> HealthCheck:
    """Return the check that the keys of the identity provider are known."""

    async def look() -> Finding:
        known = await verifier.look()
        return Finding("ok", f"{known} keys known") if known else Finding("unavailable", "its keys cannot be fetched")

    return HealthCheck("identity provider", look, needed=False)


def worker_checks(settings: SupervisionSettings) -> list[HealthCheck]:
    """Return the check that the worker runs, as ``aurum up`` writes it into a file; none where it did not start the API."""
    state_file = settings.state_file
    if state_file is None:
        return []

    async def look() -> Finding:
        try:
            state = orjson.loads(await asyncio.to_thread(state_file.read_bytes))
        except (OSError, orjson.JSONDecodeError) as error:
            return Finding("unknown", f"the state of the worker cannot be read ({type(error).__name__})")
        match state.get("worker", "not started"):
            case "running":
                return Finding("ok", "runs")
            case "not started":
                return Finding("ok", "none was started")
            case "restarting":
                return Finding("restarting", "the worker has ended and is started again")
            case why:
                return Finding("down", f"the worker {why}, too often to be started again: queued jobs wait; see its log")

    return [HealthCheck("worker", look, needed=False)]
