"""The service over real PostgreSQL with a small store, called in process."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings import ApiSettings, ChangesSettings, DatabaseSettings, RedisSettings, Settings, SpoolSettings
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.databases import create_database
from aurum.storage.testing.stores import PostgresStore

# Test modules have no package (importlib mode), so what they share is found by path.
sys.path.append(str(Path(__file__).parent / "support"))

from api_market import market_database
from patient_api import be_patient

from aurum.api.main import openapi_document
from aurum.api.testing import Served, serving

be_patient()


@pytest.fixture(scope="session")
def served_document() -> dict[str, Any]:
    """The OpenAPI document of the service with default settings; tests only read it."""
    return openapi_document()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def market_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> str:
    """The URL of a database that holds the series of ``api_market``; tests only read it."""
    return await market_database(postgres_server, migrated_template, "api_market")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sample_url(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The URL of a database that holds the sample; tests only read it."""
    url = await create_database(postgres_server, "api_sample", migrated_template)
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=4))
    store = PostgresStore(pool, SystemClock())
    registry = default_registry()
    await declare_catalog(registry, store.catalog_writer)
    ingestion = Ingestion(
        registry=registry,
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(tmp_path_factory.mktemp("kept")),
    )
    documents = [one for path in sample_files() for one in read_source_files(path) if isinstance(one, SourceFile)]
    assert len([report async for report in ingestion.ingest_all(documents)]) == len(documents)
    await pool.close()
    return url


@pytest.fixture(scope="session")
def settings(market_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a service with small limits, so that tests can reach them."""
    return Settings(
        spool=SpoolSettings(folder=tmp_path_factory.mktemp("spool")),
        redis=RedisSettings(url=redis_url),
        database=DatabaseSettings(url=market_url, pool_size=4),
        api=ApiSettings(document_rows=2_000, series_per_request=5),
        # A stream of changes ends soon, for tests that call every operation and read its whole response.
        changes=ChangesSettings(stream_s=0.05),
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with serving(settings) as running:
        yield running


@pytest.fixture(scope="session")
def client(served: Served) -> httpx.AsyncClient:
    return served.client
