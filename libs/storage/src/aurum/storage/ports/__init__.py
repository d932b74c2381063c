"""What the rest of Aurum may ask of a store, a module a feature.

Adapters do not inherit from these; ``tests/typing/conformance.py`` proves that they fit.
"""

from aurum.storage.ports.catalog import Catalog, CatalogWriter, LocationFilter, SeriesFilter
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind
from aurum.storage.ports.files import FileFilter, FileLoad, FileLog, FileRecord, Loader, LoadOutcome, Part
from aurum.storage.ports.jobs import JobQueue, ParkedJob, QueueAway, QueueState
from aurum.storage.ports.observations import PartialsReader, SeriesReader, SeriesRows
from aurum.storage.ports.probe import MismatchKind, PoolUse, SchemaMismatch, StoreProbe, StoreState
from aurum.storage.ports.quality import (
    CompletenessFilter,
    QualityLog,
    QuarantineFilter,
    Retention,
    ValidationFilter,
    ValidationLog,
    ValidationWriter,
)
from aurum.storage.ports.transaction import LostRace, TenantTransaction, Transaction, Transactions

__all__ = [
    "Catalog",
    "CatalogWriter",
    "Change",
    "ChangeFeed",
    "ChangeKind",
    "CompletenessFilter",
    "FileFilter",
    "FileLoad",
    "FileLog",
    "FileRecord",
    "JobQueue",
    "LoadOutcome",
    "Loader",
    "LocationFilter",
    "LostRace",
    "MismatchKind",
    "ParkedJob",
    "Part",
    "PartialsReader",
    "PoolUse",
    "QualityLog",
    "QuarantineFilter",
    "QueueAway",
    "QueueState",
    "Retention",
    "SchemaMismatch",
    "SeriesFilter",
    "SeriesReader",
    "SeriesRows",
    "StoreProbe",
    "StoreState",
    "TenantTransaction",
    "Transaction",
    "Transactions",
    "ValidationFilter",
    "ValidationLog",
    "ValidationWriter",
]
