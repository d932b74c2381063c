"""``aurum catalog mappings``: spellings that an operator maps."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli.catalog import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Conflict, InvalidParameters
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
def settings(database_url: str, postgres_store: PostgresStore, tmp_path: Path) -> Settings:
    del postgres_store  # it is migrated by then
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["mappings", *arguments], obj=settings)


async def test_a_spelling_is_added_listed_and_removed(settings: Settings) -> None:
    added = await run(settings, "add", "area", "Grossbritannien", "GB", "--scope", "europe")
    assert added.exit_code == 0, added.output
    assert "area 'Grossbritannien' is GB" in added.output
    listed = await run(settings, "list", "--json")
    (mapping,) = json.loads(listed.stdout)["data"]
    assert {"kind": "area", "scope": "europe", "spelling": "Grossbritannien", "target": "GB"}.items() <= mapping.items()
    assert mapping["updated_by"] == "operator"
    repeated = await run(settings, "add", "area", "grossbritannien", "FR", "--scope", "europe")
    assert isinstance(repeated.exception, Conflict)
    removed = await run(settings, "remove", str(mapping["id"]))
    assert removed.exit_code == 0, removed.output
    assert json.loads((await run(settings, "list", "--json")).stdout)["data"] == []


async def test_unknown_kinds_and_targets_name_the_argument(settings: Settings) -> None:
    for arguments, field in (
        (("add", "colour", "Grossbritannien", "GB"), "kind"),
        (("add", "area", "Grossbritannien", "XX", "--scope", "europe"), "target"),
        (("add", "area", "Grossbritannien", "GB"), "scope"),
        (("list", "--kind", "colour"), "kind"),
    ):
        refused = await run(settings, *arguments)
        assert isinstance(refused.exception, InvalidParameters)
        assert refused.exception.detail.startswith(f"{field}: ")
    assert json.loads((await run(settings, "unknown", "--json")).stdout)["data"] == []
