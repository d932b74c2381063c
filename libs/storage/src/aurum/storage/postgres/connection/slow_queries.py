"""Log of slow queries with their plans, which a background task asks for at most once a minute for each statement."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

_PLAN_INTERVAL_S = 60.0
_PLAN_TIMEOUT_S = 5.0
_PLACE_TIMEOUT_S = 1.0
"""Longest wait for a connection of the pool: a plan is worth less than the queries that need it."""
_STATEMENT = "aurum_slow_query"
_log = structlog.get_logger(__name__)


class SlowQueries:
    """Logger of slow queries. It never logs a value of a parameter: plans are generic."""

    def __init__(self, pool: asyncpg.Pool, *, threshold_s: float) -> None:
        self.threshold_s = threshold_s
        self._pool = pool
        self._explained: dict[str, float] = {}
        self._explaining: set[asyncio.Task[None]] = set()

    def log(self, query: str, parameters: int, seconds: float) -> None:
        """Log a query that took at least ``threshold_s``. ``parameters``: the number of its parameters."""
        now = time.monotonic()
        if now - self._explained.get(query, float("-inf")) < _PLAN_INTERVAL_S:
            _log.warning("slow query", seconds=round(seconds, 3), query=_short(query))
            return
        self._explained[query] = now
        task = asyncio.create_task(self._explain(query, parameters, seconds))
        self._explaining.add(task)
        task.add_done_callback(self._explaining.discard)

    async def _explain(self, query: str, parameters: int, seconds: float) -> None:
        try:
            async with self._pool.acquire(timeout=_PLACE_TIMEOUT_S) as connection:
                # The connection still has the time limit of its last use.
                await connection.execute(f"SET statement_timeout = {_PLAN_TIMEOUT_S * 1000:.0f}", timeout=_PLAN_TIMEOUT_S)
                rows = await _generic_plan(connection, query, parameters)
            plan = "\n".join(row[0] for row in rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            plan = f"none: {type(error).__name__}"
        _log.warning("slow query", seconds=round(seconds, 3), query=_short(query), plan=plan)

    async def close(self) -> None:
        """Wait for the background tasks that ask for plans."""
        if self._explaining:
            await asyncio.wait(self._explaining)


async def _generic_plan(connection: PoolConnectionProxy, query: str, parameters: int) -> list[asyncpg.Record]:
    """Return the lines of the generic plan, which holds for any parameters. Raises the errors of the driver."""
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan", timeout=_PLAN_TIMEOUT_S)
        await connection.execute(f"PREPARE {_STATEMENT} AS {query}", timeout=_PLAN_TIMEOUT_S)
        try:
            nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
            async with connection.transaction():  # a savepoint: the statement must be deallocated also when this fails
                return await connection.fetch(f"EXPLAIN EXECUTE {_STATEMENT}{nulls}", timeout=_PLAN_TIMEOUT_S)
        finally:
            await connection.execute(f"DEALLOCATE {_STATEMENT}", timeout=_PLAN_TIMEOUT_S)


def _short(query: str) -> str:
    return " ".join(query.split())[:2_000]
