"""Rows of the search on PostgreSQL: what loads write, series of older releases, a server without trigrams."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from aurum.common.clock import SystemClock
from aurum.core.search.condition import ALWAYS, Word
from aurum.core.search.ranking import Match
from aurum.services.catalog import SearchQuestion, search_series
from aurum.storage.ports.access import Actor
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

BY = Actor("operator")
KEY = "inva:prices:61761:lmp"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def keys(store: PostgresStore, word: str) -> list[str]:
    groups = tuple((await store.search.vocabulary()).groups)
    page = await store.search.page([Match(groups, Word(word) if word else ALWAYS)], after=None, limit=9)
    return [position.key for position in page]


async def test_a_load_of_known_series_writes_nothing_for_the_search(postgres_store: PostgresStore, database_url: str) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="N.Y.C.", digest="a" * 64))
    rows = "SELECT xmin::text, words::text FROM series_search UNION ALL SELECT xmin::text, word FROM search_word"
    connection = await asyncpg.connect(database_url)
    before = await connection.fetch(rows)
    await postgres_store.loader.load(file_load([(0, 2, 5.0), (1, 2, 6.0)], key=KEY, location_name="N.Y.C.", digest="b" * 64))
    assert await connection.fetch(rows) == before
    assert len(before) > 2
    await connection.close()


async def test_series_of_an_older_release_are_found(postgres_store: PostgresStore, database_url: str) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="N.Y.C."))
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM series_search")
    assert await keys(postgres_store, "nyc") == [KEY]
    await connection.execute("UPDATE series SET location_name = 'Elsewhere'")
    assert await keys(postgres_store, "elsewhere") == []
    assert await postgres_store.catalog_writer.refresh_search() == 1
    assert await keys(postgres_store, "elsewhere") == [KEY]
    assert await postgres_store.catalog_writer.refresh_search() == 0
    await connection.close()


async def test_more_names_than_are_sorted_are_read_in_order(
    postgres_store: PostgresStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aurum.storage.postgres.catalog.search._FEW", 2)
    expected: list[str] = []
    for number in range(6):
        for measure in ("congestion", "lmp"):
            expected.append(f"inva:prices:{number}:{measure}")
            await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=expected[-1], location_name=f"Node {number}"))
    for _ in range(2):
        assert await keys(postgres_store, "node") == expected[:9]
    assert await keys(postgres_store, "3") == ["inva:prices:3:congestion", "inva:prices:3:lmp"]


async def test_a_server_without_trigrams_mends_no_words(postgres_store: PostgresStore, database_url: str) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="Houston"))
    question = SearchQuestion("houstno")
    mended = await search_series(postgres_store.catalog, postgres_store.search, question, limit=9)
    assert ([str(hit.series.key) for hit in mended.hits], mended.mends) == ([KEY], True)
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP EXTENSION pg_trgm CASCADE")
    await connection.close()
    without = PostgresStore(postgres_store.pool, SystemClock())
    answer = await search_series(without.catalog, without.search, question, limit=9)
    assert (list(answer.hits), answer.mends, list(answer.suggestions)) == ([], False, [])
    exact = await search_series(without.catalog, without.search, SearchQuestion("houston"), limit=9)
    assert len(exact.hits) == 1


async def words(store: PostgresStore, *among: str) -> set[str]:
    return set((await store.search.known_names(among, [])).words)


async def test_a_word_stays_when_a_load_with_it_waits_for_the_removal_of_the_other_series_that_has_it(
    postgres_store: PostgresStore,
) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="Zanzibar"))
    other = "inva:prices:61762:lmp"
    async with postgres_store.transactions.transaction(by=BY) as tx:
        stored = await tx.removal.lock(KEY)
        assert stored is not None
        await tx.removal.remove(stored)
        load = asyncio.create_task(
            postgres_store.loader.load(file_load([(0, 1, 1.0)], key=other, location_name="Zanzibar", digest="b" * 64))
        )

        async def waits_or_ended() -> bool:
            async with postgres_store.pool.acquire() as connection:
                return load.done() or await connection.fetchval(WAITING) > 0

        await wait_until(waits_or_ended)
    await load
    assert await words(postgres_store, "zanzibar", "61761", "61762") == {"zanzibar", "61762"}
    assert await keys(postgres_store, "zanzibar") == [other]


async def test_a_word_stays_when_its_other_series_is_removed_during_a_load_with_it(
    postgres_store: PostgresStore,
) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="Zanzibar"))
    other = file_load([(0, 1, 1.0)], key="inva:prices:61762:lmp", location_name="Zanzibar").parts[0].series
    async with postgres_store.transactions.transaction(by=BY) as loading:
        await loading.observations.lock(other)
        async with postgres_store.transactions.transaction(by=BY) as tx:
            stored = await tx.removal.lock(KEY)
            assert stored is not None
            await tx.removal.remove(stored)
    assert await words(postgres_store, "zanzibar", "61761", "61762") == {"zanzibar", "61762"}


async def test_a_word_that_only_an_old_name_had_is_removed(postgres_store: PostgresStore) -> None:
    for digest, name in (("a" * 64, "Old Hub"), ("b" * 64, "New Hub")):
        await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, digest=digest, location_name=name))
    assert await words(postgres_store, "old", "new", "hub", "61761") == {"new", "hub", "61761"}


async def test_a_refresh_corrects_the_distinct_words(postgres_store: PostgresStore, database_url: str) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="N.Y.C."))
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM search_word WHERE word = 'nyc'; INSERT INTO search_word VALUES ('stale')")
    await connection.close()
    assert await postgres_store.catalog_writer.refresh_search() == 0
    assert await words(postgres_store, "nyc", "stale", "61761") == {"nyc", "61761"}


async def test_a_refresh_announces_what_it_changes_and_nothing_else(postgres_store: PostgresStore, database_url: str) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=KEY, location_name="N.Y.C."))
    await postgres_store.catalog_writer.refresh_search()
    connection = await asyncpg.connect(database_url)
    listener = await asyncpg.connect(database_url)
    heard: list[str] = []
    await listener.add_listener("aurum_changes", lambda *arguments: heard.append(str(arguments[3])))

    async def announced(before: str = "") -> list[str]:
        if before:
            # Without triggers, so that the refresh is what announces.
            await connection.execute(f"SET session_replication_role = replica; {before}")
        heard.clear()
        await postgres_store.catalog_writer.refresh_search()
        await connection.execute("SELECT pg_notify('aurum_changes', 'end')")
        await wait_until(lambda: "end" in heard)
        return sorted(set(heard))

    assert await announced() == ["end"]
    assert await announced("UPDATE search_group SET words = '{other}'") == ["catalog", "end"]
    assert await announced("UPDATE search_group SET rank = rank + 1") == ["catalog", "end"]
    assert await announced("UPDATE series SET location_name = 'Elsewhere'") == ["catalog", "end"]
    assert await announced() == ["end"]
    await connection.close()
    await listener.close()
