"""The connections for small reads: their order, their number, and broken connections."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from aurum.common.resilience.timeout import reset_deadline, set_deadline
from aurum.common.settings import DatabaseSettings
from aurum.core.errors import Unavailable
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.faults import cut_connections
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres


async def test_many_reads_at_once_share_few_connections(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=4))
    rows = await asyncio.gather(*(pool.reads.fetchrow("SELECT $1::int, pg_backend_pid()", number) for number in range(200)))
    assert [row[0] for row in rows if row is not None] == list(range(200))
    assert len({row[1] for row in rows if row is not None}) <= 2
    await pool.close()


async def test_a_failing_read_gives_its_connection_back(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    for _ in range(5):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pool.reads.fetchrow("SELECT 1 / $1::int", 0)
    row = await pool.reads.fetchrow("SELECT 1 / $1::int", 1)
    assert row is not None
    assert row[0] == 1
    await pool.close()


async def test_a_cancelled_read_leaves_its_connection_usable(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    slow = asyncio.create_task(pool.reads.fetchrow("SELECT pg_sleep(600)"))
    waiting = asyncio.create_task(pool.reads.fetchrow("SELECT 1"))
    cancelled = asyncio.create_task(pool.reads.fetchrow("SELECT 2"))
    await wait_until(lambda: (pool.use().busy, pool.use().waiting) == (1, 2))
    cancelled.cancel()
    slow.cancel()
    row = await asyncio.wait_for(waiting, 60)
    assert row is not None
    assert row[0] == 1
    await pool.close()


async def test_reads_of_a_silent_server_end_when_that_is_known(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    slow = asyncio.create_task(pool.reads.fetchrow("SELECT pg_sleep(600)"))
    await wait_until(lambda: pool.use().busy == 1)
    pool.reads.cancel_reads()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(slow, 300)
    row = await pool.reads.fetchrow("SELECT 1")
    assert row is not None
    await pool.close()


async def test_connections_that_were_cut_while_idle_fail_no_read(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=8))

    async def are_all_open() -> bool:
        await asyncio.gather(*(pool.reads.fetchrow("SELECT pg_sleep(0.05)") for _ in range(8)))
        return pool.reads.idle == 4

    await wait_until(are_all_open)
    cut_connections(database_url)
    for number in range(8):
        row = await pool.reads.fetchrow("SELECT $1::int", number)
        assert row is not None
        assert row[0] == number
    assert (pool.use().busy, pool.use().waiting) == (0, 0)
    await pool.close()


async def test_a_server_that_is_busy_says_so_in_time(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    slow = asyncio.create_task(pool.reads.fetchrow("SELECT pg_sleep(600)"))
    await wait_until(lambda: pool.use().busy == 1)
    pool.reads._wait_limit_s = 0.3
    with pytest.raises(Unavailable, match="busy"):
        await pool.reads.fetchrow("SELECT 1")
    slow.cancel()
    await asyncio.wait([slow])
    await pool.close()


async def test_a_read_with_a_deadline_ends_on_the_server_too(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    token = set_deadline(time.monotonic() + 0.2)
    with pytest.raises(Unavailable):
        await pool.reads.fetchrow("SELECT pg_sleep(600), 'for the deadline'")
    reset_deadline(token)
    still = """SELECT count(*) FROM pg_stat_activity
               WHERE state = 'active' AND query LIKE '%for the deadline%' AND pid <> pg_backend_pid()"""

    async def has_ended() -> bool:
        row = await pool.reads.fetchrow(still)
        return row is not None and row[0] == 0

    await wait_until(has_ended, "the server ends a query whose caller has left")
    await pool.close()


async def test_idle_read_connections_are_not_busy_and_waiting_callers_are_counted(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    await pool.reads.fetchrow("SELECT 1")
    assert (pool.use().busy, pool.use().waiting) == (0, 0)
    async with pool.acquire():
        slow = asyncio.create_task(pool.reads.fetchrow("SELECT pg_sleep(600)"))
        third, fourth = asyncio.create_task(pool.reads.fetchrow("SELECT 1")), asyncio.create_task(_acquire_once(pool))
        await wait_until(lambda: (pool.use().busy, pool.use().waiting) == (2, 2))
        assert pool.use().most == 2
        slow.cancel()
        await third
    await fourth
    await asyncio.wait([slow])
    assert (pool.use().busy, pool.use().waiting) == (0, 0)
    await pool.close()


async def _acquire_once(pool: PostgresPool) -> None:
    async with pool.acquire():
        pass
