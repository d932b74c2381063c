"""Positions while many loads commit at once: no entry appears below one that was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.storage.ports.recordings import ChangeEntry, ChangeFilter
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

WRITERS, FILES = 6, 12
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def stores(database_url: str) -> AsyncIterator[list[PostgresStore]]:
    """Yield two stores over one database: one to write, one to read."""
    pools = [await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=size)) for size in (WRITERS, 2)]
    yield [PostgresStore(pool, SystemClock()) for pool in pools]
    for pool in pools:
        await pool.close()


async def test_a_reader_that_polls_during_many_loads_sees_every_entry_once_and_in_order(stores: list[PostgresStore]) -> None:
    writing, reading = stores

    async def write(writer: int) -> None:
        for number in range(FILES):
            # Files of some writers are large, so that transactions begin and commit in different orders.
            rows = [(hour, 1, float(number)) for hour in range(1 + number * 100 * (writer % 3))]
            await writing.loader.load(file_load(rows, key=f"invented:numbers:W{writer}N{number}:value"))

    writers = asyncio.gather(*(write(number) for number in range(WRITERS)))
    at = (await reading.change_log.bounds(ALWAYS)).oldest
    polled: list[ChangeEntry] = []
    is_over = False
    while not is_over:
        is_over = writers.done()
        page = await reading.change_log.changes(at, ChangeFilter(), limit=5)
        polled += page.entries
        is_over = is_over and page.is_last
        at = page.next
    await writers
    start = (await reading.change_log.bounds(ALWAYS)).oldest
    every = (await reading.change_log.changes(start, ChangeFilter(), limit=1_000)).entries
    assert len(every) == WRITERS * FILES
    assert polled == every
