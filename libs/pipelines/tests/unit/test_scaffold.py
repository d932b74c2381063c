"""The package of a new source: installable, clean, and held to the contract as it is written."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aurum.pipelines.plugins import RESERVED
from aurum.pipelines.scaffold import FolderExists, InvalidAddress, InvalidName, write_source

LONGEST = "a_source_whose_name_has_forty_characters"


def text_of(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_placeholder_is_left_and_the_address_is_that_of_the_option(tmp_path: Path) -> None:
    folder = write_source("riverside_north", tmp_path, address="http://127.0.0.1:8901/files/")
    assert folder.name == "aurum-source-riverside-north"
    text = text_of(folder)
    assert "$" not in text.replace("$schema", "")
    assert 'ADDRESS = "http://127.0.0.1:8901/files"' in text
    assert not [path for path in folder.rglob("*") if "NAME" in path.name or "PACKAGE" in path.name or "template" in path.name]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    points = project["project"]["entry-points"]["aurum.sources"]
    assert points == {"riverside_north": "aurum_source_riverside_north:SOURCE"}


@pytest.mark.needs_process
@pytest.mark.parametrize("name", ["x", LONGEST])
def test_the_code_is_formatted_and_has_no_finding_whatever_the_length_of_the_name(name: str, tmp_path: Path) -> None:
    folder = write_source(name, tmp_path)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name", ["", "Acme", "9acme", "a-b", "a__b", "acme_", "a b", "../acme", "é", f"{LONGEST}s", "nyiso", *sorted(RESERVED)]
)
def test_a_name_that_no_source_can_have_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidName, match=r"cannot be the name|is reserved|is in use"):
        write_source(name, tmp_path, used=["nyiso"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "data.example.com",
        "ftp://data.example.com",
        "https://",
        "https://user:secret@example.com",
        'https://a/"',
        "https://a?b=1",
    ],
)
def test_an_address_that_is_not_a_folder_of_the_web_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidAddress, match="write http:// or https://"):
        write_source("acme", tmp_path, address=address)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "aurum-source-acme").mkdir()
    (tmp_path / "aurum-source-acme" / "mine.txt").write_text("mine")
    with pytest.raises(FolderExists, match="exists: remove it, or choose another --dir"):
        write_source("acme", tmp_path)
    assert [path.name for path in (tmp_path / "aurum-source-acme").iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderExists, match="cannot be written: Not a directory"):
        write_source("acme", tmp_path / "file")
