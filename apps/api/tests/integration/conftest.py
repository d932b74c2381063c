"""A store of each kind, and a service over it with the curves of ``api_curves``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from api_curves import Desks, serving_desks

from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import Store


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


@pytest_asyncio.fixture(loop_scope="session")
async def desks(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    """Clients of two tenants. A module that needs more in the store has a fixture of this name that adds it to this one."""
    url = None if isinstance(store, MemoryStore) else request.getfixturevalue("database_url")
    async with serving_desks(store, url, tmp_path) as running:
        yield running
