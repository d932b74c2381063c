"""Queries that take too long are logged, with their plan and without their values."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, literal_column, select
from structlog.testing import capture_logs

from aurum.common.settings import DatabaseSettings
from aurum.core.errors import Unavailable
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.connection.statements import compiled

pytestmark = pytest.mark.needs_postgres

SLOW = """
WITH slept AS MATERIALIZED (SELECT pg_sleep($1::float8))
SELECT (SELECT name FROM tenant WHERE tenant_id = $2) FROM slept
""".strip()


async def test_a_slow_query_is_logged_with_its_plan_once_a_minute_and_without_values(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=4), slow_query_s=0.5)
    with capture_logs() as lines:
        await pool.reads.fetchrow(SLOW, 0.55, "hunter2")
        await pool.reads.fetchrow(SLOW, 0.55, "hunter2")
        await pool.reads.fetchrow(SLOW, 0.0, "hunter2")
        async with pool.acquire() as connection:
            await connection.fetchrow("SELECT pg_sleep(0.55)")
        await asyncio.sleep(0)
        await pool.close()
    slow = [line for line in lines if line["event"] == "slow query"]
    assert [line["query"] for line in slow].count(" ".join(SLOW.split())) == 2
    plans = [line["plan"] for line in slow if "plan" in line]
    assert ["tenant_id = $2" in plan for plan in plans] == [True, False], "one plan a statement, without its values"
    assert all(line["seconds"] >= 0.5 for line in slow)
    assert "hunter2" not in str(slow)


async def test_statements_of_the_catalog_and_cancelled_ones_are_logged_too(database_url: str) -> None:
    settings = DatabaseSettings(url=database_url, pool_size=4, statement_timeout_s=2.0)
    pool = await PostgresPool.open(settings, slow_query_s=0.1)
    with capture_logs() as lines:
        async with pool.acquire() as connection:
            await compiled(select(func.pg_sleep(0.11), literal_column("1").label("catalog"))).fetch(connection)
        for read in (_small_read, _read_in_the_pool):
            with pytest.raises(Unavailable, match="took too long"):
                await read(pool)
        await pool.close()
    logged = " ".join(line["query"] for line in lines if line["event"] == "slow query")
    assert [name for name in ("AS catalog", "AS small", "AS pool") if name not in logged] == []


async def _small_read(pool: PostgresPool) -> None:
    await pool.reads.fetchrow("SELECT pg_sleep(30), 2 AS small")


async def _read_in_the_pool(pool: PostgresPool) -> None:
    async with pool.acquire() as connection:
        await connection.fetchrow("SELECT pg_sleep(30), 3 AS pool")


async def test_quick_queries_are_not_logged(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2), slow_query_s=60.0)
    with capture_logs() as lines:
        await pool.reads.fetchrow("SELECT 1")
        await pool.close()
    assert lines == []
