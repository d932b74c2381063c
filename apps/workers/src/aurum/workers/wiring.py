"""Where a job's parts are put together: the only module here that names adapters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aurum.common.contracts import contracts_directory
from aurum.common.settings import Settings
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.storage.postgres import PostgresPool, PostgresSeriesWriter


@asynccontextmanager
async def open_ingestion(settings: Settings) -> AsyncGenerator[Ingestion]:
    """What loads files, over connections of its own: one job, one unit of work."""
    pool = await PostgresPool.open(settings.database.model_copy(update={"pool_size": 2}))
    try:
        yield Ingestion(
            registry=default_registry(),
            suites=read_suites(contracts_directory(settings.contracts_dir) / "expectations"),
            writer=PostgresSeriesWriter(pool),
            kept=KeptFiles(settings.data_dir / "quarantine"),
        )
    finally:
        await pool.close()
