"""``aurum catalog blocks`` and ``aurum catalog calendars``: reference data that an operator changes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.catalog import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

BLOCK = {"calendar": "desk", "name": "NOON", "zone": "Europe/Paris", "windows": [{"days": ["mon"], "hours": [[12, 13]]}]}
SESSIONS = {"name": "DESK", "title": "Ours", "first": "2024-01-01", "last": "2024-12-31", "closed": {"2024": "01-01"}}


@pytest.fixture
def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    del postgres_store  # it is migrated by then
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def done(settings: Settings, *arguments: str) -> str:
    result = await run(settings, *arguments)
    assert result.exit_code == 0, result.exception or result.output
    return result.stdout


async def listed(settings: Settings, *arguments: str) -> Any:
    return json.loads(await done(settings, *arguments, "--json"))["data"]


async def test_a_block_is_added_shown_changed_and_removed(settings: Settings) -> None:
    assert "block desk:NOON is at version 1" in await done(settings, "blocks", "add", json.dumps(BLOCK))
    (block,) = await listed(settings, "blocks", "list", "--calendar", "desk")
    assert BLOCK.items() <= block.items()
    assert (block["version"], block["is_edited"]) == (1, True)
    changes = '{"title": "Lunch", "aliases": ["lunch"]}'
    assert "version 2" in await done(settings, "blocks", "change", "desk", "NOON", changes, "--version", "1")
    lost = await run(settings, "blocks", "change", "desk", "NOON", changes, "--version", "1")
    assert isinstance(lost.exception, Conflict)
    assert (await listed(settings, "blocks", "show", "desk", "NOON"))["title"] == "Lunch"
    shown = await done(settings, "blocks", "show", "desk", "NOON")
    for text in ("desk:NOON  Lunch", "clock Europe/Paris", "aliases lunch", "12-13"):
        assert text in shown
    assert isinstance((await run(settings, "blocks", "remove", "desk", "NOON", "--version", "1")).exception, Conflict)
    assert "is removed" in await done(settings, "blocks", "remove", "desk", "NOON", "--version", "2")
    assert isinstance((await run(settings, "blocks", "show", "desk", "NOON")).exception, UnknownName)


async def test_a_block_may_stand_in_a_file_and_a_wrong_one_names_the_member(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "block.json"
    path.write_text(json.dumps(BLOCK | {"zone": "Mars/Base"}))
    for argument, field in (
        (f"@{path}", "zone"),
        (f"@{tmp_path / 'missing.json'}", "block"),
        ("{", "block"),
        ("[]", "block"),
        (json.dumps(BLOCK | {"windows": [{"hours": [[0, 25]]}]}), "windows.0.hours"),
    ):
        refused = await run(settings, "blocks", "add", argument)
        assert isinstance(refused.exception, InvalidParameters), argument
        assert refused.exception.detail.startswith(f"{field}: ")


async def test_calendars_of_a_kind_are_added_changed_and_removed(settings: Settings) -> None:
    kind = ("--kind", "sessions")
    names = [one["name"] for one in await listed(settings, "calendars", "list", *kind)]
    assert "XEEE" in names
    assert "sessions DESK is at version 1" in await done(settings, "calendars", "add", json.dumps(SESSIONS), *kind)
    changes = '{"closed": {"2024": "01-01 12-25"}}'
    assert "version 2" in await done(settings, "calendars", "change", "DESK", changes, *kind, "--version", "1")
    assert isinstance(
        (await run(settings, "calendars", "change", "DESK", changes, *kind, "--version", "1")).exception, Conflict
    )
    entry = await listed(settings, "calendars", "show", "DESK", *kind)
    assert (entry["owner"], entry["version"], entry["document"]["closed"]) == ("shared", 2, {"2024": "01-01 12-25"})
    assert "12-25" in await done(settings, "calendars", "show", "DESK", *kind)
    await done(settings, "calendars", "remove", "DESK", *kind)
    assert [one["name"] for one in await listed(settings, "calendars", "list", *kind)] == names
    assert isinstance((await run(settings, "calendars", "remove", "XEEE", *kind)).exception, Conflict)


async def test_the_spelling_of_a_unit_is_added_changed_and_removed(settings: Settings) -> None:
    await done(settings, "mappings", "add", "unit", "EUR per MW hour", "eur/mwh")
    (mapping,) = await listed(settings, "mappings", "list", "--kind", "unit")
    assert (mapping["target"], mapping["version"]) == ("EUR/MWh", 1)
    number = str(mapping["id"])
    assert "version 2" in await done(settings, "mappings", "change", number, "EUR/MWh", "--version", "1")
    assert isinstance((await run(settings, "mappings", "change", number, "USD/MWh")).exception, Conflict)
    assert isinstance((await run(settings, "mappings", "remove", number, "--version", "1")).exception, Conflict)
    await done(settings, "mappings", "remove", number, "--version", "2")
    assert await listed(settings, "mappings", "list") == []
