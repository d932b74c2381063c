"""Looks whether PostgreSQL answers and has the schema this code was written for."""

from __future__ import annotations

import asyncpg

from aurum.storage.ports import PoolUse, StoreState
from aurum.storage.postgres.connection.pool import PostgresPool


class PostgresProbe:
    """``StoreProbe`` on PostgreSQL. ``newest_schema``: the newest migration there is (``migrations.head``)."""

    def __init__(self, pool: PostgresPool, newest_schema: str) -> None:
        self._pool = pool
        self._newest = newest_schema

    async def look(self) -> StoreState:
        async with self._pool.acquire() as connection:
            try:
                schema = await connection.fetchval("SELECT version_num FROM alembic_version")
            except asyncpg.UndefinedTableError:
                schema = None
        return StoreState(schema, self._newest)

    def use(self) -> PoolUse:
        return self._pool.use()
