"""The adapters over one state, side by side."""

from __future__ import annotations

from aurum.core.clock import Clock
from aurum.storage.memory.access import AccessState, MemoryAuditLog, MemoryKeyStore, MemoryTenantStore
from aurum.storage.memory.catalog import MemoryCatalog
from aurum.storage.memory.catalog_writer import MemoryCatalogWriter
from aurum.storage.memory.flag_store import MemoryFlagStore
from aurum.storage.memory.idempotency import MemoryIdempotencyStore
from aurum.storage.memory.model_log import MemoryModelLog
from aurum.storage.memory.partials_reader import MemoryPartialsReader
from aurum.storage.memory.probe import MemoryProbe
from aurum.storage.memory.quality_log import MemoryQualityLog
from aurum.storage.memory.series_reader import MemorySeriesReader
from aurum.storage.memory.series_writer import MemorySeriesWriter
from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.validation_log import MemoryValidationLog


class MemoryStore:
    """Every port over dictionaries of one process. Empty at first; for one event loop."""

    def __init__(self, clock: Clock) -> None:
        self.state = MemoryState()
        self.reader = MemorySeriesReader(self.state)
        self.writer = MemorySeriesWriter(self.state, clock)
        self.partials = MemoryPartialsReader(self.state)
        self.catalog = MemoryCatalog(self.state)
        self.catalog_writer = MemoryCatalogWriter(self.state)
        self.quality = MemoryQualityLog(self.state)
        self.validations = MemoryValidationLog(self.state, clock)
        self.probe = MemoryProbe()
        self.model_log = MemoryModelLog()
        access = AccessState(clock)
        self.keys = MemoryKeyStore(access)
        self.tenants = MemoryTenantStore(access)
        self.audit = MemoryAuditLog(access)
        self.flags = MemoryFlagStore(access)
        self.idempotency = MemoryIdempotencyStore(clock)
