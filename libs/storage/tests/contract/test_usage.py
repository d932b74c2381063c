"""Usage by caller and day: batches of several processes add up, each of them once."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from aurum.storage.ports.usage import DayUsage, UsageBatch
from aurum.storage.testing.stores import Store

MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)


def used(subject: str, day: date = MONDAY, *, tenant: str = "acme", requests: int = 1) -> DayUsage:
    return DayUsage(tenant, subject, day, requests, 10 * requests, 100 * requests)


async def test_batches_add_up_by_caller_and_day(store: Store) -> None:
    await store.usage.add(UsageBatch("one", 1, [used("key:a"), used("key:b"), used("key:a", TUESDAY)]))
    await store.usage.add(UsageBatch("one", 2, [used("key:a", requests=4)]))
    await store.usage.add(UsageBatch("two", 1, [used("key:a", requests=7)]))
    assert await store.usage.of_caller("acme", "key:a", since=MONDAY) == [used("key:a", requests=12), used("key:a", TUESDAY)]
    assert await store.usage.of_caller("acme", "key:a", since=TUESDAY) == [used("key:a", TUESDAY)]
    assert await store.usage.of_caller("bolt", "key:a", since=MONDAY) == []


async def test_a_batch_that_is_sent_again_counts_once(store: Store) -> None:
    batch = UsageBatch("one", 1, [used("key:a")])
    for _ in range(3):
        await store.usage.add(batch)
    await store.usage.add(UsageBatch("one", 2, [used("key:a")]))
    await store.usage.add(batch)
    assert await store.usage.of_caller("acme", "key:a", since=MONDAY) == [used("key:a", requests=2)]


async def test_processes_that_add_at_the_same_time_lose_nothing(store: Store) -> None:
    callers = [f"key:{number}" for number in range(20)]

    async def process(name: str, order: list[str]) -> None:
        for number in range(1, 6):
            await store.usage.add(UsageBatch(name, number, [used(caller) for caller in order]))

    await asyncio.gather(process("one", callers), process("two", callers[::-1]), process("three", callers))
    page = await store.usage.page(tenant="acme", since=MONDAY, after=None, limit=100)
    assert [one.requests for one in page] == [15] * 20


async def test_pages_ascend_by_day_tenant_and_caller(store: Store) -> None:
    days = [used("key:b"), used("key:a"), used("key:B"), used("key:a", tenant="bolt"), used("key:a", TUESDAY)]
    await store.usage.add(UsageBatch("one", 1, days))
    everything = [used("key:B"), used("key:a"), used("key:b"), used("key:a", tenant="bolt"), used("key:a", TUESDAY)]
    assert await store.usage.page(tenant=None, since=MONDAY, after=None, limit=9) == everything
    assert await store.usage.page(tenant=None, since=MONDAY, after=(MONDAY, "acme", "key:a"), limit=2) == everything[2:4]
    assert await store.usage.page(tenant="bolt", since=MONDAY, after=None, limit=9) == everything[3:4]
    assert await store.usage.page(tenant=None, since=TUESDAY, after=None, limit=9) == everything[4:]


async def test_a_batch_without_items_changes_nothing(store: Store) -> None:
    await store.usage.add(UsageBatch("one", 1, []))
    assert await store.usage.page(tenant=None, since=date(1, 1, 1), after=None, limit=9) == []
