"""The store on PostgreSQL, opened from settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING

from aurum.assembly.store import Access, CatalogPorts, Files, History, ModelInputs, Observations, Quality, Store, StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.clock import Clock
from aurum.storage.migrations.installed import read_state, require_compatible, require_supported
from aurum.storage.postgres.connection.pool import PostgresPool

if TYPE_CHECKING:
    from aurum.assembly.history import CopyScans
    from aurum.common.cache import LastingTier
    from aurum.common.resilience.retry import Retry
    from aurum.storage.ports.alerts import AlertLog
    from aurum.storage.ports.changes import ChangeFeed
    from aurum.storage.ports.curve_sets import CurveSetStore
    from aurum.storage.ports.curves import CurveReader
    from aurum.storage.ports.derived_curves import DerivedCurveReader
    from aurum.storage.ports.fetch import FetchStates
    from aurum.storage.ports.files import FileLog
    from aurum.storage.ports.flags import FlagStore
    from aurum.storage.ports.history import HistoryStore
    from aurum.storage.ports.idempotency import IdempotencyStore
    from aurum.storage.ports.jobs import JobLog, WorkerLog
    from aurum.storage.ports.lineage import LineageReader
    from aurum.storage.ports.models import ModelLog
    from aurum.storage.ports.private import PrivateStores
    from aurum.storage.ports.probe import StoreProbe
    from aurum.storage.ports.recordings import ChangeLog
    from aurum.storage.ports.schedule import ScheduleFirings, ScheduleLog
    from aurum.storage.ports.transaction import Transactions
    from aurum.storage.ports.tuning import StoreTuning
    from aurum.storage.ports.usage import UsageStore
    from aurum.storage.ports.watermarks import WatermarkLog
    from aurum.storage.ports.webhooks import WebhookStore
    from aurum.storage.postgres.observations.partials import PostgresPartialsReader
    from aurum.storage.postgres.private_connections import PrivatePool
    from aurum.storage.postgres.quality.validations import PostgresValidationLog
    from aurum.storage.timescale import TimescalePartialsReader

    # Type checkers do not accept a cached_property where a protocol names a property.
    cached_part = property
else:
    from functools import cached_property as cached_part


@asynccontextmanager
async def open_store(
    settings: Settings, *, database: DatabaseSettings | None = None, clock: Clock | None = None
) -> AsyncGenerator[Store]:
    """Open the store for the length of the block: one connection pool, shared by all ports.

    ``database``: the server to use instead of the one in ``settings``. Raises ``Unavailable`` when the server does not answer
    or has a schema that this release cannot use.
    """
    async with _opened(settings, database or settings.database, clock or SystemClock()) as store:
        async with store.pool.acquire() as connection:
            await require_compatible(connection)
        yield store


@asynccontextmanager
async def open_live_store(settings: Settings) -> AsyncGenerator[StoreParts]:
    """Open the store for a service that caches answers, for the length of the block.

    The catalog is cached, ``changes`` reports every change, and hourly sums are read if the database has them. Unlike
    ``open_store`` it also opens on a schema that is not migrated yet. Raises ``Unavailable``.
    """
    from aurum.storage.postgres.changes import PostgresChangeFeed
    from aurum.storage.remembered import CachedCatalog, CachedSearch
    from aurum.storage.timescale import TimescalePartialsReader

    async with _opened(settings, settings.database, SystemClock()) as store:
        async with store.pool.acquire() as connection:
            await require_supported(connection)
        hot = await TimescalePartialsReader.open(store.pool)
        parts = StoreParts(**{field.name: getattr(store, field.name) for field in fields(StoreParts)})
        async with PostgresChangeFeed.open(store.database) as changes:
            changes.on_silence(store.pool.reads.cancel_reads)
            following = asyncio.create_task(hot.follow(changes))
            try:
                yield replace(
                    parts,
                    observations=store.observations_over(hot),
                    catalog=replace(
                        store.catalog,
                        reader=CachedCatalog(store.catalog.reader, changes),
                        search=CachedSearch(store.catalog.search, changes),
                    ),
                    curves=store.curves_over(changes),
                    changes=changes,
                )
            finally:
                following.cancel()
                await asyncio.wait([following])


async def check_store(settings: Settings) -> None:
    """Check that the server answers and that its schema allows this release, then disconnect. Raises ``Unavailable``."""
    pool = await PostgresPool.open(settings.database)
    try:
        async with pool.acquire() as connection:
            await require_supported(connection)
    finally:
        await pool.close()


@asynccontextmanager
async def _opened(settings: Settings, database: DatabaseSettings, clock: Clock) -> AsyncGenerator[PostgresStore]:
    async with AsyncExitStack() as stack:
        pool = await PostgresPool.open(database, slow_query_s=settings.telemetry.slow_query_s)
        stack.push_async_callback(pool.close)
        store = PostgresStore(settings, database, clock, pool)
        stack.push_async_callback(store.close)
        yield store


class PostgresStore:
    """A ``Store`` on one pool. Each part is made, and its modules imported, at its first use: most commands need one or two."""

    changes: None = None

    def __init__(self, settings: Settings, database: DatabaseSettings, clock: Clock, pool: PostgresPool) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.pool = pool

    @cached_part
    def archive(self) -> HistoryStore | None:
        """The history that settings configure. Raises ``DriverNotInstalled``."""
        from aurum.assembly.history import history_of

        return history_of(self.settings, self.clock)

    @cached_part
    def transactions(self) -> Transactions:
        from aurum.storage.postgres.transaction import PostgresTransactions

        return PostgresTransactions(self.pool, lambda: self.archive)

    @cached_part
    def scans(self) -> CopyScans | None:
        """The copy of history that settings name; None where they name none."""
        from aurum.assembly.history import CopyScans

        clickhouse = self.settings.clickhouse
        return CopyScans(clickhouse, self.settings.resilience) if clickhouse.is_set else None

    @cached_part
    def observations(self) -> Observations:
        from aurum.storage.postgres.observations.partials import PostgresPartialsReader

        return self.observations_over(PostgresPartialsReader(self.pool))

    def observations_over(self, hot: PostgresPartialsReader | TimescalePartialsReader) -> Observations:
        """Return readers of observations.

        Hot hourly sums come from ``hot``, archived ones from the copy if one is configured, else from history.
        """
        from aurum.storage.loaded import LoadedSeriesReaders
        from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
        from aurum.storage.postgres.observations.reader import PostgresSeriesReader
        from aurum.storage.postgres.observations.undo_log import PostgresUndoLog
        from aurum.storage.tiered import ScanningPartialsReader, TieredPartialsReader, TieredSeriesReader

        rows = PostgresSeriesReader(self.pool, self.clock)
        reader = rows if self.archive is None else TieredSeriesReader(rows, self.archive)
        partials = hot if self.archive is None else TieredPartialsReader(hot, self.archive)
        wide = partials if self.scans is None else ScanningPartialsReader(hot, self.scans, without_copy=partials)
        neighbours = PostgresNeighbourReader(self.pool, lambda: self.archive)
        loaded = LoadedSeriesReaders(reader, PostgresUndoLog(self.pool))
        return Observations(reader, partials, wide, neighbours, loaded)

    @cached_part
    def catalog(self) -> CatalogPorts:
        from aurum.storage.postgres.catalog.blocks import PostgresBlocks
        from aurum.storage.postgres.catalog.reader import PostgresCatalog
        from aurum.storage.postgres.catalog.search import PostgresSearch
        from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
        from aurum.storage.postgres.mappings import PostgresMappings

        return CatalogPorts(
            PostgresCatalog(self.pool),
            PostgresSearch(self.pool),
            PostgresCatalogWriter(self.pool),
            PostgresBlocks(self.pool),
            PostgresMappings(self.pool),
        )

    @cached_part
    def files(self) -> Files:
        from aurum.storage.loader import FileLoader
        from aurum.storage.postgres.files.log import PostgresFileLog

        log: FileLog = PostgresFileLog(self.pool)
        return Files(log, FileLoader(self.transactions, log, self._load_retry, private=self.private))

    @cached_part
    def curves(self) -> CurveReader:
        return self.curves_over(None)

    def curves_over(self, feed: ChangeFeed | None) -> CurveReader:
        """Return the reader of curves. ``feed``: of a service that caches shared products and reference data."""
        from aurum.storage.postgres.curves.readers import curve_reader

        return curve_reader(self.pool, self._private_pool, self.clock, feed, lambda: self.archive)

    @cached_part
    def derived_curves(self) -> DerivedCurveReader:
        from aurum.storage.postgres.curves.derived import PostgresDerivedCurveReader

        return PostgresDerivedCurveReader(self.pool)

    @cached_part
    def _load_retry(self) -> Retry:
        from aurum.common.resilience.retry import Retry
        from aurum.storage.ports.errors import LostRace

        retry_settings = self.settings.resilience.model_copy(update={"retry_within_s": self.database.load_timeout_s})
        return Retry("loads", retry_settings, on=(LostRace,))

    @cached_part
    def _validations(self) -> PostgresValidationLog:
        from aurum.storage.postgres.quality.validations import PostgresValidationLog

        return PostgresValidationLog(self.pool)

    @cached_part
    def quality(self) -> Quality:
        from aurum.storage.postgres.quality.log import PostgresQualityLog

        return Quality(PostgresQualityLog(self.pool), self._validations, self._validations)

    @cached_part
    def access(self) -> Access:
        from aurum.storage.postgres.access.audit import PostgresAuditLog
        from aurum.storage.postgres.access.keys import PostgresKeyStore
        from aurum.storage.postgres.access.links import PostgresLinkStore
        from aurum.storage.postgres.access.tenants import PostgresTenantStore

        return Access(
            PostgresKeyStore(self.pool),
            PostgresTenantStore(self.pool),
            PostgresLinkStore(self.pool),
            PostgresAuditLog(self.pool),
        )

    @cached_part
    def flags(self) -> FlagStore:
        from aurum.storage.postgres.flags import PostgresFlagStore

        return PostgresFlagStore(self.pool)

    @cached_part
    def fetches(self) -> FetchStates:
        from aurum.storage.postgres.fetch import PostgresFetchStates

        return PostgresFetchStates(self.pool)

    @cached_part
    def models(self) -> ModelLog:
        from aurum.storage.postgres.models.log import PostgresModelLog

        return PostgresModelLog(self.pool)

    @cached_part
    def idempotency(self) -> IdempotencyStore:
        from aurum.storage.postgres.idempotency import PostgresIdempotencyStore

        return PostgresIdempotencyStore(self.pool)

    @cached_part
    def _private_pool(self) -> PrivatePool:
        from aurum.storage.postgres.private_connections import PrivatePool

        return PrivatePool(self.database, slow_query_s=self.settings.telemetry.slow_query_s)

    @cached_part
    def private(self) -> PrivateStores:
        from aurum.storage.postgres.private.store import PostgresPrivateStores

        return PostgresPrivateStores(self._private_pool, self.clock, self._load_retry)

    @cached_part
    def change_log(self) -> ChangeLog:
        from aurum.storage.postgres.recordings.log import PostgresChangeLog

        return PostgresChangeLog(self.pool)

    @cached_part
    def lineage(self) -> LineageReader:
        from aurum.storage.postgres.lineage import PostgresLineageReader

        return PostgresLineageReader(self.pool, lambda: self.archive)

    @cached_part
    def usage(self) -> UsageStore:
        from aurum.storage.postgres.usage import PostgresUsageStore

        return PostgresUsageStore(self.pool)

    @cached_part
    def schedule(self) -> ScheduleLog:
        from aurum.storage.postgres.schedule import PostgresScheduleLog

        return PostgresScheduleLog(self.pool)

    @cached_part
    def schedule_firings(self) -> ScheduleFirings:
        from aurum.storage.postgres.schedule_firings import PostgresScheduleFirings

        return PostgresScheduleFirings(self.pool)

    @cached_part
    def watermarks(self) -> WatermarkLog:
        from aurum.storage.postgres.watermarks import PostgresWatermarkLog

        return PostgresWatermarkLog(self.pool)

    @cached_part
    def jobs(self) -> JobLog:
        from aurum.storage.postgres.jobs.log import PostgresJobLog

        return PostgresJobLog(self.pool)

    @cached_part
    def worker_log(self) -> WorkerLog:
        from aurum.storage.postgres.jobs.worker_log import PostgresWorkerLog

        return PostgresWorkerLog(self.pool)

    @cached_part
    def alerts(self) -> AlertLog:
        from aurum.storage.postgres.alerts.alerts import PostgresAlertLog

        return PostgresAlertLog(self.pool)

    @cached_part
    def curve_sets(self) -> CurveSetStore:
        from aurum.storage.postgres.curve_sets import PostgresCurveSetStore

        return PostgresCurveSetStore(self.pool)

    @cached_part
    def webhooks(self) -> WebhookStore:
        from aurum.storage.postgres.alerts.webhooks import PostgresWebhookStore

        return PostgresWebhookStore(self.pool)

    @cached_part
    def probe(self) -> StoreProbe:
        from aurum.storage.postgres.probe import PostgresProbe

        return PostgresProbe(self.pool, read_state)

    @cached_part
    def cache(self) -> LastingTier:
        from aurum.storage.postgres.cache import PostgresCacheTier

        return PostgresCacheTier(self.pool)

    @cached_part
    def history(self) -> History | None:
        from aurum.storage.postgres.history.log import PostgresArchiveLog

        return History(PostgresArchiveLog(self.pool), self.archive)

    @cached_part
    def model_inputs(self) -> ModelInputs | None:
        from aurum.storage.postgres.models.inputs import PostgresCalendarTables, PostgresStoreExport
        from aurum.storage.postgres.models.marts import PostgresMartReader

        return ModelInputs(
            PostgresStoreExport(self.pool, self.archive),
            PostgresCalendarTables(self.pool),
            partial(PostgresMartReader, self.pool),
        )

    @cached_part
    def tuning(self) -> StoreTuning | None:
        from aurum.storage.timescale import TimescaleTuning

        return TimescaleTuning(self.pool)

    async def close(self) -> None:
        """Close the history, its copy and the connections to private series, if they were opened.

        The pool is closed by the function that opened it.
        """
        private_pool: PrivatePool | None = self.__dict__.get("_private_pool")
        if private_pool is not None:
            await private_pool.close()
        scans: CopyScans | None = self.__dict__.get("scans")
        if scans is not None:
            await scans.close()
        archive: HistoryStore | None = self.__dict__.get("archive")
        if archive is not None:
            await archive.close()
