"""Admission over HTTP: a limit of concurrent requests, a limit of waiting time, and immediate refusals under overload."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from layered import As, in_context, socketed
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from aurum.api.http.request_state import state_of
from aurum.api.middleware.admission import Admission, AdmissionQueue
from aurum.common.resilience.timeout import deadline, time_left
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import EVERY_PERMISSION, Caller, RatePlan
from aurum.storage.testing.waiting import wait_until


def caller(tenant: str, at_once: int) -> Caller:
    return Caller(tenant, "key:1", EVERY_PERMISSION, RatePlan("some", 1000, 1000, 1000, 1.0, at_once))


CALLERS = {"acme": caller("acme", 2), "other": caller("other", 2)}


class Service:
    """The layer over something slow. ``release`` ends ``/held``; ``most``: at once there so far."""

    def __init__(self, **limits: Any) -> None:
        settings = LimitsSettings.model_validate({"slow_start": 0} | limits)
        self.gate = AdmissionQueue(settings)
        self.release = asyncio.Event()
        self.inside = self.most = 0
        self.left: list[float] = []
        routes = [
            Route("/held", self._held),
            Route("/live", self._held_not),
            Route("/quick", self._held_not),
            Route("/never", self._never),
            Route("/stream", self._stream),
        ]
        self.app = in_context(As(Admission(Starlette(routes=routes)), CALLERS), gate=self.gate)

    async def _held(self, request: Request) -> Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.release.wait()
        self.inside -= 1
        return PlainTextResponse("done")

    async def _held_not(self, request: Request) -> Response:
        assert state_of(request.scope).deadline == deadline()
        self.left.append(time_left())
        return PlainTextResponse("done")

    async def _never(self, request: Request) -> Response:
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    async def _stream(self, request: Request) -> Response:
        ends = deadline()

        async def parts() -> Any:
            yield b"part"
            await wait_until(lambda: time.monotonic() > ends, "the deadline of the request")
            for _ in range(3):
                yield b"part"
                time_left()  # as stores ask before each piece; it raises when there is none

        return StreamingResponse(parts())


def started(client: httpx.AsyncClient, count: int, who: str = "", path: str = "/held") -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.get(path, headers={"x-caller": who})) for _ in range(count)]


def statuses(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def test_so_many_are_worked_on_at_once_and_the_others_wait() -> None:
    service = Service(at_once=3, queue=10)
    async with socketed(service.app) as client:
        tasks = started(client, 8)
        await wait_until(lambda: service.gate.places.waiting == 5)
        service.release.set()
        assert statuses(await asyncio.gather(*tasks)) == [200] * 8
    assert service.most == 3
    assert service.gate.places.in_use == 0


async def test_when_the_queue_is_full_the_next_gets_503_with_retry_after() -> None:
    service = Service(at_once=1, queue=1, longest_wait_s=300)
    async with socketed(service.app) as client:
        tasks = started(client, 2)
        await wait_until(lambda: service.gate.places.waiting == 1)
        refused = await client.get("/quick")
        service.release.set()
        assert statuses(await asyncio.gather(*tasks)) == [200, 200]
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "300"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/unavailable"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert service.gate.state().refused == 1


async def test_nobody_waits_longer_than_the_longest_wait() -> None:
    service = Service(at_once=1, queue=5, longest_wait_s=0.1)
    async with socketed(service.app) as client:
        held = started(client, 1)
        await wait_until(lambda: service.inside == 1)
        assert (await client.get("/quick")).status_code == 503
        service.release.set()
        await asyncio.gather(*held)
        await wait_until(lambda: service.gate.places.in_use == 0)
        assert (await client.get("/quick")).status_code == 200


async def test_a_tenant_that_takes_all_it_may_takes_nothing_from_others() -> None:
    service = Service(at_once=10, queue=2, longest_wait_s=300)
    async with socketed(service.app) as client:
        greedy = started(client, 6, "acme")
        await wait_until(lambda: service.gate.state().refused == 2)
        await wait_until(lambda: service.inside == 2)
        assert statuses(await asyncio.gather(*started(client, 3, "other", "/quick"))) == [200] * 3
        service.release.set()
        assert statuses(await asyncio.gather(*greedy)) == [200] * 4 + [503] * 2
    assert service.gate.state().tenants == 0
    assert service.gate.places.in_use == 0


async def test_a_tenant_without_a_plan_has_the_places_of_the_settings() -> None:
    service = Service(tenant_at_once=1)
    tenant = service.gate.tenant_of(Caller("acme", "user:x", EVERY_PERMISSION))
    assert tenant is not None
    assert tenant.places == 1


async def test_health_is_answered_when_nothing_else_is() -> None:
    service = Service(at_once=1, queue=0)
    async with socketed(service.app) as client:
        held = started(client, 1)
        await wait_until(lambda: service.inside == 1)
        assert (await client.get("/quick")).status_code == 503
        assert (await client.get("/live")).status_code == 200
        service.release.set()
        await asyncio.gather(*held)


async def test_who_asks_knows_how_much_time_is_left() -> None:
    service = Service(deadline_s=7_000.0)
    async with socketed(service.app) as client:
        await client.get("/quick")
    assert 6_000 < service.left[0] <= 7_000


async def test_no_answer_in_time_is_503_and_gives_the_place_back() -> None:
    service = Service(deadline_s=0.1)
    async with socketed(service.app) as client:
        answer = await client.get("/never")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "the request was not answered within 0.1 s: try again, or request less"
        assert answer.headers["retry-after"] == "1"
        assert service.gate.state().expired == 1

        async def is_answered() -> bool:
            return (await client.get("/quick")).status_code == 200

        await wait_until(is_answered)  # the machine may take longer than the deadline
    assert service.gate.places.in_use == 0


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    service = Service(deadline_s=0.15)
    async with socketed(service.app) as client:

        async def is_whole() -> bool:
            answer = await client.get("/stream")
            if answer.status_code == 503:
                return False  # the machine took so long to begin
            assert answer.text == "part" * 4
            return True

        await wait_until(is_whole)


async def test_who_leaves_while_waiting_leaves_no_place_taken() -> None:
    service = Service(at_once=1, queue=5)
    async with socketed(service.app) as client:
        held = started(client, 1)
        await wait_until(lambda: service.inside == 1)
        task = started(client, 1, "acme", "/quick")[0]
        await wait_until(lambda: service.gate.places.waiting == 1)
        task.cancel()
        service.release.set()
        await asyncio.gather(*held)
        await wait_until(lambda: service.gate.places.in_use == 0)
        await wait_until(lambda: service.gate.state().tenants == 0)


async def test_a_new_process_starts_with_a_few_places_and_grows() -> None:
    now = 100.0
    gate = AdmissionQueue(LimitsSettings(at_once=5, slow_start=2, slow_start_every_s=3.0), clock=lambda: now)
    seen = []
    for now in (100.0, 102.9, 103.0, 106.1, 109.2, 300.0):
        gate.sheds(now)
        seen.append(gate.places.places)
    assert seen == [2, 2, 3, 4, 5, 5]


async def test_a_process_nobody_asked_for_a_while_has_grown_meanwhile() -> None:
    gate = AdmissionQueue(LimitsSettings(at_once=50, slow_start=2, slow_start_every_s=3.0), clock=lambda: 100.0)
    gate.sheds(100.0 + 3.0 * 10)
    assert gate.places.places == 12


async def test_when_waits_are_long_a_part_is_refused_before_it_waits() -> None:
    now = 100.0
    gate = AdmissionQueue(LimitsSettings(slow_start=0, shed_wait_s=1.0), clock=lambda: now)
    for step in range(12):
        gate.shedding.record_wait(1.5)
        now = 100.0 + step * 1.5
        gate.sheds(now)
    assert sum(gate.sheds(now) for _ in range(100)) == pytest.approx(90, abs=1)
    assert gate.state().shedding.refusing == pytest.approx(0.9)


async def test_slow_answers_shed_only_when_half_of_the_places_are_taken() -> None:
    now = 100.0
    gate = AdmissionQueue(LimitsSettings(slow_start=0, at_once=4, shed_p95_s=10.0), clock=lambda: now)

    def answer_slowly() -> None:
        nonlocal now
        for _ in range(100):
            now += 0.1
            gate.shedding.record_time(60.0, now)
            gate.sheds(now)

    answer_slowly()
    assert gate.state().shedding.refusing == 0
    assert gate.try_enter(None)
    assert gate.try_enter(None)
    answer_slowly()
    assert gate.state().shedding.refusing > 0.5
