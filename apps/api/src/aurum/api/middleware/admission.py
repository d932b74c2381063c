"""Who is worked for now: so many at once, some of each tenant, a short queue, and when all is slow some are told at once.

Stands below the kept answers: those cost nothing and are given whatever happens. It also sets the deadline by which an
answer must begin.
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
from aurum.common.resilience.timeout import forget_deadline, set_deadline
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import Unavailable

_KIND = KINDS[Unavailable]
_NEVER = float("inf")
_SWEEP_FROM = 1_000
"""So many tenants are remembered; then those are forgotten that have nothing under way."""


@dataclass(frozen=True, slots=True)
class GateState:
    """``tenants`` that have requests under way or waiting. ``refused`` and ``expired`` since the start."""

    places: BulkheadState
    shedding: SheddingState
    tenants: int
    refused: int
    expired: int


class AdmissionQueue:
    """The places of one process. ``clock``: seconds, ``time.monotonic`` in service."""

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
        busy = sum(1 for tenant in self._tenants.values() if tenant.taken or tenant.waiting)
        return GateState(self.places.state(), self.shedding.state(), busy, self.refused, self.expired)

    def tenant_of(self, caller: Caller) -> Bulkhead | None:
        """The places of a caller's tenant; None for one who is not limited."""
        plan = caller.plan
        if plan is None and caller.subject == LOCAL.subject:
            return None
        most = plan.at_once if plan is not None else self.settings.tenant_at_once
        found = self._tenants.get(caller.tenant)
        if found is None:
            given = self.settings
            name = f"requests of {caller.tenant}"
            found = Bulkhead(name, places=most, queue=given.queue, longest_wait_s=given.longest_wait_s)
            if len(self._tenants) >= _SWEEP_FROM:
                self._tenants = {name: one for name, one in self._tenants.items() if one.taken or one.waiting}
            self._tenants[caller.tenant] = found
        elif found.places != most:
            found.resize(most)
        return found

    def sheds(self, now: float) -> bool:
        """Whether one that comes now is refused because all is slow; also lets a process that is new grow."""
        if now >= self._grows_at:
            self._grow(now)
        places = self.places
        return self.shedding.refuses(now, busy=2 * places.taken >= places.places)

    def try_enter(self, tenant: Bulkhead | None) -> bool:
        """Take a place at once, if there is one for this tenant and one in all."""
        if tenant is not None and not tenant.try_enter():
            return False
        if self.places.try_enter():
            return True
        if tenant is not None:
            tenant.leave()
        return False

    async def enter(self, tenant: Bulkhead | None) -> None:
        """Take a place as soon as there is one. Raises ``QueueFull``, ``WaitedTooLong``."""
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
            self.shedding.waited(self.clock() - began)

    def leave(self, tenant: Bulkhead | None) -> None:
        """Give the place back."""
        self.places.leave()
        if tenant is not None:
            tenant.leave()

    def _grow(self, now: float) -> None:
        more = 1 + int((now - self._grows_at) / self.settings.slow_start_every_s)
        places = min(self.places.places + more, self.settings.at_once)
        self.places.resize(places)
        self._grows_at = now + self.settings.slow_start_every_s if places < self.settings.at_once else _NEVER


class Admission:
    """Pure ASGI. Its gate is ``state["gate"]``. What is not let in gets 503 with ``Retry-After``, in a few microseconds."""

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
                raise Shed("the service is slow already", retry_after=gate.shedding.retry_after)
            if not gate.try_enter(tenant):
                await gate.enter(tenant)
        except Refused as error:
            gate.refused += 1
            await _refuse(error, scope, send)
            return
        try:
            await self._answer(gate, began, scope, receive, send)
        finally:
            gate.leave(tenant)

    async def _answer(self, gate: AdmissionQueue, began: float, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the answer begin before the deadline; once it has begun it may take its time."""
        state: RequestState = scope["aurum"]
        state.deadline = began + gate.settings.deadline_s
        token = set_deadline(state.deadline)
        bound = _Bound(state.deadline - gate.clock())

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                bound.lift()
                # Whoever sends a stream reads on after this.
                set_deadline(_NEVER)
                now = gate.clock()
                gate.shedding.took(now - began, now)
            await send(message)

        try:
            await self._app(scope, receive, send_in_time)
        except asyncio.CancelledError:
            if not bound.was_the_cause() or state.status:
                raise  # an answer that has begun is not begun again
            gate.expired += 1
            now = gate.clock()
            gate.shedding.took(now - began, now)
            detail = f"there was no answer in {gate.settings.deadline_s:g} s"
            await _refuse(DeadlinePassed(detail, retry_after=1.0), scope, send)
        finally:
            bound.lift()
            forget_deadline(token)


class _Bound:
    """Cancels this task after a while, unless it is lifted before: what ``asyncio.timeout`` does, at a fifth of its cost."""

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
        """The time is no longer looked at."""
        self._handle.cancel()

    def was_the_cause(self) -> bool:
        """Of a cancellation that has arrived; it is over then, unless somebody else wanted it, too."""
        return self._passed and self._task.uncancel() <= self._before


async def _refuse(error: Refused, scope: Scope, send: Send) -> None:
    headers = (retry_after(error.retry_after),)
    await refuse(scope, send, _KIND, error.detail, headers=headers, retry_after=error.retry_after)
