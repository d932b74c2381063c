"""The tiers together, over a real Redis-compatible server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from aurum.common.cache import Cache, LocalCache
from aurum.common.cache.redis import RedisTier
from aurum.storage.embedded import EmbeddedValkey


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedValkey]:
    folder = Path(tempfile.mkdtemp(prefix="aurum-cache-"))
    with EmbeddedValkey(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def tier(server: EmbeddedValkey) -> AsyncIterator[RedisTier]:
    client = Redis.from_url(server.url, socket_timeout=1)
    await client.flushdb()
    yield RedisTier(client)
    await client.aclose()


def cache(*tiers: tuple[RedisTier, float]) -> Cache[bytes]:
    return Cache(LocalCache(policy="lru", most_entries=10, most_bytes=1000), tiers=tiers)


class Making:
    """Counts how often it was asked to make something."""

    def __init__(self, content: bytes = b"made", seconds: float = 0.0) -> None:
        self.content, self.seconds, self.count = content, seconds, 0

    async def __call__(self) -> bytes:
        self.count += 1
        await asyncio.sleep(self.seconds)
        return self.content


async def test_what_took_long_is_made_once_for_all_processes(tier: RedisTier) -> None:
    making = Making(seconds=0.02)
    assert await cache((tier, 0.01)).made("k", "v1", making, tags=()) == b"made"
    assert await cache((tier, 0.01)).made("k", "v1", making, tags=()) == b"made"
    assert making.count == 1


async def test_what_is_quickly_made_is_not_sent_to_redis(tier: RedisTier) -> None:
    making = Making()
    for _ in range(2):
        await cache((tier, 10.0)).made("k", "v1", making, tags=())
    assert making.count == 2


async def test_a_hundred_who_ask_at_once_cost_one_making() -> None:
    making, shared = Making(seconds=0.05), cache()
    answers = await asyncio.gather(*(shared.made("k", "v1", making, tags=()) for _ in range(100)))
    assert set(answers) == {b"made"}
    assert making.count == 1


async def test_whoever_asked_first_may_leave_and_the_others_are_served() -> None:
    making, shared = Making(seconds=0.05), cache()
    first = asyncio.create_task(shared.made("k", "v1", making, tags=()))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(shared.made("k", "v1", making, tags=()))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == b"made"
    assert making.count == 1


async def test_a_failure_reaches_all_who_wait_and_the_next_tries_again() -> None:
    async def failing() -> bytes:
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    shared = cache()
    found = await asyncio.gather(*(shared.made("k", "v1", failing, tags=()) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [ZeroDivisionError] * 3
    assert await shared.made("k", "v1", Making(), tags=()) == b"made"


async def test_a_tag_forgotten_everywhere_is_gone_from_redis(tier: RedisTier) -> None:
    shared = cache((tier, 0.0))
    await shared.made("k", "v1", Making(), tags=("source:pjm",))
    await shared.made("k", "v2", Making(), tags=("source:eia",))
    assert await shared.forget_everywhere(["source:pjm"]) == 1
    assert await tier.get("k:v1") is None
    assert await tier.get("k:v2") is not None


async def test_without_redis_everything_is_made() -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    making = Making(seconds=0.01)
    shared = cache((RedisTier(client), 0.0))
    assert await shared.made("k", "v1", making, tags=("t",)) == b"made"
    assert await shared.forget_everywhere(["t"]) == 0
    await client.aclose()
