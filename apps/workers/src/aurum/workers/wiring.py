"""Where a job's parts are put together: the only module here that names adapters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import Settings
from aurum.core.clock import Clock
from aurum.pipelines.archive import Archive, archive_of
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.keeping import Keeping
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.marts import MartsReport, validate_build
from aurum.pipelines.quality.suites import Suites, read_mart_suites, read_suites
from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.warehouse.project import Places, project_directory
from aurum.pipelines.warehouse.run import Warehouse, require_dbt
from aurum.storage.history_tier import history_of, iceberg_of
from aurum.storage.ports import QualityLog
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.marts import MartReader
from aurum.storage.ports.models import ModelRun
from aurum.storage.postgres import (
    PostgresArchiveLog,
    PostgresCalendarTables,
    PostgresCatalog,
    PostgresCatalogWriter,
    PostgresMartReader,
    PostgresModelLog,
    PostgresPool,
    PostgresQualityLog,
    PostgresSeriesWriter,
    PostgresStoreExport,
    PostgresValidationLog,
)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs work with, made once a process. Connections are made for each job: one job, one unit of work."""

    settings: Settings
    registry: Registry
    suites: Suites
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, settings: Settings) -> Workshop:
        """The workshop of some settings: every source, and the expectations of the contracts."""
        return cls(settings, default_registry(), read_suites(contracts_directory(settings.contracts_dir) / "expectations"))

    async def open_store(self) -> None:
        """Declare in the catalog what this version knows. Raises ``Unavailable``, before a job needs the store."""
        async with self._pool() as pool:
            await declare_catalog(self.registry, PostgresCatalogWriter(pool))

    @asynccontextmanager
    async def ingestion(self) -> AsyncGenerator[Ingestion]:
        """What loads files, over connections of its own. Raises ``Unavailable``."""
        async with self._pool() as pool, self._history() as history:
            yield self._ingestion(pool, history)

    @asynccontextmanager
    async def quarantine(self) -> AsyncGenerator[tuple[Ingestion, QualityLog, KeptFiles]]:
        """What loads files, what is said of them, and those that were kept. Raises ``Unavailable``."""
        async with self._pool() as pool, self._history() as history:
            yield self._ingestion(pool, history), PostgresQualityLog(pool), self._kept()

    @asynccontextmanager
    async def warehouse(self) -> AsyncGenerator[Warehouse]:
        """The models over the store. Raises ``DbtNotInstalled``, ``ProjectNotFound``, ``Unavailable``."""
        require_dbt()  # which brings DuckDB
        from aurum.storage.duckdb.warehouse import DuckDbStoreCopy

        places = self._places()
        async with self._pool() as pool, self._history() as history:
            yield Warehouse(
                settings=self.settings.dbt,
                database=self.settings.database,
                places=places,
                registry=self.registry,
                clock=self.clock,
                catalog=PostgresCatalog(pool),
                export=PostgresStoreExport(pool, history),
                copy=DuckDbStoreCopy(places.file),
                calendars=PostgresCalendarTables(pool),
                log=PostgresModelLog(pool),
                history=iceberg_of(self.settings.history, self.settings.trino),
            )

    async def validate(self, built: ModelRun) -> MartsReport | None:
        """Check the marts of a run; None where they are in an engine that is not read from here. Raises ``Unavailable``."""
        async with self._pool() as pool:
            if (marts := self._marts(pool)) is None:
                return None
            suites = read_mart_suites(contracts_directory(self.settings.contracts_dir) / "expectations")
            return await validate_build(marts, suites, PostgresValidationLog(pool), built, keeping=self._keeping(pool))

    def _marts(self, pool: PostgresPool) -> MartReader | None:
        match self.settings.dbt.target:
            case "postgres":
                return PostgresMartReader(pool, self.settings.dbt.schema_name)
            case "duckdb":
                from aurum.storage.duckdb.mart_reader import DuckDbMartReader

                return DuckDbMartReader(self._places().file, self.settings.dbt.schema_name)
            case _:
                return None

    def _places(self) -> Places:
        return Places(project_directory(self.settings.dbt.project_dir), self.settings.data_dir.resolve() / "warehouse")

    @asynccontextmanager
    async def archive(self) -> AsyncGenerator[Archive]:
        """What moves closed months to history. Raises ``Unavailable``, ``NoHistory``."""
        async with self._pool() as pool, self._history() as history:
            yield archive_of(self.settings.history, self.settings.database, PostgresArchiveLog(pool), history)

    def _ingestion(self, pool: PostgresPool, history: HistoryStore | None) -> Ingestion:
        return Ingestion(
            registry=self.registry,
            suites=self.suites,
            writer=PostgresSeriesWriter(pool, history),
            kept=self._kept(),
            keeping=self._keeping(pool),
        )

    def _keeping(self, pool: PostgresPool) -> Keeping:
        return Keeping(PostgresValidationLog(pool), self.settings.quality, self.clock)

    @asynccontextmanager
    async def _history(self) -> AsyncGenerator[HistoryStore | None]:
        given = self.settings
        history = history_of(given.history, given.trino, given.resilience, given.data_dir, self.clock)
        try:
            yield history
        finally:
            if history is not None:
                await history.close()

    def _kept(self) -> KeptFiles:
        return KeptFiles(self.settings.data_dir / "quarantine")

    @asynccontextmanager
    async def _pool(self) -> AsyncGenerator[PostgresPool]:
        # A job reads the log of files while it stores one.
        database = self.settings.database.model_copy(update={"pool_size": 2})
        pool = await PostgresPool.open(database, slow_query_s=self.settings.telemetry.slow_query_s)
        try:
            yield pool
        finally:
            await pool.close()
