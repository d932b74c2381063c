"""Stores for the contract suite: all adapters of one technology."""

from __future__ import annotations

from typing import Protocol

from aurum.common.resilience.retry import Retry
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.clock import Clock
from aurum.core.series.model import Series
from aurum.storage.loaded import LoadedSeriesReaders
from aurum.storage.loader import FileLoader
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.alerts import AlertLog
from aurum.storage.ports.blocks import BlockReader
from aurum.storage.ports.catalog import Catalog, CatalogWriter
from aurum.storage.ports.curve_sets import CurveSetStore
from aurum.storage.ports.curves import CurveReader
from aurum.storage.ports.derived_curves import DerivedCurveReader
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.fetch import FetchStates
from aurum.storage.ports.files import FileLog, Loader
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.jobs import JobLog, WorkerLog
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.links import LinkStore
from aurum.storage.ports.mappings import MappingReader
from aurum.storage.ports.models import ModelLog
from aurum.storage.ports.observations import NeighbourReader, PartialsReader, SeriesReader
from aurum.storage.ports.private import PrivateStores
from aurum.storage.ports.quality import QualityLog, ValidationLog, ValidationWriter
from aurum.storage.ports.recordings import ChangeLog, LoadedReaders
from aurum.storage.ports.schedule import ScheduleFirings, ScheduleLog
from aurum.storage.ports.search import SeriesSearch
from aurum.storage.ports.transaction import Transactions
from aurum.storage.ports.usage import UsageStore
from aurum.storage.ports.watermarks import WatermarkLog
from aurum.storage.ports.webhooks import WebhookStore
from aurum.storage.postgres.access.audit import PostgresAuditLog
from aurum.storage.postgres.access.keys import PostgresKeyStore
from aurum.storage.postgres.access.links import PostgresLinkStore
from aurum.storage.postgres.access.tenants import PostgresTenantStore
from aurum.storage.postgres.alerts.alerts import PostgresAlertLog
from aurum.storage.postgres.alerts.webhooks import PostgresWebhookStore
from aurum.storage.postgres.catalog.blocks import PostgresBlocks
from aurum.storage.postgres.catalog.reader import PostgresCatalog
from aurum.storage.postgres.catalog.search import PostgresSearch
from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.curve_sets import PostgresCurveSetStore
from aurum.storage.postgres.curves.derived import PostgresDerivedCurveReader
from aurum.storage.postgres.curves.readers import curve_reader
from aurum.storage.postgres.fetch import PostgresFetchStates
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.flags import PostgresFlagStore
from aurum.storage.postgres.idempotency import PostgresIdempotencyStore
from aurum.storage.postgres.jobs import PostgresJobLog, PostgresWorkerLog
from aurum.storage.postgres.lineage import PostgresLineageReader
from aurum.storage.postgres.mappings import PostgresMappings
from aurum.storage.postgres.models.log import PostgresModelLog
from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.observations.undo_log import PostgresUndoLog
from aurum.storage.postgres.private.store import PostgresPrivateStores
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.quality.log import PostgresQualityLog
from aurum.storage.postgres.quality.validations import PostgresValidationLog
from aurum.storage.postgres.recordings.log import PostgresChangeLog
from aurum.storage.postgres.schedule import PostgresScheduleLog
from aurum.storage.postgres.schedule_firings import PostgresScheduleFirings
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.postgres.usage import PostgresUsageStore
from aurum.storage.postgres.watermarks import PostgresWatermarkLog


