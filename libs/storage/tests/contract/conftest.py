"""The contract suite speaks to ports alone; each test runs once for every adapter."""

from collections.abc import Awaitable, Callable

import pytest

from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import PostgresStore, Store

ADAPTERS = ["memory", "postgres", "timescale"]


@pytest.fixture
def memory_store() -> MemoryStore:
    """Every memory adapter over an empty state of this test's own."""
    return MemoryStore(SystemClock())


@pytest.fixture(scope="session")
def shared_memory_store() -> MemoryStore:
    """Every memory adapter over a state that many tests share: for tests that bring series keys of their own."""
    return MemoryStore(SystemClock())


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture(scope="session", params=ADAPTERS)
def shared_store(request: pytest.FixtureRequest) -> Store:
    """A store that holds what other tests loaded."""
    return request.getfixturevalue(f"shared_{request.param}_store")


@pytest.fixture
def change_block(store: Store) -> Callable[[str, str], Awaitable[None]]:
    """Marks a block as changed by a user, for which there is no port yet."""

    async def change(calendar: str, name: str) -> None:
        if isinstance(store, MemoryStore):
            store.state.changed_blocks.add((calendar, name))
            return
        assert isinstance(store, PostgresStore)
        async with store.pool.acquire() as connection:
            await connection.execute("UPDATE block SET shipped = false WHERE (calendar, name) = ($1, $2)", calendar, name)

    return change
