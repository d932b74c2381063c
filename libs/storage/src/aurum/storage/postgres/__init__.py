"""Every port on plain PostgreSQL, a folder or module a feature. Only ``aurum.assembly`` names these classes."""

from aurum.storage.postgres.access.audit import PostgresAuditLog
from aurum.storage.postgres.access.keys import PostgresKeyStore
from aurum.storage.postgres.access.tenants import PostgresTenantStore
from aurum.storage.postgres.cache import PostgresCacheTier
from aurum.storage.postgres.catalog.reader import PostgresCatalog
from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
from aurum.storage.postgres.changes import PostgresChangeFeed
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.files.log import PostgresFileLog
from aurum.storage.postgres.flags import PostgresFlagStore
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.postgres.idempotency import PostgresIdempotencyStore
from aurum.storage.postgres.models.log import PostgresModelLog
from aurum.storage.postgres.models.marts import PostgresMartReader
from aurum.storage.postgres.models.warehouse import PostgresCalendarTables, PostgresStoreExport
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.probe import PostgresProbe
from aurum.storage.postgres.quality.log import PostgresQualityLog
from aurum.storage.postgres.quality.validations import PostgresValidationLog
from aurum.storage.postgres.transaction import PostgresTransactions

__all__ = [
    "PostgresArchiveLog",
    "PostgresAuditLog",
    "PostgresCacheTier",
    "PostgresCalendarTables",
    "PostgresCatalog",
    "PostgresCatalogWriter",
    "PostgresChangeFeed",
    "PostgresFileLog",
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
    "PostgresStoreExport",
    "PostgresTenantStore",
    "PostgresTransactions",
    "PostgresValidationLog",
]
