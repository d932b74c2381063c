"""Whatever an operator does is on record, before it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest_asyncio
from api_market import NYC, declare, load
from redis.asyncio import Redis

from aurum.api.registry import FEATURES
from aurum.api.testing import Served, changed, serving
from aurum.assembly.postgres import open_live_store
from aurum.assembly.store import StoreParts
from aurum.common.settings import DatabaseSettings, RedisSettings, Settings
from aurum.core.errors import Unavailable
from aurum.storage.ports.transaction import Transactions
from aurum.storage.testing.stores import PostgresStore

PARKED = "00000000-0000-4000-8000-00000000000"
FETCH = {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}}
ACTIONS: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {
    ("POST", "/v2/admin/keys"): ("/v2/admin/keys", {"name": "k", "roles": ["user"]}),
    ("POST", "/v2/admin/keys/{key_id}/rotate"): ("/v2/admin/keys/KEY/rotate", {}),
    ("POST", "/v2/admin/keys/{key_id}/revoke"): ("/v2/admin/keys/KEY/revoke", None),
    ("POST", "/v2/admin/tenants"): ("/v2/admin/tenants", {"tenant_id": "acme", "name": "Acme"}),
    ("PATCH", "/v2/admin/tenants/{tenant_id}"): ("/v2/admin/tenants/acme", {"disabled": True}),
    ("PUT", "/v2/admin/plans/{name}"): (
        "/v2/admin/plans/trial",
        {"per_minute": 1, "per_hour": 1, "per_day": 1, "burst": 1.0, "at_once": 1},
    ),
    ("PUT", "/v2/admin/flags/{name}"): ("/v2/admin/flags/f", {}),
    ("POST", "/v2/admin/flags/{name}/kill"): ("/v2/admin/flags/f/kill", None),
    ("POST", "/v2/admin/flags/{name}/revive"): ("/v2/admin/flags/f/revive", None),
    ("DELETE", "/v2/admin/flags/{name}"): ("/v2/admin/flags/f", None),
    ("POST", "/v2/admin/cache/forget"): ("/v2/admin/cache/forget", {"tags": ["source:pjm"]}),
    ("POST", "/v2/admin/cache/warm"): ("/v2/admin/cache/warm", None),
    ("POST", "/v2/admin/quarantine/{held_file}/replay"): ("/v2/admin/quarantine/HELD/replay", None),
    ("POST", "/v2/admin/jobs"): ("/v2/admin/jobs", FETCH),
    ("POST", "/v2/admin/jobs/parked/{parked_job}/retry"): (f"/v2/admin/jobs/parked/{PARKED}1/retry", None),
    ("DELETE", "/v2/admin/jobs/parked/{parked_job}"): (f"/v2/admin/jobs/parked/{PARKED}2", None),
    ("DELETE", "/v2/admin/series/{key:path}"): (f"/v2/admin/series/{NYC}?reason=test", None),
}
"""A request for each thing that can be done, in an order in which they can."""
CHANGES_NOTHING = {("POST", "/v2/admin/flags/{name}/evaluate"), ("POST", "/v2/observations/query")}


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    await declare(postgres_store)
    await load(postgres_store)
    return postgres_store


async def park(redis: Redis, job_id: str) -> None:
    """A job that failed for good, as Dramatiq leaves it."""
    message = {
        "queue_name": "ingest",
        "actor_name": "fetch.day",
        "args": [],
        "kwargs": FETCH["payload"],
        "options": {"reason": "failed"},
        "message_id": job_id,
        "message_timestamp": 1_760_000_000_000,
    }
    await redis.zadd("dramatiq:ingest.XQ", {job_id: 1_760_000_000_000})
    await redis.hset("dramatiq:ingest.XQ.msgs", job_id, json.dumps(message))


@pytest_asyncio.fixture(loop_scope="session")
async def settings(database_url: str, store: PostgresStore, redis_url: str, tmp_path: Path) -> AsyncIterator[Settings]:
    del store  # it has its data by then
    url = redis_url.replace("db=0", "db=8")
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        await park(redis, f"{PARKED}1")
        await park(redis, f"{PARKED}2")
    yield Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2), redis=RedisSettings(url=url))


async def do(served: Served, method: str, path: str, body: object, request_id: str) -> httpx.Response:
    if "KEY" in path:
        made = await served.client.post("/v2/admin/keys", json={"name": "x"})
        path = path.replace("KEY", made.json()["data"]["key_id"])
    url = path.replace("HELD", hashlib.sha256(NYC.encode()).hexdigest())
    return await served.client.request(method, url, json=body, headers={"x-request-id": request_id})


def test_nothing_that_can_be_done_is_missing_here() -> None:
    there = {
        (method, route.path)
        for one in FEATURES
        for route in one.router.routes
        if getattr(route, "path", "").startswith("/v2/")
        for method in route.methods - {"GET", "HEAD"}
    }
    assert there - CHANGES_NOTHING == set(ACTIONS)


async def test_all_that_can_be_done_is_on_record(settings: Settings) -> None:
    async with serving(settings) as served:
        for number, (action, (path, body)) in enumerate(ACTIONS.items()):
            answer = await do(served, action[0], path, body, f"act-{number}")
            assert answer.status_code < 300, (action, answer.text)
        entries = (await served.client.get("/v2/admin/audit?limit=1000")).json()["data"]
    recorded = {entry["request_id"]: entry for entry in entries}
    missing = [action for number, action in enumerate(ACTIONS) if f"act-{number}" not in recorded]
    assert missing == []
    tenants = {entry["tenant"] for entry in entries if entry["action"].startswith("tenant.")}
    assert tenants == {"acme"}, "whose thing was changed can see it"


class NoTransactions:
    """A store that cannot be written, its audit log neither."""

    def transaction(self, **_: object) -> object:
        raise Unavailable("the record cannot be written", retry_after=1.0)


async def test_what_cannot_be_put_on_record_is_not_done(settings: Settings) -> None:
    def without_record(store: StoreParts) -> StoreParts:
        return replace(store, transactions=cast("Transactions", NoTransactions()))

    path = f"/v2/series/{NYC}/observations"
    async with serving(settings, changed(open_live_store, without_record)) as served:
        await served.client.get(path)
        for key in (("POST", "/v2/admin/jobs"), *(each for each in ACTIONS if "parked" in each[1] or "held" in each[1])):
            answer = await do(served, key[0], *ACTIONS[key], "refused")
            assert answer.status_code == 503, key
        forget = await served.client.post("/v2/admin/cache/forget", json={"tags": ["source:nyiso"]})
        again = await served.client.get(path)
        queues = (await served.client.get("/v2/admin/jobs")).json()["data"]
    assert (forget.status_code, again.headers["x-cache"]) == (503, "hit")
    assert [(one["waiting"], one["parked"]) for one in queues] == [(0, 2)]
