"""Listeners hear of every committed change, through interruptions too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.settings import DatabaseSettings
from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.files import FileLoad
from aurum.storage.postgres.changes import PostgresChangeFeed
from aurum.storage.testing.builders import file_load, together
from aurum.storage.testing.stores import PostgresStore, series_named
from aurum.storage.testing.waiting import wait_until


def hourly_file(values: dict[str, list[float]]) -> FileLoad:
    """Return a file of hourly values by series key, whose known time depends on the values, so a revision is known later."""
    known = 1 + int(sum(map(sum, values.values())))
    return together(
        *(file_load([(hour, known, value) for hour, value in enumerate(series)], key=key) for key, series in values.items())
    )


class ChangeLog(list[Change]):
    """The changes that a listener heard of, in order."""

    def kinds(self) -> set[ChangeKind]:
        return {change.kind for change in self}

    def series(self) -> set[int]:
        return {int(name) for change in self if change.kind is ChangeKind.SERIES for name in change.names}


@pytest_asyncio.fixture(loop_scope="session")
async def feed(database_url: str) -> AsyncIterator[PostgresChangeFeed]:
    async with PostgresChangeFeed.open(DatabaseSettings(url=database_url)) as opened:
        await wait_until(lambda: opened.delivered_until > 0)
        yield opened


@pytest.fixture
def heard(feed: PostgresChangeFeed) -> ChangeLog:
    changes = ChangeLog()
    feed.listen(changes.append)
    return changes


async def test_a_load_announces_exactly_the_series_it_changed(
    feed: PostgresChangeFeed, heard: ChangeLog, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(hourly_file({"a:b:c:d": [1.0, 2.0], "a:b:e:d": [3.0]}))
    await feed.catch_up()
    ids = {key: (await series_named(postgres_store, key)).series_id for key in ("a:b:c:d", "a:b:e:d")}
    assert heard.series() == set(ids.values())
    assert ChangeKind.CATALOG in heard.kinds()
    heard.clear()
    await postgres_store.loader.load(hourly_file({"a:b:c:d": [1.0, 2.5], "a:b:e:d": [3.0]}))
    await feed.catch_up()
    assert heard.series() == {ids["a:b:c:d"]}


async def test_a_load_that_changes_nothing_announces_no_series(
    feed: PostgresChangeFeed, heard: ChangeLog, postgres_store: PostgresStore
) -> None:
    load = hourly_file({"a:b:c:d": [1.0, 2.0]})
    await postgres_store.loader.load(load)
    await feed.catch_up()
    heard.clear()
    await postgres_store.loader.load(load, force=True)
    await feed.catch_up()
    assert heard.series() == set()


async def test_a_new_description_is_a_change_of_the_catalog(
    feed: PostgresChangeFeed, heard: ChangeLog, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], location_name="Old"))
    await feed.catch_up()
    heard.clear()
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], location_name="New"))
    await feed.catch_up()
    assert ChangeKind.CATALOG in heard.kinds()


async def test_one_load_announces_thousands_of_series(
    feed: PostgresChangeFeed, heard: ChangeLog, postgres_store: PostgresStore
) -> None:
    outcome = await postgres_store.loader.load(hourly_file({f"a:b:{number}:d": [1.0] for number in range(3_000)}))
    await feed.catch_up()
    assert heard.series() == set(outcome.changed_series)
    assert len(heard.series()) == 3_000


async def test_every_process_hears_of_a_change_in_one(feed: PostgresChangeFeed, heard: ChangeLog, database_url: str) -> None:
    await wait_until(lambda: feed.delivered_until > 0)
    tags = tuple(f"source:number{number}" for number in range(2_000))
    async with PostgresChangeFeed.open(DatabaseSettings(url=database_url)) as other:
        await wait_until(lambda: other.delivered_until > 0)
        await other.publish(Change(ChangeKind.CACHE, tags))
        await feed.catch_up()
    assert [name for change in heard if change.kind is ChangeKind.CACHE for name in change.names] == list(tags)


async def test_after_an_interruption_everything_may_have_changed(
    feed: PostgresChangeFeed, heard: ChangeLog, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aurum changes' "
        "AND datname = current_database()"
    )
    await connection.close()
    await wait_until(lambda: ChangeKind.EVERYTHING in heard.kinds())
    interrupted_at = time.monotonic()
    await wait_until(lambda: feed.delivered_until > interrupted_at)


async def test_a_store_that_does_not_answer_leaves_the_feed_behind_and_unavailable() -> None:
    async with PostgresChangeFeed.open(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none")) as feed:
        with pytest.raises(Unavailable):
            await feed.catch_up()
        assert feed.delivered_until < 0


async def test_a_store_has_one_timeline_and_another_store_another(
    feed: PostgresChangeFeed, database_url: str, shared_database_url: str
) -> None:
    assert feed.timeline
    async with PostgresChangeFeed.open(DatabaseSettings(url=database_url)) as same:
        await wait_until(lambda: same.delivered_until > 0)
        assert same.timeline == feed.timeline
    async with PostgresChangeFeed.open(DatabaseSettings(url=shared_database_url)) as other:
        await wait_until(lambda: other.delivered_until > 0)
        assert other.timeline != feed.timeline


async def test_a_user_who_may_not_read_the_timeline_still_knows_the_database(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    await owner.execute("CREATE ROLE tenant_of_a_server LOGIN")
    try:
        rented = database_url.replace("postgres:@", "tenant_of_a_server:@")
        async with PostgresChangeFeed.open(DatabaseSettings(url=rented)) as feed:
            await wait_until(lambda: feed.delivered_until > 0)
            assert feed.timeline == await owner.fetchval("SELECT oid::text FROM pg_database WHERE datname = current_database()")
    finally:
        await owner.execute("DROP ROLE tenant_of_a_server")
        await owner.close()


async def test_a_feed_goes_on_after_an_unforeseen_failure(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, failures = PostgresChangeFeed._connect, iter([ValueError("an unforeseen failure")])

    async def connect_at_last(feed: PostgresChangeFeed) -> None:
        for error in failures:
            raise error
        await connect(feed)

    monkeypatch.setattr(PostgresChangeFeed, "_connect", connect_at_last)
    async with PostgresChangeFeed.open(DatabaseSettings(url=database_url)) as feed:
        await wait_until(lambda: feed.delivered_until > 0)
