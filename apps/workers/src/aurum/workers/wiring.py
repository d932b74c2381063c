"""Where a job's parts are put together: the only module here that names adapters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import Settings
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.keeping import Keeping
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.suites import Suites, read_suites
from aurum.pipelines.registry import Registry, default_registry
from aurum.storage.ports import QualityLog
from aurum.storage.postgres import (
    PostgresCatalogWriter,
    PostgresPool,
    PostgresQualityLog,
    PostgresSeriesWriter,
    PostgresValidationLog,
)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs work with, made once a process. Connections are made for each job: one job, one unit of work."""

    settings: Settings
    registry: Registry
    suites: Suites

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
        async with self._pool() as pool:
            yield self._ingestion(pool)

    @asynccontextmanager
    async def quarantine(self) -> AsyncGenerator[tuple[Ingestion, QualityLog, KeptFiles]]:
        """What loads files, what is said of them, and those that were kept. Raises ``Unavailable``."""
        async with self._pool() as pool:
            yield self._ingestion(pool), PostgresQualityLog(pool), self._kept()

    def _ingestion(self, pool: PostgresPool) -> Ingestion:
        return Ingestion(
            registry=self.registry,
            suites=self.suites,
            writer=PostgresSeriesWriter(pool),
            kept=self._kept(),
            keeping=Keeping(PostgresValidationLog(pool), self.settings.quality, SystemClock()),
        )

    def _kept(self) -> KeptFiles:
        return KeptFiles(self.settings.data_dir / "quarantine")

    @asynccontextmanager
    async def _pool(self) -> AsyncGenerator[PostgresPool]:
        # A job reads the log of files while it stores one.
        pool = await PostgresPool.open(self.settings.database.model_copy(update={"pool_size": 2}))
        try:
            yield pool
        finally:
            await pool.close()
