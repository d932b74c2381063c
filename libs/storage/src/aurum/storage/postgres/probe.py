"""Checks that PostgreSQL answers and that this code runs on its schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aurum.storage.ports.probe import PoolUse, StoreState
from aurum.storage.postgres.connection.pool import Connection, PostgresPool


class PostgresProbe:
    """``StoreProbe`` on PostgreSQL. ``read_state``: reads and checks the schema (``migrations.installed.read_state``)."""

    def __init__(self, pool: PostgresPool, read_state: Callable[[Connection], Awaitable[StoreState]]) -> None:
        self._pool = pool
        self._read_state = read_state

    async def look(self) -> StoreState:
        async with self._pool.acquire() as connection:
            return await self._read_state(connection)

    def use(self) -> PoolUse:
        return self._pool.use()
