"""A read as of an instant includes every load that began before it, also one whose transaction is slow."""

import asyncio
from datetime import timedelta

import pytest

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.postgres.observations.watermark import LoadInProgress, announce_load, wait_until_settled
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres


async def test_a_read_as_of_a_past_instant_waits_for_a_load_that_began_before_it(postgres_store: PostgresStore) -> None:
    pool = postgres_store.pool
    async with pool.acquire() as loading, pool.acquire() as reading:
        transaction = loading.transaction()
        await transaction.start()
        known_at = await announce_load(loading)
        later = known_at + timedelta(milliseconds=1)
        looks = 0

        def count(_query: object) -> None:
            nonlocal looks
            looks += 1

        with reading.query_logger(count):
            waiting = asyncio.create_task(wait_until_settled(reading, later, now=later, horizon_s=60, timeout_s=300))
            await wait_until(lambda: looks >= 3, "the read looks for the load again and again")
        assert not waiting.done()
        await transaction.commit()
        await waiting


async def test_a_read_that_has_waited_too_long_says_when_to_try_again(postgres_store: PostgresStore) -> None:
    pool = postgres_store.pool
    async with pool.acquire() as loading, pool.acquire() as reading, loading.transaction():
        known_at = await announce_load(loading)
        with pytest.raises(LoadInProgress) as caught:
            await wait_until_settled(reading, known_at, now=known_at, horizon_s=60, timeout_s=0.05)
        assert caught.value.retry_after is not None


async def test_a_read_as_of_an_instant_before_the_load_does_not_wait(postgres_store: PostgresStore) -> None:
    pool = postgres_store.pool
    async with pool.acquire() as loading, pool.acquire() as reading, loading.transaction():
        known_at = await announce_load(loading)
        await wait_until_settled(reading, known_at - timedelta(seconds=2), now=known_at, horizon_s=60, timeout_s=0)


async def test_a_killed_load_delays_no_read(postgres_store: PostgresStore) -> None:
    pool = postgres_store.pool
    async with pool.acquire() as reading:
        async with pool.acquire() as loading:
            await loading.execute("BEGIN")
            known_at = await announce_load(loading)
            loading.terminate()
        await wait_until_settled(reading, known_at, now=known_at, horizon_s=60, timeout_s=300)


async def test_a_load_is_seen_as_of_its_known_time_and_not_before(postgres_store: PostgresStore) -> None:
    load = file_load([(0, None, 1.0)], key="invented:numbers:visible:load", basis=KnownAtBasis.INGESTED)
    await postgres_store.loader.load(load)
    series = (await postgres_store.catalog.series_by_key(["invented:numbers:visible:load"]))["invented:numbers:visible:load"]
    now = await postgres_store.reader.observations(series.series_id, span=Span())
    known_at = now["known_at"][0]
    at = await postgres_store.reader.observations(series.series_id, span=Span(), as_of=known_at)
    before = await postgres_store.reader.observations(series.series_id, span=Span(), as_of=known_at - timedelta(microseconds=1))
    assert (at.height, before.height) == (1, 0)