class PostgresStore:
    """Every port on one PostgreSQL database. ``partials``: another reader of partials, None for the plain one."""

    def __init__(self, pool: PostgresPool, clock: Clock, partials: PartialsReader | None = None) -> None:
        self.pool = pool
        self.transactions: Transactions = PostgresTransactions(pool)
        self.files = PostgresFileLog(pool)
        self.reader: SeriesReader = PostgresSeriesReader(pool, clock)
        self.undo = PostgresUndoLog(pool)
        self.loaded: LoadedReaders = LoadedSeriesReaders(self.reader, self.undo)
        self.partials: PartialsReader = partials or PostgresPartialsReader(pool)
        self.neighbours: NeighbourReader = PostgresNeighbourReader(pool)
        self.catalog = PostgresCatalog(pool)
        self.search = PostgresSearch(pool)
        self.catalog_writer = PostgresCatalogWriter(pool)
        self.blocks = PostgresBlocks(pool)
        self.mappings = PostgresMappings(pool)
        self.quality = PostgresQualityLog(pool)
        self.validations = PostgresValidationLog(pool)
        self.keys = PostgresKeyStore(pool)
        self.tenants = PostgresTenantStore(pool)
        self.links = PostgresLinkStore(pool)
        self.audit = PostgresAuditLog(pool)
        self.alerts = PostgresAlertLog(pool)
        self.webhooks = PostgresWebhookStore(pool)
        self.curve_sets = PostgresCurveSetStore(pool)
        self.flags = PostgresFlagStore(pool)
        self.fetches = PostgresFetchStates(pool)
        self.idempotency = PostgresIdempotencyStore(pool)
        self.model_log = PostgresModelLog(pool)
        self.change_log = PostgresChangeLog(pool)
        self.lineage = PostgresLineageReader(pool)
        self.usage = PostgresUsageStore(pool)
        self.schedule = PostgresScheduleLog(pool)
        self.schedule_firings = PostgresScheduleFirings(pool)
        self.watermarks = PostgresWatermarkLog(pool)
        self.jobs = PostgresJobLog(pool)
        self.worker_log = PostgresWorkerLog(pool)
        self.private_pool = PrivatePool(pool.settings)
        self.private: PrivateStores = PostgresPrivateStores(self.private_pool, clock, _patience())
        self.loader: Loader = patient_loader(self.transactions, self.files, self.private)
        self.curves: CurveReader = curve_reader(pool, self.private_pool, clock)
        self.derived_curves = PostgresDerivedCurveReader(pool)

    async def close(self) -> None:
        """Close the connections to private series; the pool belongs to the caller."""
        await self.private_pool.close()


def patient_loader(transactions: Transactions, files: FileLog, private: PrivateStores | None = None) -> FileLoader:
    """Return a loader that repeats lost races for up to 120 seconds."""
    return FileLoader(transactions, files, _patience(), private=private)


def _patience() -> Retry:
    return Retry("loads", ResilienceSettings(retry_within_s=120.0), on=(LostRace,))


class Validations(ValidationLog, ValidationWriter, Protocol):
    """Reads and writes of validations."""


class Store(Protocol):
    """An adapter of each port that the contract suite tests."""

    @property
    def reader(self) -> SeriesReader: ...
    @property
    def loaded(self) -> LoadedReaders: ...
    @property
    def loader(self) -> Loader: ...
    @property
    def transactions(self) -> Transactions: ...
    @property
    def files(self) -> FileLog: ...
    @property
    def curves(self) -> CurveReader: ...
    @property
    def derived_curves(self) -> DerivedCurveReader: ...
    @property
    def curve_sets(self) -> CurveSetStore: ...
    @property
    def partials(self) -> PartialsReader: ...
    @property
    def neighbours(self) -> NeighbourReader: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def search(self) -> SeriesSearch: ...
    @property
    def catalog_writer(self) -> CatalogWriter: ...
    @property
    def blocks(self) -> BlockReader: ...
    @property
    def mappings(self) -> MappingReader: ...
    @property
    def quality(self) -> QualityLog: ...
    @property
    def validations(self) -> Validations: ...
    @property
    def keys(self) -> KeyStore: ...
    @property
    def tenants(self) -> TenantStore: ...
    @property
    def links(self) -> LinkStore: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def alerts(self) -> AlertLog: ...
    @property
    def webhooks(self) -> WebhookStore: ...
    @property
    def flags(self) -> FlagStore: ...
    @property
    def fetches(self) -> FetchStates: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def model_log(self) -> ModelLog: ...
    @property
    def change_log(self) -> ChangeLog: ...
    @property
    def lineage(self) -> LineageReader: ...
    @property
    def usage(self) -> UsageStore: ...
    @property
    def jobs(self) -> JobLog: ...
    @property
    def worker_log(self) -> WorkerLog: ...
    @property
    def private(self) -> PrivateStores: ...
    @property
    def schedule(self) -> ScheduleLog: ...
    @property
    def schedule_firings(self) -> ScheduleFirings: ...
    @property
    def watermarks(self) -> WatermarkLog: ...


async def series_named(store: Store, key: str) -> Series:
    """Return the series with a key. Raises ``KeyError`` when it does not exist."""
    return (await store.catalog.series_by_key([key]))[key]
