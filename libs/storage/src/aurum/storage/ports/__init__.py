"""What the rest of Aurum may ask of a store.

Adapters do not inherit from these; ``tests/typing/conformance.py`` proves that they fit.
"""

from aurum.storage.ports.aggregates import PartialsReader
from aurum.storage.ports.catalog import Catalog, CatalogWriter, QualityLog, SeriesFilter
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind
from aurum.storage.ports.jobs import JobQueue, ParkedJob, QueueAway, QueueState
from aurum.storage.ports.probe import MismatchKind, PoolUse, SchemaMismatch, StoreProbe, StoreState
from aurum.storage.ports.quality import Retention, ValidationFilter, ValidationLog, ValidationWriter
from aurum.storage.ports.series import FileLoad, LoadOutcome, SeriesReader, SeriesWriter

__all__ = [
    "Catalog",
    "CatalogWriter",
    "Change",
    "ChangeFeed",
    "ChangeKind",
    "FileLoad",
    "JobQueue",
    "LoadOutcome",
    "MismatchKind",
    "ParkedJob",
    "PartialsReader",
    "PoolUse",
    "QualityLog",
    "QueueAway",
    "QueueState",
    "Retention",
    "SchemaMismatch",
    "SeriesFilter",
    "SeriesReader",
    "SeriesWriter",
    "StoreProbe",
    "StoreState",
    "ValidationFilter",
    "ValidationLog",
    "ValidationWriter",
]
