"""Connections of the pool: they answer when they are acquired, and their statements end in time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.resilience.errors import DeadlinePassed
from aurum.common.resilience.timeout import reset_deadline, set_deadline
from aurum.common.settings import DatabaseSettings
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.faults import cut_connections
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

_LIMIT_S = 30.0
_SHOW = "SELECT current_setting('statement_timeout')::interval"


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[PostgresPool]:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=4, statement_timeout_s=_LIMIT_S))
    yield pool
    await pool.close()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    token = set_deadline(time.monotonic() + seconds)
    try:
        yield
    finally:
        reset_deadline(token)


async def limit_of_driver(pool: PostgresPool) -> float:
    async with pool.acquire() as connection:
        return (await connection.fetchval(_SHOW)).total_seconds()


async def test_the_server_is_told_how_much_time_is_left(pool: PostgresPool) -> None:
    with within(_LIMIT_S - 5):
        assert 0 < await limit_of_driver(pool) <= _LIMIT_S - 5
    with within(500):
        assert await limit_of_driver(pool) == _LIMIT_S
    assert await limit_of_driver(pool) == _LIMIT_S, "the deadline of the earlier user of the connection does not stay"


async def test_small_reads_keep_the_usual_limit(pool: PostgresPool) -> None:
    with within(_LIMIT_S - 5):
        row = await pool.reads.fetchrow(_SHOW)
    assert row is not None
    assert row[0].total_seconds() == _LIMIT_S, "else the deadline of the first read would limit all later ones"


async def test_a_stream_goes_on_after_the_deadline(pool: PostgresPool) -> None:
    with within(5):
        async with pool.acquire(outlasts_deadline=True) as connection:
            assert (await connection.fetchval(_SHOW)).total_seconds() == _LIMIT_S


async def test_no_statement_is_sent_when_no_time_is_left(pool: PostgresPool) -> None:
    with within(-1), pytest.raises(DeadlinePassed):
        await limit_of_driver(pool)
    assert pool.use().busy == 0


async def test_a_connection_survives_a_caller_with_no_time_left(pool: PostgresPool) -> None:
    async with pool.acquire() as connection:
        before = connection.get_server_pid()
    with within(-1), pytest.raises(DeadlinePassed):
        await limit_of_driver(pool)
    async with pool.acquire() as connection:
        assert connection.get_server_pid() == before


async def test_the_server_itself_ends_a_statement_that_takes_too_long(pool: PostgresPool) -> None:
    async def is_ended() -> bool:
        try:
            with within(0.2):
                async with pool.acquire() as connection:
                    with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
                        await connection.execute("SELECT pg_sleep(600)")
        except DeadlinePassed:
            return False  # before the statement was sent, because the machine is busy
        return True

    await wait_until(is_ended)


async def test_connections_that_were_cut_while_idle_are_not_handed_out(pool: PostgresPool, database_url: str) -> None:
    async with pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire():
        pass
    cut_connections(database_url)
    for _ in range(3):
        assert await limit_of_driver(pool) == _LIMIT_S
