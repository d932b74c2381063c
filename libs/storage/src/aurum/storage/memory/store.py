"""All memory adapters over one state."""

from __future__ import annotations

from aurum.core.clock import Clock
from aurum.storage.loader import FileLoader
from aurum.storage.memory.access import MemoryAuditLog, MemoryKeyStore, MemoryTenantStore
from aurum.storage.memory.catalog import MemoryCatalog, MemoryCatalogWriter
from aurum.storage.memory.files import MemoryFileLog
from aurum.storage.memory.flags import MemoryFlagStore
from aurum.storage.memory.idempotency import MemoryIdempotencyStore
from aurum.storage.memory.models import MemoryModelLog
from aurum.storage.memory.observations import MemoryNeighbourReader, MemoryPartialsReader, MemorySeriesReader
from aurum.storage.memory.probe import MemoryProbe
from aurum.storage.memory.quality import MemoryQualityLog, MemoryValidationLog
from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.transaction import MemoryTransactions
from aurum.storage.ports.access import Tenant


class MemoryStore:
    """Every port over dictionaries of one process, for one event loop. Like every new store it has the tenant ``local``."""

    def __init__(self, clock: Clock) -> None:
        self.state = MemoryState()
        self.state.tenants["local"] = Tenant("local", "This installation", "enterprise", clock.now())
        self.transactions = MemoryTransactions(self.state, clock)
        self.reader = MemorySeriesReader(self.state)
        self.partials = MemoryPartialsReader(self.state)
        self.neighbours = MemoryNeighbourReader(self.state)
        self.catalog = MemoryCatalog(self.state)
        self.catalog_writer = MemoryCatalogWriter(self.state)
        self.files = MemoryFileLog(self.state)
        self.loader = FileLoader(self.transactions, self.files)
        self.quality = MemoryQualityLog(self.state)
        self.validations = MemoryValidationLog(self.state, clock)
        self.probe = MemoryProbe()
        self.model_log = MemoryModelLog()
        self.keys = MemoryKeyStore(self.state)
        self.tenants = MemoryTenantStore(self.state)
        self.audit = MemoryAuditLog(self.state)
        self.flags = MemoryFlagStore(self.state)
        self.idempotency = MemoryIdempotencyStore(clock)
