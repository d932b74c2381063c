"""Stores for the contract suite: all adapters of one technology."""

from __future__ import annotations

from typing import Protocol

from aurum.common.resilience.retry import Retry
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.clock import Clock
from aurum.core.series.model import Series
from aurum.storage.loader import FileLoader
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.catalog import Catalog, CatalogWriter
from aurum.storage.ports.errors import LostRace
from aurum.storage.ports.files import FileLog, Loader
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.models import ModelLog
from aurum.storage.ports.observations import NeighbourReader, PartialsReader, SeriesReader
from aurum.storage.ports.quality import QualityLog, ValidationLog, ValidationWriter
from aurum.storage.ports.transaction import Transactions
from aurum.storage.postgres.access.audit import PostgresAuditLog
from aurum.storage.postgres.access.keys import PostgresKeyStore
from aurum.storage.postgres.access.tenants import PostgresTenantStore
from aurum.storage.postgres.catalog.reader import PostgresCatalog
from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.flags import PostgresFlagStore
from aurum.storage.postgres.idempotency import PostgresIdempotencyStore
from aurum.storage.postgres.models.log import PostgresModelLog
from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.quality.log import PostgresQualityLog
from aurum.storage.postgres.quality.validations import PostgresValidationLog
from aurum.storage.postgres.transaction import PostgresTransactions


class PostgresStore:
    """Every port on one PostgreSQL database. ``partials``: another reader of partials, None for the plain one."""

    def __init__(self, pool: PostgresPool, clock: Clock, partials: PartialsReader | None = None) -> None:
        self.pool = pool
        self.transactions: Transactions = PostgresTransactions(pool)
        self.files = PostgresFileLog(pool)
        self.reader: SeriesReader = PostgresSeriesReader(pool, clock)
        self.loader: Loader = patient_loader(self.transactions, self.files)
        self.partials: PartialsReader = partials or PostgresPartialsReader(pool)
        self.neighbours: NeighbourReader = PostgresNeighbourReader(pool)
        self.catalog = PostgresCatalog(pool)
        self.catalog_writer = PostgresCatalogWriter(pool)
        self.quality = PostgresQualityLog(pool)
        self.validations = PostgresValidationLog(pool)
        self.keys = PostgresKeyStore(pool)
        self.tenants = PostgresTenantStore(pool)
        self.audit = PostgresAuditLog(pool)
        self.flags = PostgresFlagStore(pool)
        self.idempotency = PostgresIdempotencyStore(pool)
        self.model_log = PostgresModelLog(pool)


def patient_loader(transactions: Transactions, files: FileLog) -> FileLoader:
    """Return a loader that repeats lost races for up to 120 seconds."""
    return FileLoader(transactions, files, Retry("loads", ResilienceSettings(retry_within_s=120.0), on=(LostRace,)))


class Validations(ValidationLog, ValidationWriter, Protocol):
    """Reads and writes of validations."""


class Store(Protocol):
    """An adapter of each port that the contract suite tests."""

    @property
    def reader(self) -> SeriesReader: ...
    @property
    def loader(self) -> Loader: ...
    @property
    def transactions(self) -> Transactions: ...
    @property
    def files(self) -> FileLog: ...
    @property
    def partials(self) -> PartialsReader: ...
    @property
    def neighbours(self) -> NeighbourReader: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def catalog_writer(self) -> CatalogWriter: ...
    @property
    def quality(self) -> QualityLog: ...
    @property
    def validations(self) -> Validations: ...
    @property
    def keys(self) -> KeyStore: ...
    @property
    def tenants(self) -> TenantStore: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def flags(self) -> FlagStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def model_log(self) -> ModelLog: ...


async def series_named(store: Store, key: str) -> Series:
    """Return the series with a key. Raises ``KeyError`` when it does not exist."""
    return (await store.catalog.series_by_key([key]))[key]
