"""Data docs show the suites of installed sources outside Aurum, and the service imports none of their code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aurum.api.datadocs.contents import read_documents
from aurum.common.contracts import contracts_directory
from aurum.common.plugins import installed_plugins
from aurum.pipelines.testing.plugin_site import install_source

SUITE = "expectations/acme_hourly_load.json"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return install_source("acme", tmp_path)


def added() -> set[str]:
    contracts = contracts_directory(None)
    return set(read_documents(contracts, installed_plugins())) - set(read_documents(contracts))


def test_the_suite_of_a_plugin_is_a_document_and_none_of_its_modules_is_imported(package: Path) -> None:
    assert added() == {"acme_hourly_load"}
    assert "aurum_source_acme" not in sys.modules


def test_a_suite_of_a_plugin_about_a_dataset_of_another_source_is_left_out(package: Path) -> None:
    text = (package / SUITE).read_text()
    (package / SUITE).write_text(text.replace("acme:hourly_load", "nyiso:pal").replace("acme_hourly_load", "mine"))
    assert added() == set()


def test_an_unreadable_suite_of_a_plugin_takes_no_other_away(package: Path) -> None:
    (package / "expectations" / "acme_other.json").write_text("{")
    assert added() == {"acme_hourly_load"}
