"""The response cache's tier in PostgreSQL."""

from __future__ import annotations

import pytest

from aurum.common.cache import Stored, Tier, TierUnavailable
from aurum.common.settings import DatabaseSettings
from aurum.storage.postgres.cache import PostgresCacheTier
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres


async def test_an_entry_is_cached_until_it_is_old_or_forgotten(postgres_store: PostgresStore) -> None:
    tier: Tier = PostgresCacheTier(postgres_store.pool)
    await tier.put("a", b"1", fresh_s=60, tags=["series:1", "source:pjm"])
    await tier.put("b", b"2", fresh_s=60, tags=["series:2"])
    await tier.put("c", b"3", fresh_s=-1, tags=[])
    entry = await tier.get("a")
    assert isinstance(entry, Stored)
    assert entry.content == b"1"
    assert 50 < entry.fresh_s <= 60
    assert await tier.get("c") is None
    assert await tier.forget(["series:1", "nothing"]) == 1
    assert await tier.get("a") is None
    assert await tier.get("b") is not None


async def test_a_key_put_twice_holds_the_second(postgres_store: PostgresStore) -> None:
    tier = PostgresCacheTier(postgres_store.pool)
    await tier.put("a", b"1", fresh_s=60, tags=["x"])
    await tier.put("a", b"2", fresh_s=60, tags=["y"])
    assert await tier.forget(["x"]) == 0
    entry = await tier.get("a")
    assert entry is not None
    assert entry.content == b"2"


async def test_sweeping_deletes_old_entries(postgres_store: PostgresStore) -> None:
    tier = PostgresCacheTier(postgres_store.pool)
    await tier.put("a", b"1", fresh_s=-1, tags=[])
    await tier.put("b", b"2", fresh_s=60, tags=[])
    assert await tier.sweep() == 1
    assert await tier.get("b") is not None


async def test_a_database_that_does_not_answer_is_a_tier_that_is_away(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    tier = PostgresCacheTier(pool)
    await pool.close()
    with pytest.raises(TierUnavailable):
        await tier.get("a")
    with pytest.raises(TierUnavailable):
        await tier.put("a", b"", fresh_s=1, tags=[])
