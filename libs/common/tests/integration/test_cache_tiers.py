"""The cache over its tiers, with a real Redis-compatible server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from aurum.common.cache import Cache, LocalCache
from aurum.common.cache.redis import RedisTier
from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import Timeout, time_left
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.testing.waiting import wait_until


@pytest_asyncio.fixture(loop_scope="session")
async def tier(redis_server: EmbeddedValkey) -> AsyncIterator[RedisTier]:
    client = Redis.from_url(redis_server.url, socket_timeout=60)
    await client.flushdb()
    yield RedisTier(client)
    await client.aclose()


def cache(*tiers: tuple[RedisTier, float]) -> Cache[bytes]:
    return Cache(LocalCache(policy="lru", most_entries=10, most_bytes=1000), tiers=tiers)


class Making:
    """A function that makes content, and counts its calls."""

    def __init__(self, content: bytes = b"made", seconds: float = 0.0) -> None:
        self.content, self.seconds, self.count = content, seconds, 0

    async def __call__(self) -> bytes:
        self.count += 1
        await asyncio.sleep(self.seconds)
        return self.content


async def test_a_result_that_took_long_is_made_once_for_all_processes(tier: RedisTier) -> None:
    making = Making(seconds=0.02)
    first = cache((tier, 0.01))
    assert await first.get_or_make("k", "v1", making, tags=()) == b"made"
    await first.wait_for_writes(within_s=120)
    assert await cache((tier, 0.01)).get_or_make("k", "v1", making, tags=()) == b"made"
    assert making.count == 1


async def test_a_result_that_is_quickly_made_is_not_sent_to_redis(tier: RedisTier) -> None:
    making = Making()
    for _ in range(2):
        await cache((tier, 3_600.0)).get_or_make("k", "v1", making, tags=())
    assert making.count == 2


async def test_a_hundred_requests_at_once_make_one_result() -> None:
    making, shared = Making(seconds=0.05), cache()
    answers = await asyncio.gather(*(shared.get_or_make("k", "v1", making, tags=()) for _ in range(100)))
    assert set(answers) == {b"made"}
    assert making.count == 1


async def test_the_first_caller_may_leave_and_the_others_are_served() -> None:
    making, shared = Making(seconds=0.05), cache()
    first = asyncio.create_task(shared.get_or_make("k", "v1", making, tags=()))
    await wait_until(lambda: making.count == 1)
    second = asyncio.create_task(shared.get_or_make("k", "v1", making, tags=()))
    await asyncio.sleep(0)  # it has begun to wait
    first.cancel()
    assert await second == b"made"
    assert making.count == 1


async def test_a_failure_reaches_all_callers_that_wait_and_the_next_one_tries_again() -> None:
    async def failing() -> bytes:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    shared = cache()
    outcomes = await asyncio.gather(
        *(shared.get_or_make("k", "v1", failing, tags=()) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3
    assert await shared.get_or_make("k", "v1", Making(), tags=()) == b"made"


async def test_a_tag_forgotten_everywhere_is_gone_from_redis(tier: RedisTier) -> None:
    shared = cache((tier, 0.0))
    await shared.get_or_make("k", "v1", Making(), tags=("source:pjm",))
    await shared.get_or_make("k", "v2", Making(), tags=("source:eia",))
    await shared.wait_for_writes(within_s=120)
    assert await shared.forget_everywhere(["source:pjm"]) == 1
    assert await tier.get("k:v1") is None
    assert await tier.get("k:v2") is not None


async def test_without_redis_every_result_is_made() -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    making = Making(seconds=0.01)
    shared = cache((RedisTier(client), 0.0))
    assert await shared.get_or_make("k", "v1", making, tags=("t",)) == b"made"
    assert await shared.forget_everywhere(["t"]) == 0
    await client.aclose()


async def test_sets_of_tags_lose_expired_keys_and_many_keys_are_deleted_in_batches(tier: RedisTier) -> None:
    client = tier._client
    for number in range(50):
        await tier.put(f"short{number}", b"x", fresh_s=0.05, tags=("t",))

    async def are_expired() -> bool:  # Redis has no clock to set
        return not await client.exists(*(f"aurum:cache:short{number}" for number in range(50)))

    await wait_until(are_expired)
    await tier.put("long", b"x", fresh_s=3_600, tags=("t",))
    assert await client.zcard("aurum:cache:tagged:t") == 1
    for number in range(2_500):
        await tier.put(f"k{number}", b"x", fresh_s=3_600, tags=("t",))
    assert await tier.forget(["t"]) == 2_501
    assert await client.exists("aurum:cache:k0", "aurum:cache:k2499", "aurum:cache:long", "aurum:cache:tagged:t") == 0


async def test_no_request_waits_for_a_tier_to_store_a_result() -> None:
    class Slow(RedisTier):
        async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
            await ready.wait()
            put.append(key)

        async def get(self, key: str) -> None:
            return None

    ready, put = asyncio.Event(), list[str]()
    shared = cache((Slow(Redis()), 0.0))
    assert await asyncio.wait_for(shared.get_or_make("k", "v1", Making(), tags=()), 60) == b"made"
    ready.set()
    await shared.wait_for_writes(within_s=120)
    assert put == ["k:v1"]


async def test_a_result_that_is_too_long_is_stored_in_no_tier(tier: RedisTier) -> None:
    local = LocalCache[bytes](policy="lru", most_entries=10, most_bytes=1000)
    shared = Cache(local, tiers=[(tier, 0.0)], most_bytes=100)
    for length in (100, 101):
        await shared.get_or_make("k", f"v{length}", Making(b"x" * length), tags=())
    await shared.wait_for_writes(within_s=120)
    assert [await tier.get(f"k:v{length}") is not None for length in (100, 101)] == [True, False]


async def test_a_caller_that_waits_for_another_is_not_bound_by_its_deadline() -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def making() -> bytes:
        begun.set()
        await release.wait()
        return str(time_left()).encode()

    async def hurried() -> bytes:
        async with Timeout("hurried", seconds=0.02)():
            return await shared.get_or_make("k", "v1", making, tags=())

    shared = cache()
    first = asyncio.create_task(hurried())
    await begun.wait()
    second = asyncio.create_task(shared.get_or_make("k", "v1", making, tags=()))
    with pytest.raises(DeadlinePassed):
        await first
    release.set()
    assert await second == b"inf"
