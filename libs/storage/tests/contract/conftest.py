"""Fixtures of the contract suite, which uses ports only; each test runs once for every adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.memory import MemoryStore
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.databases import create_database, drop_database
from aurum.storage.testing.stores import PostgresStore, Store

ADAPTERS = [
    "memory",
    pytest.param("postgres", marks=pytest.mark.needs_postgres),
    pytest.param("tiered_duckdb", marks=pytest.mark.needs_postgres),
    pytest.param("timescale", marks=pytest.mark.needs_timescale),
]


@pytest.fixture
def memory_store() -> MemoryStore:
    """Every memory adapter over an empty state that only this test uses."""
    return MemoryStore(SystemClock())


@pytest.fixture(scope="module")
def module_memory_store() -> MemoryStore:
    """Every memory adapter over a state that the tests of one module share."""
    return MemoryStore(SystemClock())


@pytest.fixture(scope="session")
def shared_memory_store() -> MemoryStore:
    """Every memory adapter over a state that many tests share: for tests with their own series keys."""
    return MemoryStore(SystemClock())


@pytest_asyncio.fixture(loop_scope="session")
async def tiered_duckdb_store(postgres_store: PostgresStore, tmp_path: Path) -> AsyncIterator[TieredStore]:
    """PostgreSQL that archives everything to Parquet after every load, over an empty database that only this test uses."""
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock())
    store = TieredStore(postgres_store.pool, SystemClock(), history)
    yield store
    await store.close()
    await history.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_tiered_duckdb_store(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TieredStore]:
    """The same store over a database that the tests of one module share."""
    url = await create_database(postgres_server, "module_archived", migrated_template)
    history = DuckdbHistory(history_files_at(str(tmp_path_factory.mktemp("history"))), SystemClock())
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=4))
    store = TieredStore(pool, SystemClock(), history)
    yield store
    await store.close()
    await pool.close()
    await history.close()
    await drop_database(postgres_server, "module_archived")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_tiered_duckdb_store(
    archived_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TieredStore]:
    """The same store over a database that many tests share; stores without history do not write to it."""
    history = DuckdbHistory(history_files_at(str(tmp_path_factory.mktemp("history"))), SystemClock())
    pool = await PostgresPool.open(DatabaseSettings(url=archived_database_url, pool_size=4))
    store = TieredStore(pool, SystemClock(), history)
    yield store
    await store.close()
    await pool.close()
    await history.close()


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture(scope="module", params=ADAPTERS)
def module_store(request: pytest.FixtureRequest) -> Store:
    """An empty store that the tests of one module share: one fixture of the module stores what they read."""
    return request.getfixturevalue(f"module_{request.param}_store")


@pytest.fixture(scope="session", params=ADAPTERS)
def shared_store(request: pytest.FixtureRequest) -> Store:
    """A store with data of other tests."""
    return request.getfixturevalue(f"shared_{request.param}_store")


@pytest.fixture
def change_block(store: Store) -> Callable[[str, str], Awaitable[None]]:
    """A function that marks a block as changed by a user, because no port does that yet."""

    async def change(calendar: str, name: str) -> None:
        if isinstance(store, MemoryStore):
            store.state.changed_blocks.add((calendar, name))
            return
        assert isinstance(store, PostgresStore)
        async with store.pool.acquire() as connection:
            await connection.execute("UPDATE block SET shipped = false WHERE (calendar, name) = ($1, $2)", calendar, name)

    return change
