"""Units of work on PostgreSQL: one transaction on one connection, with the writing ports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import overload

from aurum.storage.ports.access import Actor
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.access.audit import PostgresAuditWriter
from aurum.storage.postgres.access.keys import PostgresKeyWriter
from aurum.storage.postgres.access.tenants import PostgresTenantWriter
from aurum.storage.postgres.catalog.removal import PostgresSeriesRemover
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.files.writer import PostgresFileWriter
from aurum.storage.postgres.flags import PostgresFlagWriter
from aurum.storage.postgres.observations.writer import PostgresObservationWriter
from aurum.storage.postgres.quality.writer import PostgresQualityWriter


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """``Transaction`` on one connection."""

    audit: PostgresAuditWriter
    tenants: PostgresTenantWriter
    flags: PostgresFlagWriter
    files: PostgresFileWriter
    observations: PostgresObservationWriter
    quality: PostgresQualityWriter
    removal: PostgresSeriesRemover


@dataclass(frozen=True, slots=True)
class PostgresTenantTransaction:
    """``TenantTransaction`` on one connection, under the role that row-level security restricts."""

    audit: PostgresAuditWriter
    keys: PostgresKeyWriter


class PostgresTransactions:
    """``Transactions`` on PostgreSQL.

    ``history``: returns the history store when a file is stored. A file that touches an archived month restores it in its
    transaction.
    """

    def __init__(self, pool: PostgresPool, history: Callable[[], HistoryStore | None] = lambda: None) -> None:
        self._pool = pool
        self._history = history

    @overload
    def transaction(
        self, *, by: Actor, tenant: None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[PostgresTransaction]: ...

    @overload
    def transaction(self, *, by: Actor, tenant: str) -> AbstractAsyncContextManager[PostgresTenantTransaction]: ...

    def transaction(
        self, *, by: Actor, tenant: str | None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[PostgresTransaction] | AbstractAsyncContextManager[PostgresTenantTransaction]:
        return self._shared(by, long_running=long_running) if tenant is None else self._for_tenant(by, tenant)

    @asynccontextmanager
    async def _shared(self, by: Actor, *, long_running: bool) -> AsyncGenerator[PostgresTransaction]:
        scope = self._pool.begin_long() if long_running else self._pool.begin()
        async with scope as connection:
            yield PostgresTransaction(
                audit=PostgresAuditWriter(connection, by, None),
                tenants=PostgresTenantWriter(connection),
                flags=PostgresFlagWriter(connection),
                files=PostgresFileWriter(connection),
                observations=PostgresObservationWriter(connection, self._history),
                quality=PostgresQualityWriter(connection),
                removal=PostgresSeriesRemover(connection),
            )

    @asynccontextmanager
    async def _for_tenant(self, by: Actor, tenant: str) -> AsyncGenerator[PostgresTenantTransaction]:
        async with self._pool.for_tenant(tenant) as connection:
            yield PostgresTenantTransaction(
                audit=PostgresAuditWriter(connection, by, tenant), keys=PostgresKeyWriter(connection, tenant)
            )
