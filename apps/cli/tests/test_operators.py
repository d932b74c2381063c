"""Commands of operators: the same rules and the same audit records as over HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import flags, quarantine, series
from aurum.cli.exit_codes import USAGE, exit_code
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Invalid, InvalidParameters
from aurum.storage.ports.access import Actor
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(app: typer.Typer, settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def test_a_document_of_a_flag_that_cannot_be_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        result = await run(flags.app, settings, "set", "a", str(path))
        assert isinstance(result.exception, Invalid)
        assert str(path) in str(result.exception)


async def test_a_flag_that_closes_a_circle_or_has_no_name_is_refused(settings: Settings, tmp_path: Path) -> None:
    def needing(other: str) -> str:
        path = tmp_path / f"{other}.json"
        path.write_text(json.dumps({"prerequisites": [{"flag": other, "variant": "on"}]}))
        return str(path)

    assert (await run(flags.app, settings, "set", "a")).exit_code == 0
    assert (await run(flags.app, settings, "set", "b", needing("a"))).exit_code == 0
    circle = await run(flags.app, settings, "set", "a", needing("b"))
    assert isinstance(circle.exception, Invalid)
    assert "a needs b needs a" in str(circle.exception)
    nameless = await run(flags.app, settings, "set", "No Name")
    assert isinstance(nameless.exception, Invalid)


async def test_a_switch_changes_nothing_but_whether_the_flag_is_on(settings: Settings, postgres_store: PostgresStore) -> None:
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.flags.put("f", {"description": "new"}, by="operator")
    assert (await run(flags.app, settings, "kill", "f")).exit_code == 0
    (flag,) = await postgres_store.flags.flags()
    assert flag.document == {"description": "new", "enabled": False}


async def test_loading_files_again_is_on_record(settings: Settings, postgres_store: PostgresStore) -> None:
    assert (await run(quarantine.app, settings, "replay", "--source", "nyiso")).exit_code == 0
    (entry,) = await postgres_store.audit.page(before=None, limit=5)
    assert (entry.action, entry.actor, entry.detail) == ("quarantine.replay", "operator", {"source": "nyiso", "file": None})


async def test_replaying_a_file_from_a_path_needs_the_digest_that_it_replaces(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("a,b\n")
    refused = await run(quarantine.app, settings, "replay", "--source", "nyiso", "--file", str(path))
    assert isinstance(refused.exception, InvalidParameters)
    assert exit_code(refused.exception) == USAGE
    assert "name that file with --digest" in str(refused.exception)
    assert not await postgres_store.audit.page(before=None, limit=5)
    assert (await run(quarantine.app, settings, "replay", "--digest", "00", "--file", str(path))).exit_code == 0


async def test_series_whose_weeks_are_undeclared_are_listed(settings: Settings, postgres_store: PostgresStore) -> None:
    for location, week in (("XA", "undeclared"), ("XB", "flow")):
        key = f"fred:observations:{location}:value"
        await postgres_store.loader.load(file_load([(0, 1, 1.0)], key=key, frequency="1w", labels={"week": week}))
    listed = await run(series.app, settings, "list", "--label", "week=undeclared")
    assert "fred:observations:XA:value" in listed.stdout
    assert "XB" not in listed.stdout
    wrong = await run(series.app, settings, "list", "--label", "week")
    assert isinstance(wrong.exception, InvalidParameters)
