"""Units of work on PostgreSQL: one transaction on one connection, with the writing ports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from aurum.storage.ports.access import Actor
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.access.audit import PostgresAuditWriter
from aurum.storage.postgres.access.keys import PostgresKeyWriter
from aurum.storage.postgres.access.links import PostgresLinkWriter
from aurum.storage.postgres.access.tenants import PostgresTenantWriter
from aurum.storage.postgres.alerts.alerts import PostgresAlertWriter
from aurum.storage.postgres.alerts.webhooks import PostgresDeliveryWriter, PostgresWebhookWriter
from aurum.storage.postgres.catalog.blocks import PostgresBlockWriter
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.curve_sets import PostgresCurveSetWriter
from aurum.storage.postgres.flags import PostgresFlagWriter
from aurum.storage.postgres.jobs.writer import PostgresJobWriter
from aurum.storage.postgres.mappings import PostgresMappingWriter
from aurum.storage.postgres.schedule import PostgresScheduleWriter
from aurum.storage.postgres.watermarks import PostgresWatermarkWriter

if TYPE_CHECKING:
    from aurum.storage.postgres.catalog.removal import PostgresSeriesRemover
    from aurum.storage.postgres.curves.derived import PostgresDerivedCurveWriter
    from aurum.storage.postgres.curves.reference import PostgresCurveReferenceWriter
    from aurum.storage.postgres.curves.writer import PostgresCurveWriter
    from aurum.storage.postgres.files.writer import PostgresFileWriter
    from aurum.storage.postgres.observations.restatement import PostgresRestater
    from aurum.storage.postgres.observations.writer import PostgresObservationWriter
    from aurum.storage.postgres.quality.writer import PostgresQualityWriter
    from aurum.storage.postgres.recordings.writer import PostgresRecordingWriter

    # Type checkers do not accept a cached_property where a protocol names a property.
    cached_part = property
else:
    from functools import cached_property as cached_part


class PostgresTransaction:
    """``Transaction`` on one connection.

    Ports of observations and files import Polars, which takes 50 MiB, so they are made at their first use: a process that only
    submits jobs or changes rows of tenants does without.
    """

    def __init__(self, connection: Connection, by: Actor, history: Callable[[], HistoryStore | None]) -> None:
        self._connection = connection
        self._history = history
        self.audit = PostgresAuditWriter(connection, by, None)
        self.tenants = PostgresTenantWriter(connection)
        self.flags = PostgresFlagWriter(connection)
        self.blocks = PostgresBlockWriter(connection)
        self.mappings = PostgresMappingWriter(connection)
        self.schedule = PostgresScheduleWriter(connection)
        self.watermarks = PostgresWatermarkWriter(connection)
        self.jobs = PostgresJobWriter(connection, None)
        self.alerts = PostgresAlertWriter(connection)
        self.deliveries = PostgresDeliveryWriter(connection)

    @cached_part
    def files(self) -> PostgresFileWriter:
        from aurum.storage.postgres.files.writer import PostgresFileWriter

        return PostgresFileWriter(self._connection)

    @cached_part
    def observations(self) -> PostgresObservationWriter:
        from aurum.storage.postgres.observations.writer import PostgresObservationWriter

        return PostgresObservationWriter(self._connection, self._history)

    @cached_part
    def curves(self) -> PostgresCurveWriter:
        from aurum.storage.postgres.curves.writer import PostgresCurveWriter

        return PostgresCurveWriter(self._connection, history=self._history)

    @cached_part
    def curve_reference(self) -> PostgresCurveReferenceWriter:
        from aurum.storage.postgres.curves.reference import PostgresCurveReferenceWriter

        return PostgresCurveReferenceWriter(self._connection)

    @cached_part
    def derived_curves(self) -> PostgresDerivedCurveWriter:
        from aurum.storage.postgres.curves.derived import PostgresDerivedCurveWriter

        return PostgresDerivedCurveWriter(self._connection)

    @cached_part
    def quality(self) -> PostgresQualityWriter:
        from aurum.storage.postgres.quality.writer import PostgresQualityWriter

        return PostgresQualityWriter(self._connection)

    @cached_part
    def removal(self) -> PostgresSeriesRemover:
        from aurum.storage.postgres.catalog.removal import PostgresSeriesRemover

        return PostgresSeriesRemover(self._connection)

    @cached_part
    def recordings(self) -> PostgresRecordingWriter:
        from aurum.storage.postgres.recordings.writer import PostgresRecordingWriter

        return PostgresRecordingWriter(self._connection)

    @cached_part
    def restater(self) -> PostgresRestater:
        from aurum.storage.postgres.observations.restatement import PostgresRestater

        return PostgresRestater(self._connection, self._history)


@dataclass(frozen=True, slots=True)
class PostgresTenantTransaction:
    """``TenantTransaction`` on one connection, under the role that row-level security restricts."""

    audit: PostgresAuditWriter
    keys: PostgresKeyWriter
    links: PostgresLinkWriter
    jobs: PostgresJobWriter
    webhooks: PostgresWebhookWriter
    curve_sets: PostgresCurveSetWriter


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
            yield PostgresTransaction(connection, by, self._history)

    @asynccontextmanager
    async def _for_tenant(self, by: Actor, tenant: str) -> AsyncGenerator[PostgresTenantTransaction]:
        async with self._pool.for_tenant(tenant) as connection:
            yield PostgresTenantTransaction(
                audit=PostgresAuditWriter(connection, by, tenant),
                keys=PostgresKeyWriter(connection, tenant),
                links=PostgresLinkWriter(connection, tenant),
                jobs=PostgresJobWriter(connection, tenant),
                webhooks=PostgresWebhookWriter(connection, tenant),
                curve_sets=PostgresCurveSetWriter(connection, tenant),
            )
