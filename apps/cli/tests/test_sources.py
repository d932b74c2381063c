"""``aurum sources``: own sources and plugins, those that are refused, and the package of a new one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aurum.cli.sources import app
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Invalid, UnknownName
from aurum.pipelines.testing.plugin_site import install_source
from aurum.storage.ports.fetch import FetchState
from aurum.storage.testing.stores import PostgresStore


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.startswith("aurum_source_")]:
        del sys.modules[name]


def sources(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_all_sources_are_listed_with_and_without_the_word_list(arguments: tuple[str, ...]) -> None:
    listed = json.loads(sources(*arguments, "--json").stdout)
    assert [source["name"] for source in listed["data"]][:2] == ["pjm", "isone"]
    assert {source["plugin"] for source in listed["data"]} == {None}
    assert listed["refused"] == []


def test_a_plugin_is_listed_last_and_a_refused_one_with_the_reason(site: Path) -> None:
    install_source("acme", site)
    (install_source("broken", site) / "parser.py").write_text("import nowhere\n")
    listed = json.loads(sources("--json").stdout)
    assert (listed["data"][-1]["name"], listed["data"][-1]["plugin"]) == ("acme", "aurum-source-acme 0.1.0")
    reason = "it cannot be loaded: ModuleNotFoundError: No module named 'nowhere'"
    assert listed["refused"] == [{"name": "broken", "package": "aurum-source-broken 0.1.0", "reason": reason}]
    shown = sources().stdout.splitlines()
    assert shown[-2:] == [
        "acme is a plugin: aurum-source-acme 0.1.0",
        f"refused plugin broken of aurum-source-broken 0.1.0: {reason}",
    ]
    assert "acme is a plugin: aurum-source-acme 0.1.0" in sources("acme").stdout
    refused = sources("broken").exception
    assert isinstance(refused, Invalid)
    assert refused.detail == f"the plugin broken of aurum-source-broken 0.1.0 is refused: {reason}"


def test_an_unknown_source_is_answered_with_the_nearest() -> None:
    error = sources("nyisoo").exception
    assert isinstance(error, UnknownName)
    assert "nearest: nyiso" in error.detail


def test_a_new_package_is_written_where_the_option_says(tmp_path: Path) -> None:
    done = sources("new", "acme", "--dir", str(tmp_path), "--address", "https://files.acme.example/load")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == f"wrote {tmp_path / 'aurum-source-acme'}"
    urls = tmp_path / "aurum-source-acme" / "src" / "aurum_source_acme" / "urls.py"
    assert 'ADDRESS = "https://files.acme.example/load"' in urls.read_text()


def test_a_new_package_cannot_have_the_name_of_a_source_or_of_a_refused_plugin(site: Path, tmp_path: Path) -> None:
    (install_source("broken", site) / "parser.py").write_text("import nowhere\n")
    for name in ("nyiso", "broken"):
        error = sources("new", name, "--dir", str(tmp_path / "new")).exception
        assert isinstance(error, Invalid)
        assert error.detail == f"the name {name!r} is in use: choose another one"
    assert not (tmp_path / "new").exists()


def test_a_source_shows_how_its_datasets_are_fetched_and_which_key_they_need() -> None:
    (pjm,) = json.loads(sources("pjm", "--json").stdout)["data"]
    fetches = {dataset["name"]: dataset["fetch"] for dataset in pjm["datasets"]}
    assert fetches["wind_gen"] | {"manual": ""} == {"granularity": "query", "needs": "pjm", "manual": "", "state": None}
    assert fetches["wind_gen"]["manual"].startswith("PJM, Data Miner API Guide, https://")
    assert fetches["pjme_hourly"] is None


@pytest.mark.needs_postgres
async def test_an_address_is_unproven_until_a_file_from_it_was_loaded(
    database_url: str, tmp_path: Path, postgres_store: PostgresStore
) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))
    at = datetime(2025, 11, 2, 12, tzinfo=UTC)
    await postgres_store.fetches.record(FetchState("nyiso", "pal", at, "https://mis.nyiso.com/x.csv", "", "", "ab" * 32))
    result = await asyncio.to_thread(CliRunner().invoke, app, ["nyiso", "--json"], obj=settings)
    (nyiso,) = json.loads(result.stdout)["data"]
    states = {dataset["name"]: (dataset["fetch"] or {}).get("state") for dataset in nyiso["datasets"]}
    assert (states["pal"], states["isolf"], states["pal_extra"]) == ("proven", "unproven", None)
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["nyiso"], obj=settings)
    proven = [line.split() for line in shown.stdout.splitlines() if "proven" in line.split()]
    assert [line[:2] for line in proven] == [["nyiso", "pal"]]
