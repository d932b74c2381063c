"""The store of a command: on the server that settings name, otherwise on an embedded one, which is started and migrated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest

from aurum.assembly.local import open_local_store
from aurum.assembly.store import Store
from aurum.common.settings import Settings
from aurum.core.errors import Unavailable
from aurum.storage.migrations.compatibility import UnusableSchema
from aurum.storage.migrations.head import newest_revision
from aurum.storage.migrations.installed import installed_revision
from aurum.storage.testing.builders import KEY, file_load

UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nowhere"


class SettingsFor(Protocol):
    def __call__(self, url: str | None, *, database: dict[str, object] | None = None, **others: object) -> Settings: ...


class Connections(Protocol):
    async def none_to(self, url: str) -> None: ...


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for a Unix socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="aurum-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def series_keys(store: Store) -> list[str]:
    return list(await store.catalog.reader.series_by_key([KEY]))


async def test_the_server_that_settings_name_is_used_and_no_other_is_started(
    database_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    settings = settings_for(database_url, database={"pool_size": 2})
    async with open_local_store(settings) as store:
        assert store.database == settings.database
        assert store.probe.use().most == 2
        await store.files.loader.load(file_load([(0, 1, 1.0)]))
        assert await series_keys(store) == [KEY]
    await connections.none_to(database_url)
    assert not (settings.data_dir / "postgres").exists()


async def test_a_server_that_settings_name_is_never_migrated(
    unmigrated_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    with pytest.raises(UnusableSchema, match="aurum db migrate"):
        async with open_local_store(settings_for(unmigrated_url)):
            pytest.fail("it opened")
    assert await installed_revision(unmigrated_url) is None
    await connections.none_to(unmigrated_url)


async def test_a_named_server_that_does_not_answer_is_unavailable_with_the_variable_to_check(
    settings_for: SettingsFor,
) -> None:
    with pytest.raises(Unavailable, match=r"check AURUM_DATABASE__URL$"):
        async with open_local_store(settings_for(UNREACHABLE)):
            pytest.fail("it opened")


async def test_a_named_server_that_does_not_answer_is_named_with_the_cause_and_without_the_password(
    settings_for: SettingsFor,
) -> None:
    with pytest.raises(Unavailable) as refused:
        async with open_local_store(settings_for("postgresql://desk:secret@127.0.0.1:1/prices")):
            pytest.fail("it opened")
    expected = "the database cannot be reached (127.0.0.1:1: Connection refused): check AURUM_DATABASE__URL"
    assert refused.value.operator_detail == expected


async def test_what_the_work_raises_passes_through_as_it_is(database_url: str, settings_for: SettingsFor) -> None:
    with pytest.raises(Unavailable, match=r"^the market is closed$"):
        async with open_local_store(settings_for(database_url)):
            raise Unavailable("the market is closed")


@pytest.mark.needs_postgres
async def test_an_embedded_server_is_started_and_migrated_stopped_at_the_end_and_keeps_its_data(
    settings_for: SettingsFor, short_folder: Path
) -> None:
    settings = settings_for(None, data_dir=short_folder)
    async with open_local_store(settings) as store:
        url = store.database.url or ""
        assert (await store.probe.look()).schema == newest_revision()
        await store.files.loader.load(file_load([(0, 1, 1.0)]))
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(url, timeout=60)
    async with open_local_store(settings) as store:
        assert await series_keys(store) == [KEY]


@pytest.mark.needs_postgres
async def test_two_commands_use_one_embedded_server(settings_for: SettingsFor, short_folder: Path) -> None:
    settings = settings_for(None, data_dir=short_folder)
    async with open_local_store(settings) as first:
        async with open_local_store(settings) as second:
            assert second.database.url == first.database.url
            await second.files.loader.load(file_load([(0, 1, 1.0)]))
        assert await series_keys(first) == [KEY]
