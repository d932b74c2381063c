"""Queries that take too long: logged with their plan, worked out beside the work, once a minute a statement at most."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import structlog

_AGAIN_S = 60.0
_PATIENCE_S = 5.0
_PLANS_WITHOUT_VALUES = 16
"""The major version of PostgreSQL from which a plan can be asked for without values."""
_log = structlog.get_logger(__name__)


class SlowQueries:
    """Logs the queries that it is told of. No value is ever logged: plans are those for any value."""

    def __init__(self, pool: asyncpg.Pool, *, threshold_s: float) -> None:
        self.threshold_s = threshold_s
        self._pool = pool
        self._explained: dict[str, float] = {}
        self._explaining: set[asyncio.Task[None]] = set()

    def seen(self, query: str, seconds: float) -> None:
        """A query that took at least ``threshold_s``."""
        now = time.monotonic()
        if now - self._explained.get(query, float("-inf")) < _AGAIN_S:
            _log.warning("slow query", seconds=round(seconds, 3), query=_short(query))
            return
        self._explained[query] = now
        task = asyncio.create_task(self._explain(query, seconds))
        self._explaining.add(task)
        task.add_done_callback(self._explaining.discard)

    async def _explain(self, query: str, seconds: float) -> None:
        try:
            async with self._pool.acquire(timeout=1.0) as connection:
                # Whoever had the connection before left its own.
                await connection.execute(f"SET statement_timeout = {_PATIENCE_S * 1000:.0f}", timeout=_PATIENCE_S)
                if connection.get_server_version().major < _PLANS_WITHOUT_VALUES:
                    raise asyncpg.FeatureNotSupportedError
                rows = await connection.fetch(f"EXPLAIN (GENERIC_PLAN) {query}", timeout=_PATIENCE_S)
            plan = "\n".join(row[0] for row in rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            plan = f"none: {type(error).__name__}"
        _log.warning("slow query", seconds=round(seconds, 3), query=_short(query), plan=plan)

    async def close(self) -> None:
        """Wait for the plans that are being worked out."""
        if self._explaining:
            await asyncio.wait(self._explaining)


def _short(query: str) -> str:
    return " ".join(query.split())[:2_000]
