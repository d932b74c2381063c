"""pytest fixtures over real servers: load with ``pytest_plugins = ["aurum.storage.testing.plugin"]``.

Each test process has one embedded PostgreSQL, which starts on first use and is deleted at the end, and one migrated template
database. Each test that needs a database gets a copy of the template. Each test process also has one ClickHouse engine, because
a process cannot have a second one in another folder; each test has its own database in it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from pydantic import SecretStr

from aurum.common.clock import SystemClock
from aurum.common.settings import ClickhouseSettings, DatabaseSettings, TrinoSettings, environment
from aurum.common.settings.resilience import ResilienceSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.redis import EmbeddedValkey
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.embedded.users import EmbeddedServerFailed
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.databases import create_database, drop_database, execute, server_folder, stop_waiting_for_the_disk
from aurum.storage.testing.stores import PostgresStore

TIMESCALE = "AURUM_TEST_TIMESCALE_URL"
"""Variable with the URL of a server with TimescaleDB, whose user may create databases; without it, its tests are skipped."""
TIMESCALE_APACHE = "AURUM_TEST_TIMESCALE_APACHE_URL"
"""Variable with the URL of a server that runs TimescaleDB under the Apache licence."""
TIMESCALE_UNLOADED = "AURUM_TEST_TIMESCALE_UNLOADED_URL"
"""Variable with the URL of a server that has TimescaleDB installed but does not load it."""

if TYPE_CHECKING:  # these take up to a second to import, in each process of the tests: fixtures that use them do it
    from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool
    from aurum.storage.trino import TrinoHistory

_TEMPLATE = "template_migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running embedded PostgreSQL of this test process."""
    with server_folder() as folder, EmbeddedPostgres(folder) as server:
        stop_waiting_for_the_disk(folder)
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema and no rows, to copy from."""
    from aurum.storage.migrations.run import upgrade

    await execute(postgres_server.url_of("postgres"), f"CREATE DATABASE {_TEMPLATE}")
    await upgrade(postgres_server.url_of(_TEMPLATE))
    return _TEMPLATE


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database that only this test uses."""
    name = f"test_{next(_numbers)}"
    yield await create_database(postgres_server, name, migrated_template)
    await drop_database(postgres_server, name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[str]:
    """The URL of a migrated database that the tests of one module share: for tests that only read what a fixture stored."""
    name = f"module_{next(_numbers)}"
    yield await create_database(postgres_server, name, migrated_template)
    await drop_database(postgres_server, name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> str:
    """The URL of a migrated database that many tests share: for tests with their own series keys."""
    return await create_database(postgres_server, f"shared_{next(_numbers)}", migrated_template)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def archived_database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> str:
    """The URL of a migrated database with archived months, shared by tests."""
    return await create_database(postgres_server, f"archived_{next(_numbers)}", migrated_template)


@pytest_asyncio.fixture(loop_scope="session")
async def postgres_store(database_url: str) -> AsyncIterator[PostgresStore]:
    """Every PostgreSQL adapter over an empty database that only this test uses."""
    async with _postgres_store(database_url) as store:
        yield store


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_postgres_store(module_database_url: str) -> AsyncIterator[PostgresStore]:
    """Every PostgreSQL adapter over the database that the tests of one module share."""
    async with _postgres_store(module_database_url) as store:
        yield store


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_postgres_store(shared_database_url: str) -> AsyncIterator[PostgresStore]:
    """Every PostgreSQL adapter over the database that many tests share."""
    async with _postgres_store(shared_database_url) as store:
        yield store


@asynccontextmanager
async def _postgres_store(url: str) -> AsyncGenerator[PostgresStore]:
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=4))
    store = PostgresStore(pool, SystemClock())
    yield store
    await store.close()
    await pool.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedValkey]:
    """A running Redis-compatible server of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="aurum-redis-"))
    try:
        with EmbeddedValkey(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url(redis_server: EmbeddedValkey) -> str:
    """The URL of the Redis-compatible server of this test process."""
    return redis_server.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clickhouse_engine() -> AsyncIterator[ClickhousePool]:
    """The embedded engine of this test process, kept running between tests."""
    from aurum.storage.clickhouse import ClickhousePool

    folder = Path(tempfile.mkdtemp(prefix="aurum-ch-"))
    try:
        pool = await ClickhousePool.open(ClickhouseSettings(folder=folder, pool_size=1), ResilienceSettings())
        yield pool
        await pool.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def clickhouse_pool(clickhouse_engine: ClickhousePool) -> AsyncIterator[ClickhousePool]:
    """A pool over an empty ClickHouse database that only this test uses."""
    from aurum.storage.clickhouse import ClickhousePool

    name = f"test_{next(_numbers)}"
    settings = ClickhouseSettings(folder=clickhouse_engine.settings.folder, database=name)
    pool = await ClickhousePool.open(settings, ResilienceSettings())
    yield pool
    await pool.close()
    await clickhouse_engine.command("DROP DATABASE {name:Identifier} SYNC", {"name": name})


@pytest_asyncio.fixture(loop_scope="session")
async def clickhouse_history(clickhouse_pool: ClickhousePool) -> ClickhouseHistory:
    """History in an empty ClickHouse database that only this test uses."""
    from aurum.storage.clickhouse import ClickhouseHistory

    return ClickhouseHistory(clickhouse_pool)


@pytest.fixture(scope="session")
def timescale_server() -> str:
    """The URL of a database on the server that ``TIMESCALE`` names."""
    return _server_url(TIMESCALE)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def timescale_template(timescale_server: str) -> AsyncIterator[str]:
    """The name of an optimised database without rows, to copy from."""
    from aurum.storage.migrations.run import upgrade
    from aurum.storage.timescale import TimescaleTuning

    name = _unique("template")
    await execute(timescale_server, f"CREATE DATABASE {name}")
    url = _on(timescale_server, name)
    await upgrade(url)
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    await TimescaleTuning(pool).optimize()
    async with pool.acquire() as connection:
        # Tests refresh and compress explicitly, so jobs of the server must not interfere.
        await connection.execute("SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs")
    await pool.close()
    # A database with connections cannot be copied, and the workers of the extension are connected.
    await execute(timescale_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await execute(timescale_server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    yield name
    await execute(timescale_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="session")
async def timescale_url(timescale_server: str, timescale_template: str) -> AsyncIterator[str]:
    """The URL of an empty, optimised database that only this test uses."""
    async with _copy(timescale_server, timescale_template) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def plain_timescale_url(timescale_server: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database on the same server, without ``optimize``."""
    async with _migrated(timescale_server) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def apache_timescale_url() -> AsyncIterator[str]:
    """The URL of an empty, migrated database on the server that ``TIMESCALE_APACHE`` names."""
    async with _migrated(_server_url(TIMESCALE_APACHE)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def unloaded_timescale_url() -> AsyncIterator[str]:
    """The URL of an empty, migrated database on the server that ``TIMESCALE_UNLOADED`` names."""
    async with _migrated(_server_url(TIMESCALE_UNLOADED)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def timescale_store(timescale_url: str) -> AsyncIterator[PostgresStore]:
    """Every adapter over an empty database with hypertables that only this test uses."""
    async with _timescale_store(timescale_url) as store:
        yield store


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_timescale_store(timescale_server: str, timescale_template: str) -> AsyncIterator[PostgresStore]:
    """Every adapter over a database with hypertables that the tests of one module share."""
    async with _copy(timescale_server, timescale_template) as url, _timescale_store(url) as store:
        yield store


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_timescale_store(timescale_server: str, timescale_template: str) -> AsyncIterator[PostgresStore]:
    """Every adapter over the database with hypertables that many tests share."""
    async with _copy(timescale_server, timescale_template) as url, _timescale_store(url) as store:
        yield store


@asynccontextmanager
async def _timescale_store(url: str) -> AsyncGenerator[PostgresStore]:
    from aurum.storage.timescale import TimescalePartialsReader

    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=4))
    store = PostgresStore(pool, SystemClock(), await TimescalePartialsReader.open(pool))
    yield store
    await store.close()
    await pool.close()


