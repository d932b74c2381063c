"""Rate limits over HTTP: 429 when they are used up, and what every answer says of them."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from layered import As, in_context, socketed
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.middleware.ratelimit import GlobalRateLimit, RateLimit, account_of, limits_of
from aurum.common.ratelimit import Limiter
from aurum.common.ratelimit.shared import Sharing
from aurum.core.access import EVERY_PERMISSION, Caller, RatePlan
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.testing.waiting import wait_until

FREE = RatePlan("free", 60, 1_000, 10_000, 1.0, 5)
SLOWLY_REFILLED = RatePlan("slow", 6_000, 60_000, 60, 1.0, 5)
"""60 requests, and one more every 24 minutes."""
BASIC = RatePlan("basic", 300, 5_000, 50_000, 1.5, 10)


def caller(subject: str, plan: RatePlan | None = FREE, tenant: str = "acme") -> Caller:
    return Caller(tenant, subject, EVERY_PERMISSION, plan)


class Service:
    """The layer over something; ``callers`` may be changed, as a changed plan does. ``now``: of its clock, unless shared."""

    def __init__(self, *, per_second: float = 0.0, shared: bool = False) -> None:
        self.requests = 0
        self.now = 50.0
        clock = time.monotonic if shared else lambda: self.now
        self.callers = {"a": caller("key:a"), "b": caller("key:b"), "unlimited": caller("user:u", None)}
        self.limiter: Limiter[RatePlan] = Limiter(limits_of, per_second=per_second, shared=shared, clock=clock)
        routes = [Route(path, self._answer, methods=["GET", "POST"]) for path in ("/thing", "/live")]
        self.app = in_context(GlobalRateLimit(As(RateLimit(Starlette(routes=routes)), self.callers)), limiter=self.limiter)

    def use_up(self, who: str) -> None:
        """Take all that the plan of a caller allows now."""
        account = account_of(self.callers[who], self.limiter, self.now)
        assert account is not None
        while account.take(self.now):
            pass

    async def _answer(self, request: Request) -> Response:
        self.requests += 1
        return PlainTextResponse("here", headers={"etag": '"1"'})


async def ask(client: httpx.AsyncClient, who: str, path: str = "/thing") -> httpx.Response:
    return await client.get(path, headers={"x-caller": who})


async def let_in(client: httpx.AsyncClient, who: str, count: int) -> int:
    answers = [await ask(client, who) for _ in range(count)]
    return sum(answer.status_code == 200 for answer in answers)


async def test_when_the_minute_is_used_up_the_rest_gets_429_and_does_not_reach_the_service() -> None:
    service = Service()
    async with socketed(service.app) as client:
        assert await let_in(client, "a", 63) == 60
    assert service.requests == 60
    assert service.limiter.state().refused == 3


async def test_a_refusal_is_a_problem_that_says_which_limit_and_how_long_to_wait() -> None:
    service = Service()
    service.use_up("a")
    async with socketed(service.app) as client:
        answer = await ask(client, "a")
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit-remaining"] == "0"
    document = answer.json()
    assert document["type"] == "/problems/rate-limited"
    assert document["detail"] == "rate limit reached: plan free allows 60 requests a minute"
    assert document["violated-policies"] == ["minute"]
    assert 0 < document["retry_after"] <= 1
    assert document["request_id"] == answer.headers["x-request-id"]


async def test_who_waits_as_long_as_told_is_let_in() -> None:
    service = Service()
    service.use_up("a")
    async with socketed(service.app) as client:
        answer = await ask(client, "a")
        service.now += answer.json()["retry_after"] / 2
        assert (await ask(client, "a")).status_code == 429
        service.now += answer.json()["retry_after"] / 2
        assert (await ask(client, "a")).status_code == 200


async def test_every_answer_says_what_is_left() -> None:
    service = Service()
    async with socketed(service.app) as client:
        answers = [await ask(client, "a") for _ in range(3)]
    assert [int(answer.headers["ratelimit-remaining"]) for answer in answers] == [59, 58, 57]
    headers = answers[-1].headers
    assert headers["ratelimit-limit"] == "60"
    assert headers["ratelimit-policy"] == '"minute";q=60;w=60, "hour";q=1000;w=3600, "day";q=10000;w=86400'
    assert headers["ratelimit"] == '"minute";r=57;t=3'
    assert "retry-after" not in headers


async def test_each_key_has_a_limit_of_its_own_and_who_has_no_plan_has_none() -> None:
    service = Service()
    service.use_up("a")
    async with socketed(service.app) as client:
        assert await let_in(client, "a", 2) == 0
        assert await let_in(client, "b", 2) == 2
        assert await let_in(client, "unlimited", 65) == 65
        assert "ratelimit-limit" not in (await ask(client, "unlimited")).headers


async def test_a_changed_plan_holds_at_once() -> None:
    service = Service()
    service.use_up("a")
    async with socketed(service.app) as client:
        assert (await ask(client, "a")).status_code == 429
        service.callers["a"] = caller("key:a", BASIC)
        answer = await ask(client, "a")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-limit"] == "450"


async def test_all_together_have_a_rate_that_spares_health_and_costs_nobody_his_own() -> None:
    service = Service(per_second=5.0)
    async with socketed(service.app) as client:
        answers = [await ask(client, "unlimited") for _ in range(20)]
        assert sum(answer.status_code == 200 for answer in answers) == 5
        assert "all callers together" in answers[-1].json()["detail"]
        assert (await ask(client, "unlimited", "/live")).status_code == 200
        refused = await ask(client, "a")
        assert refused.status_code == 429
        assert refused.headers.get_list("ratelimit-limit") == ["5"]
        service.now += 1.0
        assert (await ask(client, "a")).headers["ratelimit-remaining"] == "59"


async def test_a_refusal_of_all_together_keeps_what_other_layers_said() -> None:
    service = Service(per_second=1.0)

    class Saying:
        """A layer above, as the one of traces is."""

        def __init__(self, app: ASGIApp) -> None:
            self._app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope["aurum"].headers += ((b"x-trace-id", b"abc"),)
            await self._app(scope, receive, send)

    limited = GlobalRateLimit(As(RateLimit(PlainTextResponse("here")), service.callers))
    async with socketed(in_context(Saying(limited), limiter=service.limiter)) as client:
        answers = [await ask(client, "a") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert [answer.headers["x-trace-id"] for answer in answers] == ["abc", "abc"]
    assert answers[1].headers.get_list("ratelimit-limit") == ["1"]


async def test_who_is_refused_by_his_plan_takes_nothing_from_all_together() -> None:
    service = Service(per_second=70.0)
    async with socketed(service.app) as client:
        assert await let_in(client, "a", 63) == 60
        assert await let_in(client, "b", 12) == 10


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    folder = Path(tempfile.mkdtemp(prefix="aurum-limits-"))
    with EmbeddedValkey(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def sharing(service: Service, url: str) -> AsyncIterator[Sharing[RatePlan]]:
    client = Redis.from_url(url, socket_timeout=60, socket_connect_timeout=60)
    settling = Sharing(service.limiter, client, every_s=0.05)
    task = asyncio.create_task(settling.run())
    yield settling
    task.cancel()
    await asyncio.wait([task])
    await client.aclose()


@pytest.mark.needs_redis
async def test_two_services_keep_one_limit_and_go_on_when_redis_is_gone(valkey: EmbeddedValkey) -> None:
    first, second = Service(shared=True), Service(shared=True)
    for service in (first, second):
        for who in "ab":
            service.callers[who] = caller(f"key:{who}", SLOWLY_REFILLED)
    async with (
        sharing(first, valkey.url) as one,
        sharing(second, valkey.url) as other,
        socketed(first.app) as client,
        socketed(second.app) as another,
    ):
        await wait_until(lambda: one.state().processes == other.state().processes == 2)
        # A key that is new to a service is served before Redis answers.
        total = await let_in(client, "a", 1) + await let_in(another, "a", 1)
        await wait_until(lambda: not first.limiter.queue.accounts and not second.limiter.queue.accounts)
        for _ in range(60):
            total += await let_in(client, "a", 1) + await let_in(another, "a", 1)
        assert abs(total - 60) <= 3
        valkey.stop()
        try:
            answers = [await ask(client, "b") for _ in range(60)]
        finally:
            valkey.start()
        counts = [answer.status_code for answer in answers]
        assert set(counts) == {200, 429}
        assert abs(counts.count(200) - 30) <= 2, "half of it"


@pytest.mark.needs_redis
async def test_who_waits_as_told_by_one_of_two_services_is_let_in_by_either(valkey: EmbeddedValkey) -> None:
    first, second = Service(shared=True), Service(shared=True)
    for service in (first, second):
        # So few that requests of a slow machine use them up, too.
        service.callers["a"] = caller("key:a", RatePlan("basic", 120, 5_000, 50_000, 0.25, 10))
    async with (
        sharing(first, valkey.url) as one,
        sharing(second, valkey.url) as other,
        socketed(first.app) as client,
        socketed(second.app) as another,
    ):
        await wait_until(lambda: one.state().processes == other.state().processes == 2)
        clients = itertools.cycle((client, another))
        for _ in range(3):
            answer = await ask(next(clients), "a")
            while answer.status_code != 429:
                answer = await ask(next(clients), "a")
            document = answer.json()
            assert document["violated-policies"] == ["minute"]
            assert document["detail"] == "rate limit reached: plan basic allows 120 requests a minute"
            assert document["retry_after"] > 0
            await asyncio.sleep(document["retry_after"])
            assert (await ask(next(clients), "a")).status_code == 200
