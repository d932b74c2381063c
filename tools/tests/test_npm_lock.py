from __future__ import annotations

import json
from pathlib import Path

import pytest

SPECTRAL = Path(__file__).parents[2] / "tools" / "spectral"
LOCK = json.loads((SPECTRAL / "package-lock.json").read_text())
PACKAGES = {name: package for name, package in LOCK["packages"].items() if name}


def test_the_lock_of_npm_names_no_registry() -> None:
    assert PACKAGES
    assert not [name for name, package in PACKAGES.items() if "resolved" in package]


def test_every_package_is_fixed_by_its_hash() -> None:
    assert not [name for name, package in PACKAGES.items() if not package["integrity"].startswith("sha512-")]


@pytest.mark.parametrize("name", json.loads((SPECTRAL / "package.json").read_text())["devDependencies"])
def test_the_lock_fits_the_package_file(name: str) -> None:
    wanted = json.loads((SPECTRAL / "package.json").read_text())["devDependencies"][name]
    assert LOCK["packages"][f"node_modules/{name}"]["version"] == wanted
