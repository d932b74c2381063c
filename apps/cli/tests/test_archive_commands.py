"""``aurum archive`` over a real store, with a copy of history in the embedded engine of ClickHouse."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import archive
from aurum.common.settings import ClickhouseSettings, DatabaseSettings, HistorySettings, Settings
from aurum.storage.clickhouse import ClickhousePool
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database=DatabaseSettings(url=database_url, pool_size=2),
        history=HistorySettings(url=str(tmp_path / "history"), closed_after_days=1),
    )


async def run(settings: Settings, *arguments: str) -> Result:
    app: typer.Typer = archive.app
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def test_months_move_once_and_equal_the_log(settings: Settings, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 0, 1.0), (1, 0, 2.0)]))
    moved, again, checked = [await run(settings, command) for command in ("run", "run", "verify")]
    assert (moved.exit_code, again.output.strip()) == (0, "no closed month to archive")
    assert checked.output.strip() == "1 parts compared, 0 differ"


async def test_a_dry_run_says_what_would_move_and_moves_nothing(settings: Settings, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 0, 1.0), (1, 0, 2.0)]))
    planned = await run(settings, "run", "--dry-run")
    assert planned.output.splitlines()[-1] == "2 rows would move into 1 files of about 10 B; nothing was changed"
    assert "2025-01" in planned.output
    assert (await run(settings, "status")).output.strip() == "no month is archived"
    assert not list((settings.data_dir / "history").rglob("*.parquet"))


async def test_the_files_of_two_runs_are_merged_by_the_second(settings: Settings, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 0, 1.0), (1, 0, 2.0)]))
    assert "merged" not in (await run(settings, "run", "--quiet")).output
    await postgres_store.loader.load(file_load([(0, 0, 5.0)], key="invented:numbers:B:value"))
    again = await run(settings, "run", "--quiet")
    assert again.output.splitlines()[-1] == "merged 2 files into 1, deleted 0 old files"
    assert (await run(settings, "compact", "--dry-run")).output.strip() == "no small files to merge"
    assert (await run(settings, "compact")).output.strip() == "no small files to merge, deleted 0 old files"
    assert (await run(settings, "verify")).output.strip() == "2 parts compared, 0 differ"


async def test_a_run_brings_the_copy_up_to_date(
    settings: Settings, postgres_store: PostgresStore, clickhouse_pool: ClickhousePool
) -> None:
    copied = settings.model_copy(
        update={
            "clickhouse": ClickhouseSettings(folder=clickhouse_pool.settings.folder, database=clickhouse_pool.settings.database)
        }
    )
    await postgres_store.loader.load(file_load([(0, 0, 1.0), (1, 0, 2.0)]))
    moved = await run(copied, "run")
    assert "copied 1 parts with 2 rows, removed 0 archive ids" in moved.output
    assert (await run(copied, "copy")).output.strip() == "copied 0 parts with 0 rows, removed 0 archive ids"


async def test_without_a_copy_the_settings_that_configure_one_are_named(settings: Settings) -> None:
    refused = await run(settings, "copy")
    assert (refused.exit_code, "AURUM_CLICKHOUSE__URL" in refused.output) == (2, True)
