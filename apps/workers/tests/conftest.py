"""A worker with trial jobs in this process, over real PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from opentelemetry.trace import Tracer

# Test modules have no package (importlib mode), so what they share is found by path.
sys.path.append(str(Path(__file__).parent / "support"))

import trial_jobs
from trial_log import QUICK, Log, Serve

from aurum.assembly.postgres import PostgresStore, open_store
from aurum.common.settings import DatabaseSettings, RedisSettings, Settings
from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.metrics import Metrics
from aurum.storage.testing.waiting import wait_until
from aurum.workers import service as worker_service
from aurum.workers import wakeups
from aurum.workers.service import Service

# A Redis of a machine that does other work takes longer to answer.
wakeups._TIMEOUT_S = 120.0


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database=DatabaseSettings(url=database_url),
        redis=RedisSettings(url=redis_url),
        workers=QUICK,
    )


@pytest_asyncio.fixture
async def log(settings: Settings) -> AsyncGenerator[Log]:
    async with open_store(settings) as store:
        assert isinstance(store, PostgresStore)
        async with store.pool.begin() as connection:
            await connection.execute(trial_jobs.TABLES)
        yield Log(store)


@pytest.fixture
def patient_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let health and metrics wait for the numbers of the queues; the event loop must run meanwhile."""
    monkeypatch.setattr(worker_service, "_COUNTS_WITHIN_S", 120.0)


@pytest.fixture
def serve(settings: Settings, log: Log) -> Serve:
    del log  # the tables of the jobs

    @asynccontextmanager
    async def serving(
        *,
        settings: Settings = settings,
        workers: WorkersSettings = QUICK,
        redis: str | None = None,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
        only: Sequence[str] = (),
    ) -> AsyncGenerator[Service]:
        server = settings.redis if redis is None else RedisSettings(url=redis)
        changed = settings.model_copy(update={"workers": workers, "redis": server})
        async with open_store(changed) as store:
            jobs = trial_jobs.trial_jobs(only)
            service = Service(changed, store, jobs, trial_jobs.PATH, metrics or Metrics(), tracer)
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stop))
            await wait_until(lambda: service.started.is_set() or running.done())
            try:
                yield service
            finally:
                stop.set()
                await running

    return serving
