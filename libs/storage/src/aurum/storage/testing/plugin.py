"""pytest fixtures over real servers: load with ``pytest_plugins = ["aurum.storage.testing.plugin"]``.

One embedded PostgreSQL a test process, started on first use and gone at the end; a migrated template database once; and a
database copied from it for each test that asks.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, TrinoSettings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.trino import EmbeddedTrino
from aurum.storage.embedded.users import EmbeddedServerFailed
from aurum.storage.migrations.run import upgrade
from aurum.storage.postgres import PostgresPool
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.trino import TrinoHistory, TrinoPool

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


@pytest.fixture(scope="session")
def trino_server(postgres_server: EmbeddedPostgres) -> Iterator[EmbeddedTrino]:
    """A running Trino of this test process, beside its PostgreSQL. Skips where there is no Java for it or no Maven.

    Tests that ask for it bear the marker ``trino`` and a timeout of their own: the first start downloads.
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
    """Of the running Trino, with an empty schema that only this test uses."""
    return settings_of(trino_server, f"test_{next(_numbers)}")


@pytest_asyncio.fixture(loop_scope="session")
async def trino_history(trino_settings: TrinoSettings) -> AsyncIterator[TrinoHistory]:
    """History in Iceberg tables of this test's own."""
    history = TrinoHistory(TrinoPool(trino_settings))
    yield history
    await history.close()


def settings_of(server: EmbeddedTrino, schema: str) -> TrinoSettings:
    """To use a running Trino: patient, because a test's machine may be busy, and with no snapshot worth keeping."""
    return TrinoSettings(
        host="127.0.0.1",
        port=server.port,
        schema=schema,
        catalog_uri=SecretStr(server.catalog_uri),
        warehouse=server.warehouse,
        statement_timeout_s=120.0,
        keep_snapshots=timedelta(0),
    )


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
