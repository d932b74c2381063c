"""Usage is counted by caller and UTC day, waits for a store that is away, and is added once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from aurum.core.access import EVERY_PERMISSION, Caller
from aurum.core.errors import Unavailable
from aurum.services.usage import OTHERS, UsageCounter, stored_subject
from aurum.storage.memory.usage import MemoryUsageStore
from aurum.storage.ports.usage import DayUsage, UsageBatch

MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)


def caller(subject: str = "key:a", tenant: str = "acme") -> Caller:
    return Caller(tenant, subject, EVERY_PERMISSION)


class Time:
    """A clock of the day and a monotonic one that advance together."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, tzinfo=UTC)
        self.seconds = 50.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, span: timedelta) -> None:
        self.at += span
        self.seconds += span.total_seconds()


class Store(MemoryUsageStore):
    """A store that can be away, and that can lose the answer to a write. ``batches``: those that it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.loses_answers = False
        self.batches: list[UsageBatch] = []

    async def add(self, batch: UsageBatch) -> None:
        self.batches.append(batch)
        if self.is_away:
            raise Unavailable("the store is away")
        await super().add(batch)
        if self.loses_answers:
            raise Unavailable("the answer was lost")

    async def all(self) -> Sequence[DayUsage]:
        return await self.page(tenant=None, since=date.min, after=None, limit=1_000)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def at() -> Time:
    return Time()


@pytest.fixture
def counter(store: Store, at: Time) -> UsageCounter:
    return UsageCounter(store, at, monotonic=at.monotonic)


def use(counter: UsageCounter, at: Time, who: Caller | None = None, times: int = 1) -> None:
    for _ in range(times):
        counter.count(who or caller(), at.monotonic(), requests=1, points=24, size=1_000)


async def test_counts_are_written_once_by_caller(counter: UsageCounter, store: Store, at: Time) -> None:
    use(counter, at, times=3)
    use(counter, at, caller("key:b"))
    use(counter, at, caller(tenant="bolt"))
    for _ in range(2):
        await counter.write()
    assert await store.all() == [
        DayUsage("acme", "key:a", MONDAY, 3, 72, 3_000),
        DayUsage("acme", "key:b", MONDAY, 1, 24, 1_000),
        DayUsage("bolt", "key:a", MONDAY, 1, 24, 1_000),
    ]
    assert len(store.batches) == 1


async def test_a_request_counts_for_its_own_day(counter: UsageCounter, store: Store, at: Time) -> None:
    use(counter, at)
    at.advance(timedelta(hours=12) - timedelta(microseconds=1))
    use(counter, at)
    at.advance(timedelta(microseconds=1))
    use(counter, at, times=5)
    await counter.write()
    assert [(one.day, one.requests) for one in await store.all()] == [(MONDAY, 2), (TUESDAY, 5)]


async def test_a_store_that_is_away_delays_and_loses_nothing(counter: UsageCounter, store: Store, at: Time) -> None:
    store.is_away = True
    for _ in range(3):
        use(counter, at)
        await counter.write()
        at.advance(timedelta(hours=8))
    assert await store.all() == []
    store.is_away = False
    await counter.write()
    assert [(one.day, one.requests) for one in await store.all()] == [(MONDAY, 2), (TUESDAY, 1)]


async def test_a_write_whose_answer_was_lost_is_sent_again_and_counts_once(
    counter: UsageCounter, store: Store, at: Time
) -> None:
    use(counter, at)
    store.loses_answers = True
    await counter.write()
    use(counter, at)
    await counter.write()
    store.loses_answers = False
    await counter.write()
    assert [one.requests for one in await store.all()] == [2]


async def test_the_last_days_show_what_is_written_and_what_is_not(counter: UsageCounter, store: Store, at: Time) -> None:
    await store.add(UsageBatch("another process", 1, [DayUsage("acme", "key:a", MONDAY, 10, 0, 0)]))
    use(counter, at)
    store.is_away = True
    await counter.write()
    store.is_away = False
    at.advance(timedelta(days=1))
    use(counter, at, times=2)
    use(counter, at, caller("key:b"))
    days = await counter.recent(caller(), days=3)
    assert [(one.day, one.requests) for one in days] == [(MONDAY - timedelta(days=1), 0), (MONDAY, 11), (TUESDAY, 2)]
    assert [one.requests for one in await counter.recent(caller(), days=1)] == [2]
    await counter.write()
    assert [one.requests for one in await counter.recent(caller(), days=3)] == [0, 11, 2]


async def test_counts_are_seen_once_while_they_are_written(store: Store, at: Time) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(Store):
        async def add(self, batch: UsageBatch) -> None:
            await super().add(batch)
            begun.set()
            await goes_on.wait()

    counter = UsageCounter(Slow(), at, monotonic=at.monotonic)
    use(counter, at)
    writing = asyncio.create_task(counter.write())
    await begun.wait()
    reading = asyncio.create_task(counter.recent(caller(), days=1))
    goes_on.set()
    await writing
    assert [one.requests for one in await reading] == [1]


async def test_memory_is_bounded_and_the_rest_counts_for_the_tenant(store: Store, at: Time) -> None:
    counter = UsageCounter(store, at, monotonic=at.monotonic, most=10)
    store.is_away = True
    for number in range(100):
        use(counter, at, caller(f"user:{number}"))
    await counter.write()
    store.is_away = False
    await counter.write()
    stored = {one.subject: one.requests for one in await store.all()}
    assert stored[OTHERS] == 90
    assert len(stored) == 11


async def test_days_of_an_outage_are_bounded_too(store: Store, at: Time) -> None:
    counter = UsageCounter(store, at, monotonic=at.monotonic, most=10)
    for _ in range(30):
        for number in range(5):
            use(counter, at, caller(f"user:{number}"))
        at.advance(timedelta(days=1))
    await counter.write()
    assert sum(one.requests for one in await store.all()) == 150
    assert len(await store.all()) <= 10 + 30


async def test_names_that_no_index_holds_are_stored_all_the_same(counter: UsageCounter, store: Store, at: Time) -> None:
    odd, other, long = caller("user:\x00"), caller("user:\ud800"), caller("user:" + "x" * 5_000)
    for one in (odd, other, long):
        use(counter, at, one)
    await counter.write()
    assert {one.subject: one.requests for one in await store.all()} == {
        "user:\ufffd": 2,
        stored_subject(long.subject): 1,
    }
    assert len(stored_subject(long.subject)) < 250
    assert stored_subject(long.subject) != stored_subject(long.subject + "x")
    assert [one.requests for one in await counter.recent(long, days=1)] == [1]
