"""The schedule as schedulers use it, on PostgreSQL. The main process of a worker uses it: it imports nothing slow to load."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from aurum.common.settings import DatabaseSettings
from aurum.common.telemetry.untraced import untraced
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.schedule import StoredSchedule
from aurum.storage.postgres.connection.errors import connecting, driver_errors
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.jobs import PostgresJobWriter

_ANSWER_TIMEOUT_S = 5.0
_MOVE = """
UPDATE schedule SET last_due = $3
WHERE name = $1 AND is_on AND last_due IS NOT DISTINCT FROM $2 AND since = $4 AND updated_at = $5
"""
_RECORD_JOB = "UPDATE schedule SET last_job = $2 WHERE name = $1"
_LEAD = "SELECT pg_try_advisory_lock(hashtextextended('aurum scheduler', 0))"


class PostgresLead:
    """``Lead`` by an advisory lock, which belongs to the session of one connection and ends with it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def check(self) -> None:
        with driver_errors():
            await self._connection.fetchval("SELECT 1", timeout=_ANSWER_TIMEOUT_S)


class PostgresScheduleFirings:
    """``ScheduleFirings`` on PostgreSQL. The lead has a connection of its own, outside of the pool."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def lead(self) -> AsyncGenerator[PostgresLead | None]:
        connection = await _connect(self._pool.settings)
        try:
            with driver_errors():
                has_lead = await connection.fetchval(_LEAD, timeout=_ANSWER_TIMEOUT_S)
            yield PostgresLead(connection) if has_lead else None
        finally:
            # The server ends the session, and with it the lock, when the socket closes.
            connection.terminate()

    async def fire(self, read: StoredSchedule, *, last_due: datetime, jobs: Sequence[NewJob]) -> Sequence[str] | None:
        name = read.spec.name
        async with self._pool.begin() as connection:
            moved = await connection.execute(_MOVE, name, read.last_due, last_due, read.since, read.updated_at)
            if moved == "UPDATE 0":
                return None
            ids = await PostgresJobWriter(connection, None).submit(jobs)
            if ids:
                await connection.execute(_RECORD_JOB, name, ids[-1])
            return ids


async def _connect(settings: DatabaseSettings) -> asyncpg.Connection:
    with connecting(settings.url or ""), untraced():
        return await asyncpg.connect(
            settings.url,
            timeout=settings.connect_timeout_s,
            # Within half a minute, the server frees the lead of a scheduler that stands still or whose machine has vanished.
            server_settings={
                "application_name": "aurum scheduler",
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
                "idle_session_timeout": "30s",
            },
        )
