"""Writers of two processes at once: no deadlock, no lost publication, and the answer of the model."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.asof import Span
from aurum.storage.ports.files import FileLoad, LoadOutcome
from aurum.storage.ports.quality import CompletenessFilter
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.builders import Point, day, file_load, together
from aurum.storage.testing.expected import expected_observations, expected_revisions
from aurum.storage.testing.stores import PostgresStore, series_named
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

KEYS = [f"invented:numbers:{name}:value" for name in "ABCDE"]
TIMEOUT_S = 300


@pytest_asyncio.fixture(loop_scope="session")
async def stores(database_url: str) -> AsyncIterator[list[PostgresStore]]:
    """Yield two stores over one database, each with a pool of its own."""
    pools = [await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=3)) for _ in range(2)]
    yield [PostgresStore(pool, SystemClock()) for pool in pools]
    for pool in pools:
        await pool.close()


def overlapping(rnd: random.Random, files: int) -> list[dict[str, list[Point]]]:
    """Return files with different values for the same points of the same series, with the series in any order."""
    return [
        {
            key: [
                (rnd.randrange(30), rnd.randrange(5), rnd.choice([1.0, 2.0, float("nan")])) for _ in range(rnd.randrange(1, 12))
            ]
            for key in rnd.sample(KEYS, rnd.randrange(2, len(KEYS) + 1))
        }
        for _ in range(files)
    ]


def to_file(points_by_key: dict[str, list[Point]]) -> FileLoad:
    return together(*(file_load(points, key=key) for key, points in points_by_key.items()))


async def load_all(store: PostgresStore, files: list[FileLoad]) -> list[LoadOutcome]:
    return [await store.loader.load(file) for file in files]


@pytest.mark.parametrize("seed", range(6))
async def test_concurrent_writers_leave_the_rows_of_the_model(stores: list[PostgresStore], seed: int) -> None:
    rnd = random.Random(seed)
    contents = overlapping(rnd, files=10)
    files = [to_file(content) for content in contents]
    orders = [rnd.sample(files[:6], 6), rnd.sample(files[4:], 6)]  # two of the files are loaded by both
    async with asyncio.timeout(TIMEOUT_S):
        done = await asyncio.gather(*(load_all(store, order) for store, order in zip(stores, orders, strict=True)))
    assert sum(outcome.already_loaded for outcomes in done for outcome in outcomes) == 2
    for key in KEYS:
        points = [point for content in contents for point in content.get(key, [])]
        series = await series_named(stores[0], key)
        revisions = await stores[0].reader.revisions(series.series_id, span=Span())
        assert_frame_equal(revisions, expected_revisions(points))
        for at in range(5):
            observations = await stores[1].reader.observations(series.series_id, span=Span(), as_of=day(at))
            assert_frame_equal(observations, expected_observations(points, day(at)))


async def test_no_version_is_lost_between_writers(stores: list[PostgresStore]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(
            *(stores[number % 2].loader.load(file_load([(number, 1, 1.0)], key=KEYS[0])) for number in range(12))
        )
    series = await series_named(stores[0], KEYS[0])
    days = await stores[0].quality.completeness_page(CompletenessFilter(), after=None, limit=9)
    assert series.version == 12
    assert [entry.present for entry in days] == [12]


async def test_a_load_that_a_deadlock_ended_is_done_again(stores: list[PostgresStore]) -> None:
    store = stores[0]
    first, second = KEYS[:2]
    await store.loader.load(to_file({first: [(0, 0, 1.0)], second: [(0, 0, 1.0)]}))
    async with stores[1].pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        # Loads lock series in the order of their ids; this transaction locks them in the opposite order.
        await other.execute("SELECT FROM series WHERE key = $1 FOR UPDATE", second)
        load = asyncio.create_task(store.loader.load(to_file({first: [(0, 1, 2.0)], second: [(0, 1, 2.0)]})))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        await wait_until(lambda: other.fetchval(waiting))
        # The session that has waited longest detects the deadlock, and is its victim.
        await other.execute("SELECT FROM series WHERE key = $1 FOR UPDATE", first)
        await transaction.commit()
    outcome = await asyncio.wait_for(load, TIMEOUT_S)
    assert outcome.revised == 2
