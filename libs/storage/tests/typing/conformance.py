"""Proof that every adapter fits its port: pyright checks this file (``test_conformance.py``), and nothing runs it."""

from pathlib import Path

from aurum.common.clock import SystemClock
from aurum.core.clock import Clock
from aurum.storage.changed_points import LoadedChangedPoints
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.curves import TenantedCurveReader
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import Bucket
from aurum.storage.duckdb.history_files import Folder, HistoryFiles
from aurum.storage.duckdb.mart_reader import DuckDbMartReader
from aurum.storage.duckdb.model_inputs import DuckDbStoreCopy
from aurum.storage.loader import FileLoader
from aurum.storage.memory import MemoryHistory, MemoryStore
from aurum.storage.memory.access import MemoryAuditLog, MemoryKeyStore, MemoryTenantStore
from aurum.storage.memory.blocks import MemoryBlocks, MemoryBlockWriter
from aurum.storage.memory.catalog import MemoryCatalog, MemoryCatalogWriter
from aurum.storage.memory.change_log import MemoryChangeLog
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.memory.curve_sets import MemoryCurveSetStore
from aurum.storage.memory.curves import MemoryCurveReader, MemoryCurveReferenceWriter, MemoryCurveWriter
from aurum.storage.memory.derived_curves import MemoryDerivedCurveReader, MemoryDerivedCurveWriter
from aurum.storage.memory.files import MemoryFileLog
from aurum.storage.memory.flags import MemoryFlagStore
from aurum.storage.memory.jobs import MemoryJobLog, MemoryWorkerLog
from aurum.storage.memory.lineage import MemoryLineageReader
from aurum.storage.memory.links import MemoryLinkStore
from aurum.storage.memory.mappings import MemoryMappings, MemoryMappingWriter
from aurum.storage.memory.models import MemoryMartReader, MemoryModelLog
from aurum.storage.memory.observations import MemoryNeighbourReader, MemoryPartialsReader, MemorySeriesReader
from aurum.storage.memory.private import MemoryPrivateStores
from aurum.storage.memory.probe import MemoryProbe
from aurum.storage.memory.quality import MemoryQualityLog, MemoryValidationLog
from aurum.storage.memory.removal import MemorySeriesRemover
from aurum.storage.memory.schedule import MemoryScheduleLog
from aurum.storage.memory.schedule_firings import MemoryScheduleFirings
from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.transaction import MemoryTransactions
from aurum.storage.memory.usage import MemoryUsageStore
from aurum.storage.memory.watermarks import MemoryWatermarkLog
from aurum.storage.memory.wide import MemoryWideScans
from aurum.storage.migrations.installed import read_state
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.blocks import BlockReader, BlockWriter
from aurum.storage.ports.catalog import Catalog, CatalogWriter
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.curve_sets import CurveSetStore
from aurum.storage.ports.curves import CurveReader, CurveReferenceWriter, CurveWriter
from aurum.storage.ports.derived_curves import DerivedCurveReader, DerivedCurveWriter
from aurum.storage.ports.files import BasesReader, FileLog, Loader
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.history import ArchiveLog, HistoryStore, HotPartialsReader, HotReader
from aurum.storage.ports.jobs import JobLog, WorkerLog
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.links import LinkStore
from aurum.storage.ports.mappings import MappingReader, MappingWriter
from aurum.storage.ports.model_inputs import CalendarTables, StoreCopy, StoreExport
from aurum.storage.ports.models import MartReader, ModelLog
from aurum.storage.ports.observations import NeighbourReader, PartialsReader, SeriesReader
from aurum.storage.ports.private import PrivateStore, PrivateStores
from aurum.storage.ports.probe import StoreProbe
from aurum.storage.ports.quality import QualityLog, ValidationLog, ValidationWriter
from aurum.storage.ports.quote_history import QuoteArchiveLog, QuoteHistory
from aurum.storage.ports.recordings import ChangedPointsReader, ChangeLog, LoadedReaders
from aurum.storage.ports.removal import SeriesRemover
from aurum.storage.ports.schedule import ScheduleFirings, ScheduleLog
from aurum.storage.ports.transaction import Transactions
from aurum.storage.ports.tuning import StoreTuning
from aurum.storage.ports.usage import UsageStore
from aurum.storage.ports.watermarks import WatermarkLog
from aurum.storage.ports.wide import WideScans
from aurum.storage.postgres.access.audit import PostgresAuditLog
from aurum.storage.postgres.access.keys import PostgresKeyStore
from aurum.storage.postgres.access.links import PostgresLinkStore
from aurum.storage.postgres.access.tenants import PostgresTenantStore
from aurum.storage.postgres.catalog.blocks import PostgresBlocks
from aurum.storage.postgres.catalog.reader import PostgresCatalog
from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
from aurum.storage.postgres.changes import PostgresChangeFeed
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.curve_sets import PostgresCurveSetStore
from aurum.storage.postgres.curves.derived import PostgresDerivedCurveReader
from aurum.storage.postgres.curves.reader import PostgresCurveReader
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.flags import PostgresFlagStore
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.postgres.history.quotes import PostgresQuoteArchiveLog
from aurum.storage.postgres.jobs import PostgresJobLog, PostgresWorkerLog
from aurum.storage.postgres.lineage import PostgresLineageReader
from aurum.storage.postgres.mappings import PostgresMappings
from aurum.storage.postgres.models.inputs import PostgresCalendarTables, PostgresStoreExport
from aurum.storage.postgres.models.log import PostgresModelLog
from aurum.storage.postgres.models.marts import PostgresMartReader
from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.private.store import PostgresPrivateStores
from aurum.storage.postgres.private_connections import PrivatePool
from aurum.storage.postgres.probe import PostgresProbe
from aurum.storage.postgres.quality.log import PostgresQualityLog
from aurum.storage.postgres.quality.validations import PostgresValidationLog
from aurum.storage.postgres.recordings.log import PostgresChangeLog
from aurum.storage.postgres.schedule import PostgresScheduleLog
from aurum.storage.postgres.schedule_firings import PostgresScheduleFirings
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.postgres.usage import PostgresUsageStore
from aurum.storage.postgres.watermarks import PostgresWatermarkLog
from aurum.storage.private import (
    TenantBases,
    TenantCatalog,
    TenantLoadedReaders,
    TenantPartialsReader,
    TenantSeriesReader,
)
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.stores import PostgresStore, Store
from aurum.storage.tiered import ScanningPartialsReader, TieredPartialsReader, TieredSeriesReader
from aurum.storage.timescale import TimescalePartialsReader, TimescaleTuning
from aurum.storage.trino import TrinoHistory, TrinoPool


