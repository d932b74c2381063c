"""Every listing has ``--json``: one document on stdout, with the field names of the API."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from aurum.cli import flags, ingest, keys, quality, quarantine, series, sources
from aurum.cli.json_output import plain, renamed
from aurum.cli.main import app, register_commands
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.catalog import Quality
from aurum.storage.ports.access import Actor
from aurum.storage.ports.usage import DayUsage, UsageBatch
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

ACTIONS = {
    "up",
    "openapi",
    "series plot",
    "series remove",
    "db migrate",
    "db optimize",
    "dbt docs",
    "dbt seeds",
    "quality docs",
    "sources new",
    "curves load",
    "curves sets new",
    "curves sets override",
    "curves sets delete-override",
    "curves sets reject",
    "curves sets submit",
    "curves sets approve",
    "curves sets reopen",
    "curves sets close",
    "curves sets export",
    "curves derived add",
    "curves derived rebuild",
    "curves derived remove",
    "curves plot",
    "archive run",
    "catalog blocks add",
    "catalog blocks change",
    "catalog blocks remove",
    "catalog calendars add",
    "catalog calendars change",
    "catalog calendars remove",
    "catalog mappings add",
    "catalog mappings change",
    "catalog mappings remove",
    "archive compact",
    "archive copy",
    "archive upkeep",
    "jobs cancel",
    "jobs retry",
    "jobs drop",
    "alerts ack",
    "alerts resolve",
    "webhooks add",
    "webhooks retry",
    "webhooks remove",
    "flags set",
    "flags kill",
    "flags revive",
    "flags evaluate",
    "private declare",
    "private remove",
    "keys create",
    "keys rotate",
    "keys revoke",
    "keys owner",
    "tenants create",
    "tenants plan",
    "schedule delete",
}
"""Commands that change or draw something and list nothing."""
PRINTS_JSON = {"flags show"}
"""Listings that print nothing but JSON."""


def commands(group: typer.Typer, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each command with its options."""
    for command in group.registered_commands:
        assert command.callback is not None
        parameters = inspect.signature(command.callback, eval_str=False).parameters
        yield f"{path}{command.name}", list(parameters)
    for member in group.registered_groups:
        assert member.typer_instance is not None
        yield from commands(member.typer_instance, f"{path}{member.name} ")


def test_every_command_that_is_not_an_action_prints_json() -> None:
    register_commands()
    paths = dict(commands(app))
    assert len(paths) > 30
    without = {path for path, parameters in paths.items() if "as_json" not in parameters}
    assert without - PRINTS_JSON <= ACTIONS
    assert set(paths) >= ACTIONS | PRINTS_JSON


@dataclass(frozen=True)
class Row:
    newest_ts: datetime
    quality: Quality
    gap: float


def test_times_are_utc_and_what_json_lacks_is_text_or_null() -> None:
    row = Row(datetime(2025, 11, 2, 4, tzinfo=UTC), Quality.GOOD, float("nan"))
    assert renamed(row, newest_ts="newest") == {"newest": "2025-11-02T04:00:00Z", "quality": int(Quality.GOOD), "gap": None}
    assert plain([date(2025, 1, 2), timedelta(hours=1), Path("a/b")]) == ["2025-01-02", 3600.0, "a/b"]


def test_sources_are_listed_with_their_datasets_and_formats() -> None:
    (nyiso,) = json.loads(CliRunner().invoke(sources.app, ["nyiso", "--json"]).stdout)["data"]
    assert nyiso["name"] == "nyiso"
    assert {"source", "name", "tz", "frequency", "measures"} <= set(nyiso["datasets"][0])
    forecast = next(one for one in nyiso["datasets"] if one["name"] == "isolf")
    assert forecast["is_forecast"] is True
    assert [(one["evidence"], one["per_issue"]) for one in forecast["publication"]] == [("observed", True)]
    assert forecast["schedule"] == "08:00 America/New_York on the day before, of the first day of the issue"
    assert "Load" in next(one for one in nyiso["formats"] if one["name"] == "nyiso pal")["columns"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def data(group: typer.Typer, settings: Settings, *arguments: str) -> list[dict[str, object]]:
    result = await asyncio.to_thread(CliRunner().invoke, group, [*arguments, "--json"], obj=settings)
    assert result.exit_code in (0, 3), result.output
    return json.loads(result.stdout)["data"]


@pytest.mark.needs_postgres
async def test_listings_are_one_document_with_the_names_of_the_api(
    settings: Settings, postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    monkeypatch.setattr(SystemClock, "now", lambda _: now)  # else midnight may come before the command
    await postgres_store.loader.load(file_load([(0, 1, 1.0)], key="nyiso:pal:61757:load"))
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.flags.put("f", {"description": "new"}, by="operator")
    (one,) = await data(series.app, settings, "list")
    assert (one["key"], one["tz"]) == ("nyiso:pal:61757:load", "UTC")
    (value,) = await data(series.app, settings, "show", "nyiso:pal:61757:load")
    assert (value["value"], value["quality"]) == (1.0, "good")
    assert {"newest", "refused_files", "reasons"} <= set((await data(quality.app, settings, "show"))[0])
    assert (await data(flags.app, settings, "list"))[0]["flag"] == {"description": "new"}
    assert "local" in [tenant["tenant_id"] for tenant in await data(keys.tenants_app, settings, "list")]
    assert await data(keys.keys_app, settings, "list") == []
    today = now.date()
    days = [DayUsage("local", "key:a", today - timedelta(days=age), 1, 24, 900) for age in (0, 1)]
    await postgres_store.usage.add(UsageBatch("process", 1, days))
    expected = {"day": today.isoformat(), "tenant": "local", "subject": "key:a", "requests": 1, "points": 24, "bytes": 900}
    (used,) = await data(keys.tenants_app, settings, "usage", "--days", "1")
    assert used == expected
    assert (await data(keys.tenants_app, settings, "usage", "--tenant", "local"))[1] == expected
    assert await data(keys.tenants_app, settings, "usage", "--tenant", "other") == []
    assert await data(quarantine.app, settings, "list") == []


@pytest.mark.needs_postgres
async def test_loads_report_each_file_and_skipped_ones_are_no_failure(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "README.md").write_text("about these files")
    group = typer.Typer()
    ingest.register(group)
    result = await asyncio.to_thread(CliRunner().invoke, group, [str(folder), "--json"], obj=settings)
    assert result.exit_code == 0
    assert [(one["name"], one["outcome"]) for one in json.loads(result.stdout)["data"]] == [("README.md", "skipped")]
    (folder / "x.csv").write_text("a,b\n")
    lines = await asyncio.to_thread(CliRunner().invoke, group, [str(folder)], obj=settings)
    assert lines.exit_code == 3
    assert "skipped README.md" in lines.stdout
    assert "refused x.csv: unknown format" in lines.stdout
    assert "formats that were tried" not in lines.stdout
    quiet = await asyncio.to_thread(CliRunner().invoke, group, [str(folder), "--quiet"], obj=settings)
    assert quiet.stdout.startswith("refused x.csv")
    assert len(quiet.stdout.splitlines()) == 1
    named = await asyncio.to_thread(CliRunner().invoke, group, [str(folder / "README.md"), "--verbose"], obj=settings)
    assert named.exit_code == 3
    assert "nyiso pal: Time Stamp" in named.stdout


def test_the_version_is_printed_with_the_head_of_the_schema() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("aurum ")
    assert "(schema 00" in result.stdout