@asynccontextmanager
async def _copy(server: str, template: str) -> AsyncGenerator[str]:
    name = _unique(str(next(_numbers)))
    await execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _on(server, name)
    await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _migrated(server: str) -> AsyncGenerator[str]:
    from aurum.storage.migrations.run import upgrade

    name = _unique(f"plain_{next(_numbers)}")
    await execute(server, f"CREATE DATABASE {name}")
    await upgrade(_on(server, name))
    yield _on(server, name)
    await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _server_url(setting: str) -> str:
    url = environment({}).get(setting)
    if url is None:
        pytest.skip(f"{setting} is not set to the URL of a server")
    return url


def _unique(name: str) -> str:
    """Return a database name that no other test process on the same server uses."""
    return f"aurum_test_{os.getpid()}_{name}"


def _on(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


@pytest.fixture(scope="session")
def trino_server(postgres_server: EmbeddedPostgres) -> Iterator[EmbeddedTrino]:
    """A running Trino of this test process, beside its PostgreSQL. Its tests are skipped without a suitable Java or Maven.

    Tests that use it get the marker ``needs_trino`` and a longer timeout, because the first start downloads the server.
    """
    folder = Path(tempfile.mkdtemp(prefix="aurum-trino-"))
    server = EmbeddedTrino(folder, postgres_server)
    try:
        try:
            server.install()
        except EmbeddedServerFailed as error:
            pytest.skip(f"Trino: {error.detail}")
        with server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def trino_settings(trino_server: EmbeddedTrino) -> TrinoSettings:
    """Settings of the running Trino, with an empty schema that only this test uses."""
    return settings_of(trino_server, f"test_{next(_numbers)}")


@pytest_asyncio.fixture(loop_scope="session")
async def trino_history(trino_settings: TrinoSettings) -> AsyncIterator[TrinoHistory]:
    """History in Iceberg tables that only this test uses."""
    from aurum.storage.trino import TrinoHistory, TrinoPool

    history = TrinoHistory(TrinoPool(trino_settings, ResilienceSettings()))
    yield history
    await history.close()


def settings_of(server: EmbeddedTrino, schema: str) -> TrinoSettings:
    """Return settings of a running Trino, with a long timeout for busy test machines and without retention of snapshots."""
    return TrinoSettings(
        host="127.0.0.1",
        port=server.port,
        schema=schema,
        catalog_uri=SecretStr(server.catalog_uri),
        warehouse=server.warehouse,
        statement_timeout_s=120.0,
        keep_snapshots=timedelta(0),
    )