def memory(state: MemoryState, clock: Clock) -> None:
    _reader: SeriesReader = MemorySeriesReader(state)
    _transactions: Transactions = MemoryTransactions(state, clock)
    _files: FileLog = MemoryFileLog(state)
    _loader: Loader = FileLoader(_transactions, _files)
    _keys: KeyStore = MemoryKeyStore(state)
    _links: LinkStore = MemoryLinkStore(state, clock)
    _curve_sets: CurveSetStore = MemoryCurveSetStore(state)
    _tenants: TenantStore = MemoryTenantStore(state)
    _audit: AuditLog = MemoryAuditLog(state)
    _flags: FlagStore = MemoryFlagStore(state)
    _usage: UsageStore = MemoryUsageStore()
    _schedule: ScheduleLog = MemoryScheduleLog(state)
    _firings: ScheduleFirings = MemoryScheduleFirings(state, MemoryTransactions(state, clock))
    _watermarks: WatermarkLog = MemoryWatermarkLog(state)
    _jobs: JobLog = MemoryJobLog(state, clock)
    _worker_log: WorkerLog = MemoryWorkerLog(state, clock)
    _partials: PartialsReader = MemoryPartialsReader(state)
    _neighbours: NeighbourReader = MemoryNeighbourReader(state)
    _remover: SeriesRemover = MemorySeriesRemover(state)
    _catalog: Catalog = MemoryCatalog(state)
    _catalog_writer: CatalogWriter = MemoryCatalogWriter(state)
    _blocks: BlockReader = MemoryBlocks(state)
    _block_writer: BlockWriter = MemoryBlockWriter(state, clock)
    _mappings: MappingReader = MemoryMappings(state)
    _mapping_writer: MappingWriter = MemoryMappingWriter(state, clock)
    _quality: QualityLog = MemoryQualityLog(state)
    _validations: ValidationLog = MemoryValidationLog(state, clock)
    _validation_writer: ValidationWriter = MemoryValidationLog(state, clock)
    _marts: MartReader = MemoryMartReader({})
    _probe: StoreProbe = MemoryProbe()
    _models: ModelLog = MemoryModelLog()
    _feed: ChangeFeed = MemoryChangeFeed()
    _store: Store = MemoryStore(clock)
    _history: HistoryStore = MemoryHistory()
    _quotes: QuoteHistory = MemoryHistory().quotes
    _change_log: ChangeLog = MemoryChangeLog(state)
    _lineage: LineageReader = MemoryLineageReader(state, state)
    _private: PrivateStores = MemoryPrivateStores(state, clock)
    _curves: CurveReader = MemoryCurveReader(state, clock, lambda _: state.recordings)
    _curve_writer: CurveWriter = MemoryCurveWriter(state)
    _curve_reference: CurveReferenceWriter = MemoryCurveReferenceWriter(state, clock)
    _derived_curves: DerivedCurveReader = MemoryDerivedCurveReader(state)
    _derived_writer: DerivedCurveWriter = MemoryDerivedCurveWriter(state, clock)


