"""Quotes on PostgreSQL: reads that wait for loads, what the change feed is told, and loads of one product at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.curves import reader as curve_reader
from aurum.storage.postgres.observations.watermark import LoadInProgress, announce_load
from aurum.storage.testing.builders import day
from aurum.storage.testing.curves import (
    BY,
    EVERYTHING,
    Quote,
    add_product,
    expected_versions,
    product_named,
    quotes_file,
)
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

KEY, OTHER = "power:XX:base:INVENTED", "power:XX:peak:INVENTED"


@pytest_asyncio.fixture(loop_scope="session")
async def heard(postgres_store: PostgresStore, database_url: str) -> AsyncIterator[list[str]]:
    """Notifications of changes, as they come."""
    payloads: list[str] = []
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("aurum_changes", lambda *arguments: payloads.append(str(arguments[3])))
    yield payloads
    await listener.close()


async def test_a_read_as_of_a_past_instant_waits_for_a_load_that_began_before_it(postgres_store: PostgresStore) -> None:
    curve_id = (await add_product(postgres_store, KEY)).curve_id
    async with postgres_store.pool.acquire() as loading:
        transaction = loading.transaction()
        await transaction.start()
        # A load takes this lock before it reads the clock; its rows are not committed yet.
        known_at = await announce_load(loading)
        await _store_quote(loading, curve_id, known_at)
        read, before = postgres_store.curves, known_at - timedelta(seconds=2)
        assert (await read.quotes([curve_id], EVERYTHING, as_of=before)).is_empty()
        assert (await read.quotes([curve_id], EVERYTHING)).is_empty()
        reading = [
            asyncio.create_task(read.quotes([curve_id], EVERYTHING, as_of=known_at)),
            asyncio.create_task(read.trade_dates([curve_id], as_of=known_at)),
        ]
        # Without the wait they would have answered by now that no quote is stored.
        assert (await read.quotes([curve_id], EVERYTHING)).is_empty()
        assert not any(task.done() for task in reading)
        await transaction.commit()
    assert [(await task).height for task in reading] == [1, 1]


async def test_a_read_that_has_waited_too_long_says_when_to_try_again(
    postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve_reader, "_SETTLE_TIMEOUT_S", 0.05)
    async with postgres_store.pool.acquire() as loading, loading.transaction():
        known_at = await announce_load(loading)
        with pytest.raises(LoadInProgress) as caught:
            await postgres_store.curves.quotes([1], EVERYTHING, as_of=known_at)
    assert caught.value.retry_after is not None


async def _store_quote(connection: Connection, curve_id: int, known_at: object) -> None:
    await connection.execute(
        "INSERT INTO recording (recording_id, recorded_at, action) VALUES (4711, clock_timestamp(), 'load')"
    )
    identity = f"({curve_id}, '2030-01-01', '2030-01-01', '2030-02-01'"
    columns = "(curve_id, trade_date, delivery_start, delivery_end, known_at"
    await connection.execute(f"INSERT INTO quote {columns}, recording_id) VALUES {identity}, $1, 4711)", known_at)


async def test_changed_products_are_announced_with_their_commit(postgres_store: PostgresStore, heard: list[str]) -> None:
    ids = [(await add_product(postgres_store, key)).curve_id for key in (KEY, OTHER)]
    await wait_until(lambda: heard.count("curves") == 2, "both products are in the list")
    heard.clear()
    await postgres_store.loader.load(quotes_file({KEY: [(0, 0, 1, 1.0)], OTHER: []}))
    await wait_until(lambda: any(one.startswith("recorded:") for one in heard), "the load is announced")
    assert f"curves:{ids[0]}" in heard
    assert not any(str(ids[1]) in one.removeprefix("curves:").split(",") for one in heard if one.startswith("curves:"))
    heard.clear()
    async with postgres_store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product_named(OTHER, title="Another"), tenant=None, version=1)
    await wait_until(lambda: heard == [f"curves:{ids[1]}"], "new terms are announced")


async def test_products_of_tenants_are_announced_to_no_process(postgres_store: PostgresStore, heard: list[str]) -> None:
    async with postgres_store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("acme", "acme", "basic")
    await add_product(postgres_store, KEY, tenant="acme")
    await postgres_store.loader.load(quotes_file([(0, 0, 1, 1.0)], tenant="acme"))
    await add_product(postgres_store, OTHER)
    await wait_until(lambda: "curves" in heard, "the shared product is announced")
    assert heard.count("curves") == 1
    assert not any(one.startswith(("curves:", "recorded:", "files")) for one in heard)


async def test_many_loads_of_one_product_at_once_leave_what_the_law_demands(postgres_store: PostgresStore) -> None:
    curve_id = (await add_product(postgres_store, KEY)).curve_id
    files: list[list[Quote]] = [
        [(traded, month, known, float((traded + known) % 3)) for traded in range(3) for month in range(2)] for known in range(6)
    ]
    loads = (postgres_store.loader.load(quotes_file(file)) for file in [*files, *files[::-1]])
    await asyncio.gather(*loads)
    versions = await postgres_store.curves.versions([curve_id], EVERYTHING)
    assert_frame_equal(versions, expected_versions(curve_id, [quote for file in files for quote in file]))
    async with postgres_store.pool.acquire() as connection:
        stored = "SELECT (SELECT count(*) FROM quote) + (SELECT count(*) FROM quote_publication)"
        assert await connection.fetchval(stored) == sum(map(len, files))


async def test_a_load_that_fails_leaves_nothing(postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    product = await add_product(postgres_store, KEY)
    file = quotes_file([(0, 0, None, 1.0)], basis=KnownAtBasis.INGESTED)

    async def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("out of cheese")

    with monkeypatch.context() as patch:
        patch.setattr("aurum.storage.postgres.recordings.writer.PostgresRecordingWriter.seal", fail)
        with pytest.raises(RuntimeError):
            await postgres_store.loader.load(file)
    assert (await postgres_store.curves.quotes([product.curve_id], EVERYTHING)).is_empty()
    assert await postgres_store.curves.product(KEY, tenant=None) == product
    assert (await postgres_store.loader.load(file)).new == 1


async def test_another_process_reads_products_of_tenants_too(postgres_store: PostgresStore) -> None:
    async with postgres_store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("acme", "acme", "basic")
    await add_product(postgres_store, KEY, tenant="acme")
    await postgres_store.loader.load(quotes_file([(0, 0, 1, 1.0)], tenant="acme"))
    other = PostgresStore(postgres_store.pool, SystemClock())
    curve_id = (await other.curves.product(KEY, tenant="acme")).curve_id
    assert (await other.curves.quotes([curve_id], EVERYTHING, as_of=day(1))).height == 1
    await other.close()
