"""Where the command's parts are put together: the only module here that names adapters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Invalid, Unavailable
from aurum.pipelines.archive import Archive, archive_of
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.keeping import Keeping
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.warehouse.project import Places, project_directory
from aurum.pipelines.warehouse.run import Warehouse, require_dbt
from aurum.storage import embedded
from aurum.storage.history_tier import history_of, iceberg_of
from aurum.storage.migrations.run import MigrationStatus, status, upgrade
from aurum.storage.ports import SeriesReader
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.marts import MartReader
from aurum.storage.postgres import (
    PostgresArchiveLog,
    PostgresAuditLog,
    PostgresCalendarTables,
    PostgresCatalog,
    PostgresCatalogWriter,
    PostgresFlagStore,
    PostgresKeyStore,
    PostgresMartReader,
    PostgresModelLog,
    PostgresPool,
    PostgresQualityLog,
    PostgresSeriesReader,
    PostgresSeriesWriter,
    PostgresStoreExport,
    PostgresTenantStore,
    PostgresValidationLog,
)
from aurum.storage.tiered import TieredSeriesReader
from aurum.storage.timescale import TimescaleTuning

T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """The store of this command, and what loads into it."""

    settings: Settings
    database: DatabaseSettings
    pool: PostgresPool
    clock: SystemClock = field(default_factory=SystemClock)

    @cached_property
    def history(self) -> HistoryStore | None:
        given = self.settings
        return history_of(given.history, given.trino, given.resilience, given.data_dir, self.clock)

    @cached_property
    def archive_log(self) -> PostgresArchiveLog:
        return PostgresArchiveLog(self.pool)

    @cached_property
    def archive(self) -> Archive:
        """Raises ``NoHistory``."""
        return archive_of(self.settings.history, self.settings.database, self.archive_log, self.history)

    @cached_property
    def reader(self) -> SeriesReader:
        hot = PostgresSeriesReader(self.pool, self.clock)
        return hot if self.history is None else TieredSeriesReader(hot, self.history)

    @cached_property
    def writer(self) -> PostgresSeriesWriter:
        return PostgresSeriesWriter(self.pool, self.history)

    @cached_property
    def catalog(self) -> PostgresCatalog:
        return PostgresCatalog(self.pool)

    @cached_property
    def catalog_writer(self) -> PostgresCatalogWriter:
        return PostgresCatalogWriter(self.pool)

    @cached_property
    def quality(self) -> PostgresQualityLog:
        return PostgresQualityLog(self.pool)

    @cached_property
    def keys(self) -> PostgresKeyStore:
        return PostgresKeyStore(self.pool)

    @cached_property
    def flags(self) -> PostgresFlagStore:
        return PostgresFlagStore(self.pool)

    @cached_property
    def tenants(self) -> PostgresTenantStore:
        return PostgresTenantStore(self.pool)

    @cached_property
    def audit(self) -> PostgresAuditLog:
        return PostgresAuditLog(self.pool)

    @cached_property
    def tuning(self) -> TimescaleTuning:
        return TimescaleTuning(self.pool)

    @cached_property
    def registry(self) -> Registry:
        return default_registry()

    @cached_property
    def kept_files(self) -> KeptFiles:
        return KeptFiles(self.settings.data_dir / "quarantine")

    @cached_property
    def ingestion(self) -> Ingestion:
        return Ingestion(
            registry=self.registry,
            suites=read_suites(contracts_directory(self.settings.contracts_dir) / "expectations"),
            writer=self.writer,
            kept=self.kept_files,
            keeping=self.keeping,
        )

    @cached_property
    def validations(self) -> PostgresValidationLog:
        return PostgresValidationLog(self.pool)

    @cached_property
    def keeping(self) -> Keeping:
        return Keeping(self.validations, self.settings.quality, self.clock)


def marts_of(store: Store, target: str, schema: str) -> MartReader:
    """Where models build marts. Raises ``Invalid`` for a target whose marts cannot be read from here."""
    if target == "postgres":
        return PostgresMartReader(store.pool, schema)
    if target == "duckdb":
        from aurum.storage.duckdb.mart_reader import DuckDbMartReader  # only those who read marts load DuckDB

        return DuckDbMartReader(places_of(store.settings).file, schema)
    raise Invalid(f"marts of target {target!r} cannot be read: duckdb or postgres", target=target)


def places_of(settings: Settings) -> Places:
    """Where models are built. Raises ``ProjectNotFound``."""
    return Places(project_directory(settings.dbt.project_dir), settings.data_dir.resolve() / "warehouse")


def warehouse_of(store: Store) -> Warehouse:
    """The models over a store. Raises ``DbtNotInstalled``, ``ProjectNotFound``."""
    require_dbt()  # which brings DuckDB
    from aurum.storage.duckdb.warehouse import DuckDbStoreCopy

    settings = store.settings
    places = places_of(settings)
    return Warehouse(
        settings=settings.dbt,
        database=store.database,
        places=places,
        registry=store.registry,
        clock=store.clock,
        catalog=store.catalog,
        export=PostgresStoreExport(store.pool, store.history),
        copy=DuckDbStoreCopy(places.file),
        calendars=PostgresCalendarTables(store.pool),
        log=PostgresModelLog(store.pool),
        history=iceberg_of(settings.history, settings.trino),
    )


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncGenerator[Store]:
    """The store that settings name, else the embedded one of the data directory, migrated.

    A server given by settings is never migrated unasked. Raises ``Unavailable`` with one line that says what to change.
    """
    with embedded.database(settings.database, settings.data_dir) as database:
        url = database.url or ""
        if settings.database.url is None:
            await upgrade(url)
        elif not (await _reachable_status(url)).is_current:
            raise Unavailable("the database is not at the newest schema: run `aurum db migrate`")
        pool = await PostgresPool.open(database, slow_query_s=settings.telemetry.slow_query_s)
        store = Store(settings, database, pool)
        try:
            yield store
        finally:
            if store.history is not None:
                await store.history.close()
            await pool.close()


def with_store(settings: Settings, action: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store, do one thing, close it."""

    async def run() -> T:
        async with open_store(settings) as store:
            return await action(store)

    return asyncio.run(run())


async def _reachable_status(url: str) -> MigrationStatus:
    try:
        return await status(url)
    except Unavailable as error:
        raise Unavailable(f"{error.detail}: check AURUM_DATABASE__URL", retry_after=error.retry_after) from error
