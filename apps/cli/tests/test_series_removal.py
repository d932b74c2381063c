"""``aurum series remove`` and ``aurum series list --invalid``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import series
from aurum.cli.exit_codes import UNAVAILABLE, USAGE, exit_code
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import AurumError, InvalidParameters, UnknownName
from aurum.services.removal import SeriesInUse
from aurum.storage.testing.builders import KEY, file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

USD = "ecb:reference_rates:EURUSD:rate"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, series.app, list(arguments), obj=settings)


async def test_a_series_is_removed_with_a_reason_on_record(settings: Settings, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0), (0, 2, 3.0)]))
    result = await run(settings, "remove", KEY, "--reason", "another feed")
    assert result.exit_code == 0
    assert result.stdout == f"removed {KEY}: 2 points, 1 earlier versions, 0 archived months with 0 rows\n"
    assert await postgres_store.catalog.series_by_key([KEY]) == {}
    (entry,) = await postgres_store.audit.page(before=None, limit=9)
    assert (entry.action, entry.target, entry.actor, entry.detail["reason"]) == (
        "series.remove",
        KEY,
        "operator",
        "another feed",
    )


async def test_what_cannot_be_removed_is_said_with_its_exit_code(settings: Settings, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], unit="USD/MWh", currency="USD"))
    await postgres_store.loader.load(file_load([(0, 1, 1.1)], key=USD, unit="USD/EUR", currency="USD", frequency="1d"))
    cases: list[tuple[list[str], type[AurumError], int]] = [
        ([KEY, "--reason", " "], InvalidParameters, USAGE),
        (["invented:numbers:B:value", "--reason", "x"], UnknownName, USAGE),
        ([USD, "--reason", "x"], SeriesInUse, UNAVAILABLE),
    ]
    for arguments, error, code in cases:
        result = await run(settings, "remove", *arguments)
        assert isinstance(result.exception, error)
        assert exit_code(result.exception) == code
    assert (await run(settings, "remove", KEY)).exit_code == USAGE


async def test_an_invalid_key_is_listed_with_escapes_that_remove_accepts(
    settings: Settings, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_load([(0, 1, 1.0)]))
    async with postgres_store.pool.acquire() as connection:
        location = "A\u200b\x91\\x41"
        await connection.execute("UPDATE series SET key = $1, location = $2", f"invented:numbers:{location}:value", location)
    written = "invented:numbers:A\\u200b\\x91\\x41:value"
    assert (await run(settings, "list")).stdout.splitlines()[-1].split() == ["key", "location", "step", "unit", "first", "last"]
    shown = await run(settings, "list", "--invalid")
    assert shown.stdout.splitlines()[0].startswith(f"{written}: ")
    assert shown.stdout.splitlines()[-1] == "1 stored series with an invalid key: see `aurum series remove`"
    assert (await run(settings, "remove", written, "--reason", "invisible characters")).exit_code == 0
    assert (await run(settings, "list", "--invalid")).stdout == "0 stored series with an invalid key\n"
