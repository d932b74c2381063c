"""All memory adapters over one state."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.clock import Clock
from aurum.storage.loaded import LoadedSeriesReaders
from aurum.storage.loader import FileLoader
from aurum.storage.memory.access import MemoryAuditLog, MemoryKeyStore, MemoryTenantStore
from aurum.storage.memory.alerts import MemoryAlertLog
from aurum.storage.memory.blocks import MemoryBlocks
from aurum.storage.memory.catalog import MemoryCatalog, MemoryCatalogWriter
from aurum.storage.memory.change_log import MemoryChangeLog
from aurum.storage.memory.curve_sets import MemoryCurveSetStore
from aurum.storage.memory.curves import MemoryCurveReader
from aurum.storage.memory.derived_curves import MemoryDerivedCurveReader
from aurum.storage.memory.fetch import MemoryFetchStates
from aurum.storage.memory.files import MemoryFileLog
from aurum.storage.memory.flags import MemoryFlagStore
from aurum.storage.memory.idempotency import MemoryIdempotencyStore
from aurum.storage.memory.jobs import MemoryJobLog, MemoryWorkerLog
from aurum.storage.memory.lineage import MemoryLineageReader
from aurum.storage.memory.links import MemoryLinkStore
from aurum.storage.memory.mappings import MemoryMappings
from aurum.storage.memory.models import MemoryModelLog
from aurum.storage.memory.observations import MemoryNeighbourReader, MemoryPartialsReader, MemorySeriesReader
from aurum.storage.memory.private import MemoryPrivateStores
from aurum.storage.memory.probe import MemoryProbe
from aurum.storage.memory.quality import MemoryQualityLog, MemoryValidationLog
from aurum.storage.memory.recordings import MemoryUndoLog
from aurum.storage.memory.schedule import MemoryScheduleLog
from aurum.storage.memory.schedule_firings import MemoryScheduleFirings
from aurum.storage.memory.search import MemorySearch
from aurum.storage.memory.state import MemoryState, StoredRecording
from aurum.storage.memory.transaction import MemoryTransactions
from aurum.storage.memory.usage import MemoryUsageStore
from aurum.storage.memory.watermarks import MemoryWatermarkLog
from aurum.storage.memory.webhooks import MemoryWebhookStore
from aurum.storage.ports.access import Tenant
from aurum.storage.ports.recordings import RecordingAction


class MemoryStore:
    """Every port over dictionaries of one process, for one event loop. Like every new store it has the tenant ``local``."""

    def __init__(self, clock: Clock) -> None:
        self.state = MemoryState()
        self.state.tenants["local"] = Tenant("local", "This installation", "enterprise", clock.now())
        self.state.recordings.append(StoredRecording(0, clock.now(), RecordingAction.BEGIN, None))
        self.transactions = MemoryTransactions(self.state, clock)
        self.reader = MemorySeriesReader(self.state)
        self.undo = MemoryUndoLog(self.state, clock)
        self.loaded = LoadedSeriesReaders(self.reader, self.undo)
        self.partials = MemoryPartialsReader(self.state)
        self.neighbours = MemoryNeighbourReader(self.state)
        self.catalog = MemoryCatalog(self.state)
        self.search = MemorySearch(self.state)
        self.catalog_writer = MemoryCatalogWriter(self.state)
        self.blocks = MemoryBlocks(self.state)
        self.mappings = MemoryMappings(self.state)
        self.files = MemoryFileLog(self.state)
        self.private = MemoryPrivateStores(self.state, clock)
        self.loader = FileLoader(self.transactions, self.files, private=self.private)
        self.curves = MemoryCurveReader(self.state, clock, self._recordings)
        self.derived_curves = MemoryDerivedCurveReader(self.state)
        self.curve_sets = MemoryCurveSetStore(self.state)
        self.quality = MemoryQualityLog(self.state)
        self.validations = MemoryValidationLog(self.state, clock)
        self.probe = MemoryProbe()
        self.model_log = MemoryModelLog()
        self.keys = MemoryKeyStore(self.state)
        self.tenants = MemoryTenantStore(self.state)
        self.links = MemoryLinkStore(self.state, clock)
        self.audit = MemoryAuditLog(self.state)
        self.alerts = MemoryAlertLog(self.state)
        self.webhooks = MemoryWebhookStore(self.state)
        self.flags = MemoryFlagStore(self.state)
        self.fetches = MemoryFetchStates(self.state)
        self.change_log = MemoryChangeLog(self.state)
        self.lineage = MemoryLineageReader(self.state, self.state)
        self.idempotency = MemoryIdempotencyStore(clock)
        self.usage = MemoryUsageStore()
        self.schedule = MemoryScheduleLog(self.state)
        self.schedule_firings = MemoryScheduleFirings(self.state, self.transactions)
        self.watermarks = MemoryWatermarkLog(self.state)
        self.jobs = MemoryJobLog(self.state, clock)
        self.worker_log = MemoryWorkerLog(self.state, clock)

    def _recordings(self, tenant: str | None) -> Sequence[StoredRecording]:
        return (self.state if tenant is None else self.private.state_of(tenant)).recordings
