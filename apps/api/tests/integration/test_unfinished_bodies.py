"""A request whose body does not come holds no place, and takes nothing from other tenants: over raw sockets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from layered import As, in_context, socketed
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aurum.api.middleware.admission import Admission, AdmissionQueue
from aurum.api.middleware.idempotency import Idempotency
from aurum.api.middleware.whole_body import WholeBody
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import EVERY_PERMISSION, Caller, RatePlan
from aurum.storage.testing.waiting import wait_until

CALLERS = {
    tenant: Caller(tenant, "key:1", EVERY_PERMISSION, RatePlan("some", 9_000, 9_000, 9_000, 1.0, 20))
    for tenant in ("acme", "other")
}
UNSENT = b"Content-Length: 100\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


async def size_of_body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


class Service:
    def __init__(self, *, anonymous: bool = True, **limits: Any) -> None:
        settings = LimitsSettings.model_validate({"at_once": 2, "slow_start": 0, "longest_wait_s": 0} | limits)
        self.gate = AdmissionQueue(settings)
        self.waiting = 0
        app = Admission(Starlette(routes=[Route("/size", size_of_body, methods=["POST", "GET"])]))
        layers = As(self._counted(WholeBody(Idempotency(app), settings, anonymous=anonymous)), CALLERS)
        self.app = in_context(layers, gate=self.gate)

    def _counted(self, app: Any) -> Any:
        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.waiting += 1
            try:
                await app(scope, receive, send)
            finally:
                self.waiting -= 1

        return counted


async def send_head(
    stack: AsyncExitStack, client: httpx.AsyncClient, rest: bytes, caller: str = "acme"
) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    stack.callback(writer.close)
    writer.write(b"POST /size HTTP/1.1\r\nHost: aurum.test\r\nX-Caller: %s\r\n%s" % (caller.encode(), rest))
    return reader


async def ask(client: httpx.AsyncClient, caller: str, size: int) -> tuple[int, str]:
    answer = await client.post("/size", content=bytes(size), headers={"x-caller": caller})
    return answer.status_code, answer.text


@pytest.mark.parametrize("rest", [UNSENT, CHUNKED, UNSENT + b"a", CHUNKED + b"1\r\na\r\n"])
async def test_bodies_that_never_come_hold_no_place(rest: bytes) -> None:
    service = Service()
    async with socketed(service.app) as client, AsyncExitStack() as stack:
        for _ in range(110):
            await send_head(stack, client, rest)
        await wait_until(lambda: service.waiting == 110)
        assert service.gate.places.in_use == 0
        for caller in ("other", "acme", ""):
            assert await ask(client, caller, 1_000) == (200, "1000")


async def test_a_tenant_has_so_many_bytes_of_unfinished_bodies_and_others_have_theirs() -> None:
    service = Service(unfinished_bytes=10_000)
    async with socketed(service.app) as client, AsyncExitStack() as stack:
        for _ in range(3):
            await send_head(stack, client, b"Content-Length: 9000\r\n\r\n" + bytes(3_000))
        await wait_until(lambda: service.waiting == 3)
        over = await send_head(stack, client, b"Content-Length: 9000\r\n\r\n" + bytes(3_000))
        head = await over.readuntil(b"\r\n\r\n")
        assert b" 503 " in head.splitlines()[0]
        assert b"retry-after: 1" in head
        assert await ask(client, "other", 8_000) == (200, "8000")
    await wait_until(lambda: service.waiting == 0)


async def test_public_routes_do_not_wait_for_a_body() -> None:
    service = Service(anonymous=False)
    async with socketed(service.app) as client, AsyncExitStack() as stack:
        await send_head(stack, client, UNSENT, "")
        await wait_until(lambda: service.gate.places.in_use == 1, "it is handled")


async def test_a_body_is_passed_on_as_it_was_sent() -> None:
    service = Service()
    async with socketed(service.app) as client:
        for size in (0, 1, 100_000):
            assert await ask(client, "acme", size) == (200, str(size))
