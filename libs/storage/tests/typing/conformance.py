"""Every adapter fits its port. Read by pyright (``test_conformance.py`` asks it) and never run."""

from pathlib import Path

from aurum.common.clock import SystemClock
from aurum.core.clock import Clock
from aurum.storage.duckdb.mart_reader import DuckDbMartReader
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.catalog import MemoryCatalog
from aurum.storage.memory.catalog_writer import MemoryCatalogWriter
from aurum.storage.memory.change_feed import MemoryChangeFeed
from aurum.storage.memory.mart_reader import MemoryMartReader
from aurum.storage.memory.probe import MemoryProbe
from aurum.storage.memory.quality_log import MemoryQualityLog
from aurum.storage.memory.series_reader import MemorySeriesReader
from aurum.storage.memory.series_writer import MemorySeriesWriter
from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.validation_log import MemoryValidationLog
from aurum.storage.ports import (
    Catalog,
    CatalogWriter,
    ChangeFeed,
    QualityLog,
    SeriesReader,
    SeriesWriter,
    StoreProbe,
    ValidationLog,
    ValidationWriter,
)
from aurum.storage.ports.marts import MartReader
from aurum.storage.postgres import (
    PostgresCatalog,
    PostgresCatalogWriter,
    PostgresChangeFeed,
    PostgresMartReader,
    PostgresPool,
    PostgresProbe,
    PostgresQualityLog,
    PostgresSeriesReader,
    PostgresSeriesWriter,
    PostgresValidationLog,
)
from aurum.storage.testing.stores import PostgresStore, Store


def memory(state: MemoryState, clock: Clock) -> None:
    _reader: SeriesReader = MemorySeriesReader(state)
    _writer: SeriesWriter = MemorySeriesWriter(state, clock)
    _catalog: Catalog = MemoryCatalog(state)
    _catalog_writer: CatalogWriter = MemoryCatalogWriter(state)
    _quality: QualityLog = MemoryQualityLog(state)
    _validations: ValidationLog = MemoryValidationLog(state, clock)
    _validation_writer: ValidationWriter = MemoryValidationLog(state, clock)
    _marts: MartReader = MemoryMartReader({})
    _probe: StoreProbe = MemoryProbe()
    _feed: ChangeFeed = MemoryChangeFeed()
    _store: Store = MemoryStore(clock)


def postgres(pool: PostgresPool, clock: Clock) -> None:
    _reader: SeriesReader = PostgresSeriesReader(pool, clock)
    _writer: SeriesWriter = PostgresSeriesWriter(pool)
    _catalog: Catalog = PostgresCatalog(pool)
    _catalog_writer: CatalogWriter = PostgresCatalogWriter(pool)
    _quality: QualityLog = PostgresQualityLog(pool)
    _validations: ValidationLog = PostgresValidationLog(pool)
    _validation_writer: ValidationWriter = PostgresValidationLog(pool)
    _marts: MartReader = PostgresMartReader(pool, "marts")
    _probe: StoreProbe = PostgresProbe(pool, "0001")
    _feed: ChangeFeed = PostgresChangeFeed(pool.settings)
    _store: Store = PostgresStore(pool, clock)


def duckdb(path: Path) -> None:
    _marts: MartReader = DuckDbMartReader(path, "marts")


def system() -> None:
    _clock: Clock = SystemClock()
