"""The store of a process: every port of it, made of settings and grouped by what it is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

from aurum.assembly.history import history_of
from aurum.common.cache import LastingTier
from aurum.common.clock import SystemClock
from aurum.common.resilience import Retry
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.clock import Clock
from aurum.storage.loader import FileLoader
from aurum.storage.migrations.installed import read_state, require_compatible, require_supported
from aurum.storage.ports import (
    Catalog,
    CatalogWriter,
    ChangeFeed,
    FileLog,
    Loader,
    LostRace,
    PartialsReader,
    QualityLog,
    SeriesReader,
    StoreProbe,
    TenantTransaction,
    Transaction,
    Transactions,
    ValidationLog,
    ValidationWriter,
)
from aurum.storage.ports.access import Actor, AuditLog, KeyStore, TenantStore
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.history import ArchiveLog, HistoryStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.models import MartReader, ModelLog
from aurum.storage.ports.tuning import StoreTuning
from aurum.storage.ports.warehouse import CalendarTables, StoreExport
from aurum.storage.postgres import (
    PostgresArchiveLog,
    PostgresAuditLog,
    PostgresCacheTier,
    PostgresCalendarTables,
    PostgresCatalog,
    PostgresCatalogWriter,
    PostgresChangeFeed,
    PostgresFileLog,
    PostgresFlagStore,
    PostgresIdempotencyStore,
    PostgresKeyStore,
    PostgresMartReader,
    PostgresModelLog,
    PostgresPool,
    PostgresProbe,
    PostgresQualityLog,
    PostgresSeriesReader,
    PostgresStoreExport,
    PostgresTenantStore,
    PostgresTransactions,
    PostgresValidationLog,
)
from aurum.storage.remembered import RememberedCatalog
from aurum.storage.tiered import TieredPartialsReader, TieredSeriesReader
from aurum.storage.timescale import TimescalePartialsReader, TimescaleTuning


@dataclass(frozen=True, slots=True)
class Observations:
    """Reads of observations. ``partials``: sums by the hour, where the store has them."""

    reader: SeriesReader
    partials: PartialsReader | None


@dataclass(frozen=True, slots=True)
class CatalogPorts:
    """What there is, and its declaration."""

    reader: Catalog
    writer: CatalogWriter


@dataclass(frozen=True, slots=True)
class Files:
    """Records of files, and the loader that stores them."""

    log: FileLog
    loader: Loader


@dataclass(frozen=True, slots=True)
class Quality:
    """What was held back and found missing, and what checks found."""

    log: QualityLog
    validations: ValidationLog
    recorder: ValidationWriter


@dataclass(frozen=True, slots=True)
class Access:
    """Reads of keys, tenants and the audit log; they are changed in transactions."""

    keys: KeyStore
    tenants: TenantStore
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class History:
    """The archive log, and the history that holds archived months, where this process has one."""

    log: ArchiveLog
    store: HistoryStore | None


@dataclass(frozen=True, slots=True)
class Warehouse:
    """What models are built from. ``marts_in``: reads marts in a schema of the database."""

    export: StoreExport
    calendars: CalendarTables
    marts_in: Callable[[str], MartReader]


@dataclass(frozen=True, slots=True)
class Store:
    """Every port of one store, for the length of ``open_store``; what is None this store does not have.

    ``database``: the server in use, which may be an embedded one that ``settings`` do not name. ``changes``: tells of changes,
    for processes that remember answers. ``cache``: the tier of the response cache in the database.
    """

    settings: Settings
    database: DatabaseSettings
    clock: Clock
    transactions: Transactions
    observations: Observations
    catalog: CatalogPorts
    files: Files
    quality: Quality
    access: Access
    flags: FlagStore
    models: ModelLog
    idempotency: IdempotencyStore
    probe: StoreProbe
    cache: LastingTier
    history: History | None = None
    warehouse: Warehouse | None = None
    tuning: StoreTuning | None = None
    changes: ChangeFeed | None = None

    @overload
    def transaction(
        self, *, by: Actor, tenant: None = None, lasting: bool = False
    ) -> AbstractAsyncContextManager[Transaction]: ...

    @overload
    def transaction(self, *, by: Actor, tenant: str) -> AbstractAsyncContextManager[TenantTransaction]: ...

    def transaction(
        self, *, by: Actor, tenant: str | None = None, lasting: bool = False
    ) -> AbstractAsyncContextManager[Transaction] | AbstractAsyncContextManager[TenantTransaction]:
        """Begin a unit of work, as ``ports.transaction`` says."""
        if tenant is None:
            return self.transactions.transaction(by=by, lasting=lasting)
        return self.transactions.transaction(by=by, tenant=tenant)


@asynccontextmanager
async def open_store(
    settings: Settings, *, database: DatabaseSettings | None = None, clock: Clock | None = None, live: bool = False
) -> AsyncGenerator[Store]:
    """Open the store for the length of the block: one pool, shared by all ports.

    ``database``: the server, where it is not the one that settings name. ``live``: for a service that answers from memory.
    Its catalog is remembered, ``changes`` tells of every change, and it starts also on a schema that is still to be migrated.
    Raises ``Unavailable`` when the server does not answer, or has a schema that this code cannot use.
    """
    async with AsyncExitStack() as stack:
        server = database or settings.database
        pool = await PostgresPool.open(server, slow_query_s=settings.telemetry.slow_query_s)
        stack.push_async_callback(pool.close)
        async with pool.acquire() as connection:
            await (require_supported(connection) if live else require_compatible(connection))
        clock = clock or SystemClock()
        history = history_of(settings, clock)
        if history is not None:
            stack.push_async_callback(history.close)
        store = _store(settings, server, clock, pool, history)
        yield await stack.enter_async_context(_following(store, pool)) if live else store


async def reach_store(settings: Settings) -> None:
    """Connect, see that the schema allows this release, and leave again. Raises ``Unavailable``."""
    pool = await PostgresPool.open(settings.database)
    try:
        async with pool.acquire() as connection:
            await require_supported(connection)
    finally:
        await pool.close()


def _store(
    settings: Settings, database: DatabaseSettings, clock: Clock, pool: PostgresPool, history: HistoryStore | None
) -> Store:
    hot = PostgresSeriesReader(pool, clock)
    transactions = PostgresTransactions(pool, history)
    files = PostgresFileLog(pool)
    validations = PostgresValidationLog(pool)
    patience = settings.resilience.model_copy(update={"retry_within_s": database.load_timeout_s})
    return Store(
        settings=settings,
        database=database,
        clock=clock,
        transactions=transactions,
        observations=Observations(hot if history is None else TieredSeriesReader(hot, history), None),
        catalog=CatalogPorts(PostgresCatalog(pool), PostgresCatalogWriter(pool)),
        files=Files(files, FileLoader(transactions, files, Retry("loads", patience, on=(LostRace,)))),
        quality=Quality(PostgresQualityLog(pool), validations, validations),
        access=Access(PostgresKeyStore(pool), PostgresTenantStore(pool), PostgresAuditLog(pool)),
        flags=PostgresFlagStore(pool),
        models=PostgresModelLog(pool),
        idempotency=PostgresIdempotencyStore(pool),
        probe=PostgresProbe(pool, read_state),
        cache=PostgresCacheTier(pool),
        history=History(PostgresArchiveLog(pool), history),
        warehouse=Warehouse(
            PostgresStoreExport(pool, history), PostgresCalendarTables(pool), partial(PostgresMartReader, pool)
        ),
        tuning=TimescaleTuning(pool),
    )


@asynccontextmanager
async def _following(store: Store, pool: PostgresPool) -> AsyncGenerator[Store]:
    """The same store with a change feed, and what it makes possible: a remembered catalog, sums by the hour."""
    # Without the extension it declares nothing, and rows are read.
    hot = await TimescalePartialsReader.open(pool)
    reader = store.observations.reader
    is_tiered = store.history is not None and store.history.store is not None
    async with PostgresChangeFeed.open(store.database) as changes:
        changes.when_silent(pool.reads.give_up)
        following = asyncio.create_task(hot.follow(changes))
        try:
            yield replace(
                store,
                observations=Observations(reader, TieredPartialsReader(hot, reader) if is_tiered else hot),
                catalog=replace(store.catalog, reader=RememberedCatalog(store.catalog.reader, changes)),
                changes=changes,
            )
        finally:
            following.cancel()
            await asyncio.wait([following])
