"""Redis goes away, by death or by silence, and comes back under load: every answer is right, and none is refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from api_market import FIRST_KNOWN, HOUR, NYC, NYC_START, WEST, InventedSeries, file_of
from api_processes import api_process
from redis.asyncio import Redis

from aurum.common.clock import SystemClock
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.services.access import create_tenant, put_plan
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_redis

KEPT = f"/v2/series/{NYC}/observations"
LONG = f"/v2/observations?series={NYC}&series={WEST}&freq=1d&agg=sum"
HOURS = 48
OPERATOR = Actor("operator")


@dataclass
class Seen:
    """The responses that callers got."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    requests: int = 0
    wrong: list[str] = field(default_factory=list[str])
    broken: int = 0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="aurum-vk-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def who(postgres_store: PostgresStore) -> dict[str, str]:
    """Two series in the store, and a key with limits to read them with."""
    for key in (NYC, WEST):
        rows = [(NYC_START + number * HOUR, float(number), FIRST_KNOWN, 0) for number in range(HOURS)]
        await postgres_store.loader.load(
            file_of(InventedSeries(key, "USD/MWh", "1h", "America/New_York", "NYISO", rows, "USD"))
        )
    await put_plan(postgres_store.transactions, RatePlan("trial", 600_000, 9_000_000, 9_000_000, 1.0, 5), by=OPERATOR)
    await create_tenant(postgres_store.transactions, "acme", "Acme", "trial", by=OPERATOR)
    text, parts = key_text(bytes(40))
    key = ApiKey(parts.key_id, "acme", "test", ("admin",), (), SystemClock().now(), "test")
    await insert_key(postgres_store.transactions, key, parts.digest)
    return {"Authorization": f"Bearer {text}"}


def is_right(path: str, answer: httpx.Response) -> bool:
    rows = answer.json()["data"]
    if path.startswith("/v2/series"):
        return [row["value"] for row in rows] == [float(number) for number in range(HOURS)]
    return sum(row["value"] for row in rows) == 2 * sum(range(HOURS))


async def ask_on(url: str, who: dict[str, str], seen: Seen, until: asyncio.Event) -> None:
    """Request as one caller does: a cached slice, a new slice, and one slow enough to be shared through Redis."""
    async with httpx.AsyncClient(trust_env=False, timeout=120, headers=who, base_url=url) as client:
        number = 0
        while not until.is_set():
            number += 1
            fresh = f"start=2025-10-31T03:59:{number % 60:02d}.{number:06d}Z"
            path = (KEPT, f"{KEPT}?{fresh}", f"{LONG}&{fresh}")[number % 3]
            seen.requests += 1
            try:
                answer = await client.get(path)
            except httpx.TransportError:
                seen.broken += 1
                continue
            seen.statuses[answer.status_code] += 1
            if answer.status_code == 200 and not is_right(path, answer):
                seen.wrong.append(answer.text[:200])


@dataclass(frozen=True, slots=True)
class State:
    """The state that the service reports: whether limits are shared, its circuit breakers, and Redis."""

    shared: bool
    breakers: str
    redis: str


TOGETHER = State(True, "ok", "ok")
ALONE = State(False, "open", "unavailable")


async def is_so(client: httpx.AsyncClient, wanted: State) -> bool:
    limits = (await client.get("/v2/admin/limits")).json()["data"]
    health = (await client.get("/health")).json()["dependencies"]
    said = {one["name"]: one["status"] for one in health}
    return State(limits["shared"], said["breakers"], said["redis"]) == wanted


async def look_ups(client: httpx.AsyncClient) -> int:
    """Return the number of look-ups in Redis, hits and misses."""
    keyspaces = (await client.get("/v2/admin/cache")).json()["data"]["keyspaces"]
    return sum(one["hits"] + one["misses"] for one in keyspaces if one["tier"] == "redis")


async def more_look_ups(client: httpx.AsyncClient, *, than: int) -> bool:
    return await look_ups(client) > than


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "silent"])
async def test_redis_goes_and_comes_under_load(
    folder: Path, database_url: str, who: dict[str, str], fault: signal.Signals
) -> None:
    server = EmbeddedValkey(folder)
    server.start()
    settings = {
        "AURUM_REDIS__URL": server.url,
        "AURUM_ACCESS__MODE": "required",
        "AURUM_CACHE__SHARED_FROM_S": "0",
        "AURUM_RESILIENCE__REDIS_TIMEOUT_S": "0.25",
    }
    try:
        async with Redis.from_url(server.url) as redis:
            pid = int((await redis.info("server"))["process_id"])
        with api_process(database_url, **settings) as api:
            async with httpx.AsyncClient(trust_env=False, base_url=api, headers=who, timeout=120) as watcher:
                seen, over = Seen(), asyncio.Event()
                callers = [asyncio.create_task(ask_on(api, who, seen, over)) for _ in range(4)]
                await wait_until(lambda: is_so(watcher, TOGETHER), "limits are shared")
                await wait_until(lambda: more_look_ups(watcher, than=0), "answers are shared")
                os.kill(pid, fault)
                before = Counter(seen.statuses)
                await wait_until(lambda: is_so(watcher, ALONE), "it is known to be away")
                without = seen.statuses.total()
                await wait_until(lambda: seen.statuses.total() >= without + 100, "load without Redis, for its statuses")
                during = seen.statuses - before
                assert (await watcher.get("/ready")).status_code == 200
                if fault is signal.SIGKILL:
                    server.stop()
                    server = EmbeddedValkey(folder)
                    server.start()
                else:
                    os.kill(pid, signal.SIGCONT)
                await wait_until(lambda: is_so(watcher, TOGETHER), "all is as it was, by itself")
                before_return = await look_ups(watcher)
                await wait_until(lambda: more_look_ups(watcher, than=before_return), "Redis is asked for answers again")
                over.set()
                await asyncio.gather(*callers)
    finally:
        server.stop()
    assert seen.wrong == []
    assert seen.broken == 0
    assert set(seen.statuses) == {200}
    assert seen.statuses.total() == seen.requests, "every request has ended"
    assert during.total() > 100, "it went on meanwhile"
