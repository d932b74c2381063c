"""A POST that is sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from starlette.types import Message

from aurum.api.testing import Served

pytestmark = pytest.mark.needs_postgres

KEYS = "/v2/admin/keys"
TENANTS = "/v2/admin/tenants"
COUNT = iter(range(1_000))


def wish(name: str) -> dict[str, Any]:
    return {"tenant_id": name, "name": name}


async def post(client: httpx.AsyncClient, key: str, body: object, url: str = TENANTS) -> httpx.Response:
    return await client.post(url, json=body, headers={"idempotency-key": key})


async def made(client: httpx.AsyncClient, key: str) -> int:
    """How often a tenant of this name was made."""
    record = (await client.get("/v2/admin/audit?action=tenant.create&limit=1000")).json()["data"]
    return sum(entry["target"] == key for entry in record)


@pytest.fixture
def key() -> str:
    return f"test-{next(COUNT)}"


async def test_a_request_sent_twice_is_done_once_and_answered_twice(client: httpx.AsyncClient, key: str) -> None:
    first, second = await post(client, key, wish(key)), await post(client, key, wish(key))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["content-type"] == first.headers["content-type"]
    assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")
    assert await made(client, key) == 1


async def test_an_answer_is_given_again_to_whoever_reads_another_coding(client: httpx.AsyncClient, key: str) -> None:
    answers = [
        await client.post(TENANTS, json=wish(key), headers={"idempotency-key": key, "accept-encoding": coding})
        for coding in ("gzip", "identity", "zstd")
    ]
    assert [answer.headers.get("content-encoding") for answer in answers] == [None] * 3
    assert len({answer.content for answer in answers}) == 1


async def test_another_format_is_another_request(client: httpx.AsyncClient, key: str) -> None:
    await client.post(TENANTS, json=wish(key), headers={"idempotency-key": key, "accept": "application/json"})
    other = await client.post(TENANTS, json=wish(key), headers={"idempotency-key": key, "accept": "text/csv"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_many_at_once_are_done_once(client: httpx.AsyncClient, key: str) -> None:
    answers = await asyncio.gather(*(post(client, key, wish(key)) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 409)
    assert await made(client, key) == 1


async def test_a_key_with_another_body_or_path_is_refused(client: httpx.AsyncClient, key: str) -> None:
    await post(client, key, wish(key))
    for other in (await post(client, key, wish("other")), await post(client, key, wish(key), KEYS)):
        assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_a_refusal_is_answered_alike_and_a_key_in_quotes_is_the_same(client: httpx.AsyncClient, key: str) -> None:
    first = await post(client, key, {"nonsense": 1})
    again = await post(client, f'"{key}"', {"nonsense": 1})
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (422, 422, "true")


@pytest.mark.parametrize("bad", ["", "with space", "x" * 300])
async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, bad: str) -> None:
    assert (await post(client, bad, wish("x"))).status_code == 422


async def test_a_secret_is_shown_once_and_kept_nowhere(client: httpx.AsyncClient, key: str, market_url: str) -> None:
    first = await post(client, key, {"name": key}, KEYS)
    again = await post(client, key, {"name": key}, KEYS)
    assert (first.status_code, again.status_code) == (201, 409)
    assert "secret" in again.json()["detail"]
    assert sum(one["name"] == key for one in (await client.get(f"{KEYS}?limit=1000")).json()["data"]) == 1
    connection = await asyncpg.connect(market_url)
    bodies = await connection.fetch("SELECT body FROM idempotency WHERE key = $1", key)
    await connection.close()
    assert bodies
    assert first.json()["data"]["key"].encode() not in bodies[0]["body"]


async def in_parts(first: bytes, rest: bytes) -> AsyncIterator[bytes]:
    yield first
    yield rest


async def test_a_body_that_becomes_too_long_is_413_and_nothing_is_done(client: httpx.AsyncClient, key: str) -> None:
    headers = {"idempotency-key": key, "content-type": "application/json"}
    whole = orjson.dumps(wish(key))
    answer = await client.post(TENANTS, content=in_parts(whole, b" " * (1 << 20)), headers=headers)
    assert (answer.status_code, await made(client, key)) == (413, 0)
    assert (await post(client, key, wish(key))).status_code == 201, "the key was not used up"


async def test_what_a_caller_left_before_its_end_is_not_done(served: Served, key: str) -> None:
    messages = iter([{"type": "http.request", "body": orjson.dumps(wish(key)), "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": TENANTS,
        "raw_path": TENANTS.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"idempotency-key", key.encode()), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("aurum.test", 80),
    }
    await served.asgi(scope, receive, send)
    assert (sent, await made(served.client, key)) == ([], 0)
