"""The ports of a store, grouped by subject. This module imports no adapter and nothing that is slow to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aurum.common.cache import LastingTier
    from aurum.common.settings import DatabaseSettings, Settings
    from aurum.core.clock import Clock
    from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
    from aurum.storage.ports.alerts import AlertLog
    from aurum.storage.ports.blocks import BlockReader
    from aurum.storage.ports.catalog import Catalog, CatalogWriter
    from aurum.storage.ports.changes import ChangeFeed
    from aurum.storage.ports.curve_sets import CurveSetStore
    from aurum.storage.ports.curves import CurveReader
    from aurum.storage.ports.derived_curves import DerivedCurveReader
    from aurum.storage.ports.fetch import FetchStates
    from aurum.storage.ports.files import FileLog, Loader
    from aurum.storage.ports.flags import FlagStore
    from aurum.storage.ports.history import ArchiveLog, HistoryStore
    from aurum.storage.ports.idempotency import IdempotencyStore
    from aurum.storage.ports.jobs import JobLog, WorkerLog
    from aurum.storage.ports.lineage import LineageReader
    from aurum.storage.ports.links import LinkStore
    from aurum.storage.ports.mappings import MappingReader
    from aurum.storage.ports.model_inputs import CalendarTables, StoreExport
    from aurum.storage.ports.models import MartReader, ModelLog
    from aurum.storage.ports.observations import NeighbourReader, PartialsReader, SeriesReader
    from aurum.storage.ports.private import PrivateStores
    from aurum.storage.ports.probe import StoreProbe
    from aurum.storage.ports.quality import QualityLog, ValidationLog, ValidationWriter
    from aurum.storage.ports.recordings import ChangeLog, LoadedReaders
    from aurum.storage.ports.schedule import ScheduleFirings, ScheduleLog
    from aurum.storage.ports.search import SeriesSearch
    from aurum.storage.ports.transaction import Transactions
    from aurum.storage.ports.tuning import StoreTuning
    from aurum.storage.ports.usage import UsageStore
    from aurum.storage.ports.watermarks import WatermarkLog
    from aurum.storage.ports.webhooks import WebhookStore


@dataclass(frozen=True, slots=True)
class Observations:
    """Readers of observations.

    ``partials``: the reader of hourly sums. ``wide``: the same for scans over very many series. ``neighbours``: the reader of
    points that a new file is compared with. ``loaded``: readers of the store as it stood.
    """

    reader: SeriesReader
    partials: PartialsReader
    wide: PartialsReader
    neighbours: NeighbourReader
    loaded: LoadedReaders


@dataclass(frozen=True, slots=True)
class CatalogPorts:
    """The reader of the catalog, its search, and the writer that declares sources, datasets and blocks.

    ``blocks``: reader of blocks with their versions. ``mappings``: reader of spellings and units that administrators mapped.
    """

    reader: Catalog
    search: SeriesSearch
    writer: CatalogWriter
    blocks: BlockReader
    mappings: MappingReader


@dataclass(frozen=True, slots=True)
class Files:
    """The log of loaded files, and the loader."""

    log: FileLog
    loader: Loader


@dataclass(frozen=True, slots=True)
class Quality:
    """Rows in quarantine and gaps (``log``), and results of checks: their reader and their writer."""

    log: QualityLog
    validations: ValidationLog
    recorder: ValidationWriter


@dataclass(frozen=True, slots=True)
class Access:
    """Readers of API keys, tenants, links and the audit log, which change in transactions only."""

    keys: KeyStore
    tenants: TenantStore
    links: LinkStore
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class History:
    """The archive log, and the history with the archived months, if this process has one."""

    log: ArchiveLog
    store: HistoryStore | None


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """The inputs of dbt models. ``marts_in``: makes a reader of the marts in a schema of the database."""

    export: StoreExport
    calendars: CalendarTables
    marts_in: Callable[[str], MartReader]


class Store(Protocol):
    """All ports of one open store. A port is None if this store does not have it.

    ``database``: the server in use, which may be an embedded one that ``settings`` do not name. ``cache``: the tier of the
    response cache in the database. ``curves``: products and quotes, those of tenants included. ``jobs``: the log of jobs as
    users read it. ``worker_log``: the same as workers use it. ``changes``: the feed of changes, for processes that cache
    answers.
    """

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> DatabaseSettings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def transactions(self) -> Transactions: ...
    @property
    def observations(self) -> Observations: ...
    @property
    def catalog(self) -> CatalogPorts: ...
    @property
    def files(self) -> Files: ...
    @property
    def curves(self) -> CurveReader: ...
    @property
    def derived_curves(self) -> DerivedCurveReader: ...
    @property
    def curve_sets(self) -> CurveSetStore: ...
    @property
    def quality(self) -> Quality: ...
    @property
    def access(self) -> Access: ...
    @property
    def flags(self) -> FlagStore: ...
    @property
    def fetches(self) -> FetchStates: ...
    @property
    def models(self) -> ModelLog: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def private(self) -> PrivateStores: ...
    @property
    def change_log(self) -> ChangeLog: ...
    @property
    def lineage(self) -> LineageReader: ...
    @property
    def usage(self) -> UsageStore: ...
    @property
    def schedule(self) -> ScheduleLog: ...
    @property
    def schedule_firings(self) -> ScheduleFirings: ...
    @property
    def watermarks(self) -> WatermarkLog: ...
    @property
    def jobs(self) -> JobLog: ...
    @property
    def worker_log(self) -> WorkerLog: ...
    @property
    def alerts(self) -> AlertLog: ...
    @property
    def webhooks(self) -> WebhookStore: ...
    @property
    def probe(self) -> StoreProbe: ...
    @property
    def cache(self) -> LastingTier: ...
    @property
    def history(self) -> History | None: ...
    @property
    def model_inputs(self) -> ModelInputs | None: ...
    @property
    def tuning(self) -> StoreTuning | None: ...
    @property
    def changes(self) -> ChangeFeed | None: ...


@dataclass(frozen=True, slots=True)
class StoreParts:
    """A ``Store`` as a dataclass, so that ``dataclasses.replace`` can exchange a part."""

    settings: Settings
    database: DatabaseSettings
    clock: Clock
    transactions: Transactions
    observations: Observations
    catalog: CatalogPorts
    files: Files
    curves: CurveReader
    derived_curves: DerivedCurveReader
    curve_sets: CurveSetStore
    quality: Quality
    access: Access
    flags: FlagStore
    fetches: FetchStates
    models: ModelLog
    idempotency: IdempotencyStore
    private: PrivateStores
    change_log: ChangeLog
    lineage: LineageReader
    usage: UsageStore
    schedule: ScheduleLog
    schedule_firings: ScheduleFirings
    watermarks: WatermarkLog
    jobs: JobLog
    worker_log: WorkerLog
    alerts: AlertLog
    webhooks: WebhookStore
    probe: StoreProbe
    cache: LastingTier
    history: History | None = None
    model_inputs: ModelInputs | None = None
    tuning: StoreTuning | None = None
    changes: ChangeFeed | None = None
