"""Requests that are too large, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, FastAPI
from layered import in_context, socketed

from aurum.api.middleware.size import Size
from aurum.common.settings.limits import LimitsSettings

LIMITS = LimitsSettings(body_bytes=1000, url_bytes=200)


def make_app() -> Any:
    app = FastAPI()

    @app.post("/echo")
    async def echo(values: Annotated[list[int], Body()]) -> int:
        return len(values)

    @app.post("/ignore")
    async def ignore() -> str:
        return "did not look"

    @app.get("/echo")
    async def nothing() -> str:
        return "nothing"

    return in_context(Size(app, LIMITS))


def body(size: int) -> bytes:
    text = b"[1" + b",1" * ((size - 3) // 2) + b"]"
    return text.ljust(size)


async def in_parts(content: bytes) -> AsyncIterator[bytes]:
    """Yield a content in parts of half the limit, a long one in a hundred parts."""
    size = max(500, len(content) // 100)
    for start in range(0, len(content), size):
        yield content[start : start + size]


JSON = {"content-type": "application/json"}


async def test_a_body_up_to_the_limit_is_taken_however_it_is_sent() -> None:
    async with socketed(make_app()) as client:
        assert (await client.post("/echo", content=body(1000), headers=JSON)).status_code == 200
        assert (await client.post("/echo", content=in_parts(body(1000)), headers=JSON)).json() == 499
        assert (await client.get("/echo")).status_code == 200


@pytest.mark.parametrize("size", [1001, 200_000, 3_000_000])
async def test_a_longer_one_is_413_and_the_connection_goes_on(size: int) -> None:
    whole = body(size)
    async with socketed(make_app()) as client:
        for content in (whole, in_parts(whole)):
            answer = await client.post("/echo", content=content, headers=JSON)
            assert answer.status_code == 413
            assert answer.json()["type"] == "/problems/body-too-large"
            assert answer.json()["limit"] == 1000
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get("/echo")).status_code == 200


async def test_a_body_that_nobody_reads_is_nobodys_business() -> None:
    async with socketed(make_app()) as client:
        assert (await client.post("/ignore", content=in_parts(body(5000)))).status_code == 200


async def test_a_url_that_is_too_long_is_414() -> None:
    async with socketed(make_app()) as client:
        assert (await client.get("/echo", params={"a": "x" * 193})).status_code == 200
        answer = await client.get("/echo", params={"a": "x" * 194})
    assert answer.status_code == 414
    assert answer.json()["type"] == "/problems/url-too-long"
    assert answer.json()["limit"] == 200


async def test_the_limit_is_of_bytes_as_they_are_sent() -> None:
    async with socketed(make_app()) as client:
        answer: httpx.Response = await client.get("/" + "%C3%A9" * 40)
    assert answer.status_code == 414
