"""pytest fixtures over real servers: load with ``pytest_plugins = ["aurum.storage.testing.plugin"]``.

One embedded PostgreSQL a test process, started on first use and gone at the end; a migrated template database once; and a
database copied from it for each test that asks. Likewise one engine of ClickHouse a test process, and a database in it for each
test: a process can have no second one in another folder.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import ClickhouseSettings, DatabaseSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.postgres import PostgresPool
from aurum.storage.testing.stores import PostgresStore

if TYPE_CHECKING:  # half a second and 300 MiB, for the tests that ask for it
    from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool

_TEMPLATE = "template_migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running embedded PostgreSQL of this test process."""
    # Not below pytest's own temporary folder: its name would make the socket's path longer than a socket may be.
    folder = Path(tempfile.mkdtemp(prefix="aurum-pg-"))
    try:
        with EmbeddedPostgres(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema and no rows, to copy from."""
    await _execute(postgres_server, f"CREATE DATABASE {_TEMPLATE}")
    await upgrade(postgres_server.url_of(_TEMPLATE))
    return _TEMPLATE


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database that only this test uses."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    yield postgres_server.url_of(name)
    await _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> str:
    """The URL of a migrated database that many tests share: for tests that bring series keys of their own."""
    name = f"shared_{next(_numbers)}"
    await _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    return postgres_server.url_of(name)


@pytest_asyncio.fixture(loop_scope="session")
async def postgres_store(database_url: str) -> AsyncIterator[PostgresStore]:
    """Every PostgreSQL adapter over an empty database of this test's own."""
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=4))
    yield PostgresStore(pool, SystemClock())
    await pool.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_postgres_store(shared_database_url: str) -> AsyncIterator[PostgresStore]:
    """Every PostgreSQL adapter over the database that many tests share."""
    pool = await PostgresPool.open(DatabaseSettings(url=shared_database_url, pool_size=4))
    yield PostgresStore(pool, SystemClock())
    await pool.close()


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
    """A pool over an empty database of this test's own."""
    from aurum.storage.clickhouse import ClickhousePool

    name = f"test_{next(_numbers)}"
    settings = ClickhouseSettings(folder=clickhouse_engine.settings.folder, database=name)
    pool = await ClickhousePool.open(settings, ResilienceSettings())
    yield pool
    await pool.close()
    await clickhouse_engine.command("DROP DATABASE {name:Identifier} SYNC", {"name": name})


@pytest_asyncio.fixture(loop_scope="session")
async def clickhouse_history(clickhouse_pool: ClickhousePool) -> ClickhouseHistory:
    """History in an empty database of ClickHouse that only this test uses."""
    from aurum.storage.clickhouse import ClickhouseHistory

    return ClickhouseHistory(clickhouse_pool)


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
