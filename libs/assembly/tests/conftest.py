"""Databases in the states that a process may find at its start, and counts of connections to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from aurum.common.settings import DatabaseSettings, Settings
from aurum.common.settings.unknown import setting_names
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.testing.waiting import wait_until

SettingsFor = Callable[..., Settings]


@pytest.fixture
def settings_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsFor:
    """A function that makes settings of a process in an empty folder without environment variables."""
    monkeypatch.chdir(tmp_path)
    for name in setting_names(Settings):
        monkeypatch.delenv(name, raising=False)

    def make(url: str | None, *, database: dict[str, Any] | None = None, **others: Any) -> Settings:
        values = {"data_dir": tmp_path / "data", **others}
        return Settings(database=DatabaseSettings(url=url, **(database or {})), **values)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def unmigrated_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of an empty database that was never migrated."""
    administrator = await asyncpg.connect(postgres_server.url_of("postgres"))
    await administrator.execute("CREATE DATABASE never_migrated")
    yield postgres_server.url_of("never_migrated")
    await administrator.execute("DROP DATABASE never_migrated WITH (FORCE)")
    await administrator.close()


@pytest_asyncio.fixture(loop_scope="session")
async def later_url(database_url: str) -> str:
    """The URL of a database that a later release migrated, and whose floor refuses this release."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999', floor = '9999', floor_release = '9.9'")
    await connection.close()
    return database_url


@dataclass(frozen=True, slots=True)
class Connections:
    """Counts of connections to a database, read through a connection to another database of the server."""

    administrator: asyncpg.Connection

    async def to(self, url: str) -> int:
        """Return the number of connections to the database of a URL."""
        database = urlsplit(url).path.removeprefix("/")
        return await self.administrator.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", database)

    async def none_to(self, url: str) -> None:
        """Return once there is none: the server ends a session a moment after its client has left."""

        async def none() -> bool:
            return await self.to(url) == 0

        await wait_until(none)


@pytest_asyncio.fixture(loop_scope="session")
async def connections(postgres_server: EmbeddedPostgres) -> AsyncIterator[Connections]:
    """A counter of connections to a database."""
    administrator = await asyncpg.connect(postgres_server.url_of("postgres"))
    yield Connections(administrator)
    await administrator.close()