def postgres(pool: PostgresPool, clock: Clock) -> None:
    _reader: SeriesReader = PostgresSeriesReader(pool, clock)
    _transactions: Transactions = PostgresTransactions(pool)
    _files: FileLog = PostgresFileLog(pool)
    _loader: Loader = FileLoader(_transactions, _files)
    _keys: KeyStore = PostgresKeyStore(pool)
    _links: LinkStore = PostgresLinkStore(pool)
    _curve_sets: CurveSetStore = PostgresCurveSetStore(pool)
    _tenants: TenantStore = PostgresTenantStore(pool)
    _audit: AuditLog = PostgresAuditLog(pool)
    _flags: FlagStore = PostgresFlagStore(pool)
    _usage: UsageStore = PostgresUsageStore(pool)
    _schedule: ScheduleLog = PostgresScheduleLog(pool)
    _firings: ScheduleFirings = PostgresScheduleFirings(pool)
    _watermarks: WatermarkLog = PostgresWatermarkLog(pool)
    _curves: CurveReader = PostgresCurveReader(pool, clock)
    _derived_curves: DerivedCurveReader = PostgresDerivedCurveReader(pool)
    _all_curves: CurveReader = TenantedCurveReader(_curves, lambda _: _curves)
    _jobs: JobLog = PostgresJobLog(pool)
    _worker_log: WorkerLog = PostgresWorkerLog(pool)
    _partials: PartialsReader = PostgresPartialsReader(pool)
    _neighbours: NeighbourReader = PostgresNeighbourReader(pool)
    _catalog: Catalog = PostgresCatalog(pool)
    _catalog_writer: CatalogWriter = PostgresCatalogWriter(pool)
    _blocks: BlockReader = PostgresBlocks(pool)
    _mappings: MappingReader = PostgresMappings(pool)
    _quality: QualityLog = PostgresQualityLog(pool)
    _validations: ValidationLog = PostgresValidationLog(pool)
    _validation_writer: ValidationWriter = PostgresValidationLog(pool)
    _marts: MartReader = PostgresMartReader(pool, "marts")
    _probe: StoreProbe = PostgresProbe(pool, read_state)
    _feed: ChangeFeed = PostgresChangeFeed(pool.settings)
    _models: ModelLog = PostgresModelLog(pool)
    _export: StoreExport = PostgresStoreExport(pool)
    _calendars: CalendarTables = PostgresCalendarTables(pool)
    _store: Store = PostgresStore(pool, clock)
    _hot: HotReader = PostgresSeriesReader(pool, clock)
    _hot_partials: HotPartialsReader = PostgresPartialsReader(pool)
    _log: ArchiveLog = PostgresArchiveLog(pool)
    _quote_log: QuoteArchiveLog = PostgresQuoteArchiveLog(pool)
    _change_log: ChangeLog = PostgresChangeLog(pool)
    _lineage: LineageReader = PostgresLineageReader(pool)
    _private: PrivateStores = PostgresPrivateStores(PrivatePool(pool.settings), clock)


def changed_points(log: ChangeLog, loaded: LoadedReaders) -> None:
    _reader: ChangedPointsReader = LoadedChangedPoints(log, loaded)


def duckdb(folder: Folder, bucket: Bucket, clock: Clock) -> None:
    _folder: HistoryFiles = folder
    _bucket: HistoryFiles = bucket
    history = DuckdbHistory(folder, clock)
    _history: HistoryStore = history
    _quotes: QuoteHistory = history.quotes


def tiered(hot: HotReader, history: HistoryStore, pool: PostgresPool, clock: Clock) -> None:
    _reader: SeriesReader = TieredSeriesReader(hot, history)
    _partials: PartialsReader = TieredPartialsReader(PostgresPartialsReader(pool), history)
    _store: Store = TieredStore(pool, clock, history)


async def timescale(pool: PostgresPool) -> None:
    _partials: PartialsReader = await TimescalePartialsReader.open(pool)
    _hot_partials: HotPartialsReader = await TimescalePartialsReader.open(pool)
    _tuning: StoreTuning = TimescaleTuning(pool)


def trino(pool: TrinoPool) -> None:
    _history: HistoryStore = TrinoHistory(pool)


def private(shared: Store, own: PrivateStore) -> None:
    catalog = TenantCatalog(shared.catalog, own.catalog)
    _catalog: Catalog = catalog
    _reader: SeriesReader = TenantSeriesReader(shared.reader, own.reader, catalog.ids)
    _partials: PartialsReader = TenantPartialsReader(shared.partials, own.partials, catalog.ids)
    _loaded: LoadedReaders = TenantLoadedReaders(shared.loaded, own.loaded, catalog.ids)
    _bases: BasesReader = TenantBases(shared.files, own.files, catalog.ids)


def scanning(hot: HotPartialsReader, scans: WideScans, without_copy: PartialsReader) -> None:
    _partials: PartialsReader = ScanningPartialsReader(hot, scans, without_copy=without_copy)


def clickhouse(pool: ClickhousePool, history: HistoryStore) -> None:
    _history: HistoryStore = ClickhouseHistory(pool)
    _scans: WideScans = ClickhouseWideScans(pool)
    _scans_without: WideScans = MemoryWideScans(history)


def warehouse(path: Path) -> None:
    _copy: StoreCopy = DuckDbStoreCopy(path)


def marts(path: Path) -> None:
    _marts: MartReader = DuckDbMartReader(path, "marts")


def system() -> None:
    _clock: Clock = SystemClock()
