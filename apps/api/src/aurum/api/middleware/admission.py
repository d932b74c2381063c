"""Admission: how many requests are worked on at once, in all and for each tenant, with a short queue and load shedding.

Stands below the response cache: cached responses cost next to nothing and are always sent. It also sets the deadline by
which a response must begin.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.problems import KINDS
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.refusal import VITAL, refuse
from aurum.common.ratelimit import retry_after
from aurum.common.resilience.bulkhead import Bulkhead, BulkheadState
from aurum.common.resilience.errors import DeadlinePassed, Refused, Shed
from aurum.common.resilience.shedding import Shedding, SheddingState
from aurum.common.resilience.timeout import reset_deadline, set_deadline
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import Unavailable

_KIND = KINDS[Unavailable]
_NEVER = float("inf")
_SWEEP_FROM = 1_000
"""Number of tenants remembered; above it, tenants without requests under way are forgotten."""


@dataclass(frozen=True, slots=True)
class GateState:
    """``tenants``: with requests under way or waiting. ``refused``, ``expired``: requests since the start."""

    places: BulkheadState
    shedding: SheddingState
    tenants: int
    refused: int
    expired: int


class AdmissionQueue:
    """The requests that one process works on at once. ``clock``: seconds, ``time.monotonic`` in a running service."""

    def __init__(self, settings: LimitsSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.clock = clock
        self.refused = 0
        self.expired = 0
        first = min(settings.slow_start or settings.at_once, settings.at_once)
        self.places = Bulkhead("requests", places=first, queue=settings.queue, longest_wait_s=settings.longest_wait_s)
        self.shedding = Shedding(
            "the service",
            most_wait_s=settings.shed_wait_s,
            most_p95_s=settings.shed_p95_s,
            window_s=settings.shed_window_s,
            clock=clock,
        )
        self._tenants: dict[str, Bulkhead] = {}
        self._grows_at = clock() + settings.slow_start_every_s if first < settings.at_once else _NEVER

    def state(self) -> GateState:
        busy = sum(1 for tenant in self._tenants.values() if tenant.in_use or tenant.waiting)
        return GateState(self.places.state(), self.shedding.state(), busy, self.refused, self.expired)

    def tenant_of(self, caller: Caller) -> Bulkhead | None:
        """Return the limit of a caller's tenant; None for a caller without a plan."""
        plan = caller.plan
        if plan is None and caller.subject == LOCAL.subject:
            return None
        most = plan.at_once if plan is not None else self.settings.tenant_at_once
        bulkhead = self._tenants.get(caller.tenant)
        if bulkhead is None:
            settings = self.settings
            name = f"requests of {caller.tenant}"
            bulkhead = Bulkhead(name, places=most, queue=settings.queue, longest_wait_s=settings.longest_wait_s)
            if len(self._tenants) >= _SWEEP_FROM:
                self._tenants = {name: one for name, one in self._tenants.items() if one.in_use or one.waiting}
            self._tenants[caller.tenant] = bulkhead
        elif bulkhead.places != most:
            bulkhead.resize(most)
        return bulkhead

    def sheds(self, now: float) -> bool:
        """Return whether a new request is refused because requests are slow; also raises the limit of a new process."""
        if now >= self._grows_at:
            self._grow(now)
        places = self.places
        return self.shedding.refuses(now, busy=2 * places.in_use >= places.places)

    def try_enter(self, tenant: Bulkhead | None) -> bool:
        """Admit a request at once, if the limits of its tenant and of the process allow it."""
        if tenant is not None and not tenant.try_enter():
            return False
        if self.places.try_enter():
            return True
        if tenant is not None:
            tenant.leave()
        return False

    async def enter(self, tenant: Bulkhead | None) -> None:
        """Admit a request as soon as the limits allow it. Raises ``QueueFull``, ``WaitedTooLong``."""
        left = self.settings.longest_wait_s
        if tenant is not None and not tenant.try_enter():
            left -= await tenant.wait_for_place()
        began = self.clock()
        try:
            if not self.places.try_enter():
                await self.places.wait_for_place(at_most_s=left)
        except BaseException:
            if tenant is not None:
                tenant.leave()
            raise
        finally:
            self.shedding.record_wait(self.clock() - began)

    def leave(self, tenant: Bulkhead | None) -> None:
        """Release a request that has ended."""
        self.places.leave()
        if tenant is not None:
            tenant.leave()

    def _grow(self, now: float) -> None:
        more = 1 + int((now - self._grows_at) / self.settings.slow_start_every_s)
        places = min(self.places.places + more, self.settings.at_once)
        self.places.resize(places)
        self._grows_at = now + self.settings.slow_start_every_s if places < self.settings.at_once else _NEVER


