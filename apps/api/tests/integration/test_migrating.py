"""The service while its database is migrated by a newer release, and after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from api_market import NYC, NYC_START, declare, load
from api_processes import refused_start

from aurum.api.testing import Served, file_of, hourly, serving
from aurum.assembly.postgres import check_store
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.head import newest_revision
from aurum.storage.migrations.run import upgrade
from aurum.storage.testing.migrating import later_release
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

EXPAND = (
    'op.add_column("series", sa.Column("extra", sa.Text(), nullable=False, server_default=sa.text("\'\'")))',
    'create_index_concurrently("ix_invented", "series", ["extra"])',
)
CONTRACT = 'raise_floor("{revision}", release="9.1")\nop.drop_column("series", "labels")'
NEXT = f"{int(newest_revision()) + 1:04d}"
READS = (f"/v2/series/{NYC}", f"/v2/series/{NYC}/observations", f"/v2/series/{NYC}/revisions", "/v2/catalog/sources")


@pytest.fixture
def migrated(database_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=database_url, pool_size=2))


async def answers(served: Served) -> list[bytes]:
    responses = [await served.client.get(path, headers={"cache-control": "no-cache"}) for path in READS]
    assert {one.status_code for one in responses} == {200}
    return [one.content for one in responses]


async def test_a_running_service_stays_ready_while_a_newer_release_expands_its_schema(
    migrated: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    await declare(postgres_store)
    await load(postgres_store)
    async with serving(migrated) as served:
        before = await answers(served)
        migrating = asyncio.create_task(upgrade(migrated.database.url or "", versions=later_release(tmp_path, *EXPAND)))
        ready = [await served.client.get("/ready")]
        while not migrating.done():
            ready.append(await served.client.get("/ready"))
        assert (await migrating).is_current
        ready.append(await served.client.get("/ready"))
        assert {one.status_code for one in ready} == {200}
        assert await answers(served) == before
    async with serving(migrated) as rolled_back:
        ready = [await rolled_back.client.get("/ready")]
        assert (ready[0].status_code, ready[0].json()["dependencies"][0]["detail"]) == (200, f"schema {int(NEXT) + 1:04d}")
        assert await answers(rolled_back) == before
        stored = await postgres_store.loader.load(file_of(hourly("nyiso:damlbmp_zone:1:lmp", NYC_START, [30.0, 31.5])))
        assert stored.new == 2
        assert (await rolled_back.client.get("/v2/series/nyiso:damlbmp_zone:1:lmp")).status_code == 200


async def test_a_running_service_below_the_floor_is_unready_and_says_which_release_to_install(
    migrated: Settings, tmp_path: Path
) -> None:
    async with serving(migrated) as served:
        assert (await served.client.get("/ready")).status_code == 200
        await upgrade(migrated.database.url or "", versions=later_release(tmp_path, CONTRACT, kind="contract"))
        ready, health = await served.client.get("/ready"), (await served.client.get("/health")).json()
    said = f"the database is at schema {NEXT}, which needs a release that knows {NEXT}"
    assert ready.status_code == 503
    assert said in ready.json()["detail"]
    assert "install release 9.1 or newer" in ready.json()["detail"]
    assert health["status"] == "code too old"
    assert said in health["dependencies"][0]["detail"]


async def test_a_service_below_the_floor_does_not_start(migrated: Settings, tmp_path: Path) -> None:
    url = migrated.database.url or ""
    await upgrade(url, versions=later_release(tmp_path, CONTRACT, kind="contract"))
    code, lines = await asyncio.to_thread(refused_start, url)
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("aurum.api: ")
    assert lines[0].endswith("install release 9.1 or newer")


async def test_a_service_starts_before_its_database_is_migrated(postgres_server: EmbeddedPostgres) -> None:
    await check_store(Settings(database=DatabaseSettings(url=postgres_server.url_of("postgres"), pool_size=2)))
