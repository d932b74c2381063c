"""Queries that take too long are logged, with their plan and without their values."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from aurum.common.settings import DatabaseSettings
from aurum.storage.postgres import PostgresPool

SLOW = "SELECT pg_sleep($1::float8), $2::text AS password"


async def test_a_slow_query_is_logged_with_its_plan_once_a_minute_and_without_values(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=4), slow_query_s=0.05)
    with capture_logs() as lines:
        await pool.reads.fetchrow(SLOW, 0.06, "hunter2")
        await pool.reads.fetchrow(SLOW, 0.06, "hunter2")
        await pool.reads.fetchrow(SLOW, 0.0, "hunter2")
        async with pool.acquire() as connection:
            await connection.fetchrow("SELECT pg_sleep(0.06)")
        await asyncio.sleep(0)
        await pool.close()
    slow = [line for line in lines if line["event"] == "slow query"]
    assert [line["query"] for line in slow].count(SLOW) == 2
    assert sum("Result" in line.get("plan", "") for line in slow) == 2, "one plan a statement"
    assert all(line["seconds"] >= 0.05 for line in slow)
    assert "hunter2" not in str(slow)


async def test_quick_queries_are_not_logged(database_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2), slow_query_s=1.0)
    with capture_logs() as lines:
        await pool.reads.fetchrow("SELECT 1")
        await pool.close()
    assert lines == []
