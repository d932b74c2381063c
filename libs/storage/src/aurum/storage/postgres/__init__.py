"""Every port on plain PostgreSQL. Only an application's ``wiring`` names these classes."""

from aurum.storage.postgres.archive_log import PostgresArchiveLog
from aurum.storage.postgres.audit import PostgresAuditLog
from aurum.storage.postgres.cache_tier import PostgresCacheTier
from aurum.storage.postgres.catalog import PostgresCatalog
from aurum.storage.postgres.catalog_writer import PostgresCatalogWriter
from aurum.storage.postgres.change_feed import PostgresChangeFeed
from aurum.storage.postgres.flag_store import PostgresFlagStore
from aurum.storage.postgres.idempotency import PostgresIdempotencyStore
from aurum.storage.postgres.key_store import PostgresKeyStore
from aurum.storage.postgres.mart_reader import PostgresMartReader
from aurum.storage.postgres.model_log import PostgresModelLog
from aurum.storage.postgres.partials_reader import PostgresPartialsReader
from aurum.storage.postgres.pool import PostgresPool
from aurum.storage.postgres.probe import PostgresProbe
from aurum.storage.postgres.quality_log import PostgresQualityLog
from aurum.storage.postgres.series_reader import PostgresSeriesReader
from aurum.storage.postgres.series_writer import PostgresSeriesWriter
from aurum.storage.postgres.tenant_store import PostgresTenantStore
from aurum.storage.postgres.validation_log import PostgresValidationLog
from aurum.storage.postgres.warehouse import PostgresCalendarTables, PostgresStoreExport

__all__ = [
    "PostgresArchiveLog",
    "PostgresAuditLog",
    "PostgresCacheTier",
    "PostgresCalendarTables",
    "PostgresCatalog",
    "PostgresCatalogWriter",
    "PostgresChangeFeed",
    "PostgresFlagStore",
    "PostgresIdempotencyStore",
    "PostgresKeyStore",
    "PostgresMartReader",
    "PostgresModelLog",
    "PostgresPartialsReader",
    "PostgresPool",
    "PostgresProbe",
    "PostgresQualityLog",
    "PostgresSeriesReader",
    "PostgresSeriesWriter",
    "PostgresStoreExport",
    "PostgresTenantStore",
    "PostgresValidationLog",
]