class Admission:
    """Pure ASGI. Its queue is ``state["gate"]``. A request that is not admitted gets 503 with ``Retry-After``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in VITAL:
            await self._app(scope, receive, send)
            return
        gate: AdmissionQueue = scope["state"]["gate"]
        state: RequestState = scope["aurum"]
        began = gate.clock()
        tenant = gate.tenant_of(state.caller)
        try:
            if gate.sheds(began):
                raise Shed("the service is overloaded: requests take longer than usual", retry_after=gate.shedding.retry_after)
            if not gate.try_enter(tenant):
                await gate.enter(tenant)
        except Refused as error:
            gate.refused += 1
            await _refuse(error, scope, send)
            return
        place = _Place(gate, tenant)
        try:
            await self._answer(place, began, scope, receive, send)
        finally:
            place.leave()

    async def _answer(self, place: _Place, began: float, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; its response must begin before the deadline and may then take any time."""
        gate = place.gate
        state: RequestState = scope["aurum"]
        state.deadline = began + gate.settings.deadline_s
        token = set_deadline(state.deadline)
        bound = _Bound(state.deadline - gate.clock())

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                bound.lift()
                # The route of a stream reads on after its start.
                set_deadline(_NEVER)
                now = gate.clock()
                gate.shedding.record_time(now - began, now)
                if state.is_listening:
                    place.leave()
            await send(message)

        try:
            await self._app(scope, receive, send_in_time)
        except asyncio.CancelledError:
            if not bound.was_the_cause() or state.status:
                raise  # a response that has begun cannot begin again
            gate.expired += 1
            now = gate.clock()
            gate.shedding.record_time(now - began, now)
            detail = f"the request was not answered within {gate.settings.deadline_s:g} s: try again, or request less"
            await _refuse(DeadlinePassed(detail, retry_after=1.0), scope, send)
        finally:
            bound.lift()
            reset_deadline(token)


class _Place:
    """The place of one request, which it leaves once."""

    __slots__ = ("_is_left", "_tenant", "gate")

    def __init__(self, gate: AdmissionQueue, tenant: Bulkhead | None) -> None:
        self.gate = gate
        self._tenant = tenant
        self._is_left = False

    def leave(self) -> None:
        if not self._is_left:
            self._is_left = True
            self.gate.leave(self._tenant)


class _Bound:
    """A deadline that cancels the current task, unless it is lifted before: ``asyncio.timeout`` at a fifth of its cost."""

    __slots__ = ("_before", "_handle", "_passed", "_task")

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        self._passed = False
        self._handle = task.get_loop().call_later(max(0.0, seconds), self._pass)

    def _pass(self) -> None:
        self._passed = True
        self._task.cancel()

    def lift(self) -> None:
        """End the deadline: the task will not be cancelled."""
        self._handle.cancel()

    def was_the_cause(self) -> bool:
        """Return whether a cancellation came from this deadline alone; then it is over."""
        return self._passed and self._task.uncancel() <= self._before


async def _refuse(error: Refused, scope: Scope, send: Send) -> None:
    headers = (retry_after(error.retry_after),)
    await refuse(scope, send, _KIND, error.detail, headers=headers, retry_after=error.retry_after)
