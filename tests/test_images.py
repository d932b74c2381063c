"""Images install the members that their app depends on, and no others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMAGES = sorted(ROOT.glob("infra/docker/*.Dockerfile"))
FOLDERS = {path.parent.name: path.parent for path in (*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("apps/*/pyproject.toml"))}


def members(requirements: list[str]) -> list[tuple[str, list[str]]]:
    """Return name and extras of each requirement that is a member of the workspace."""
    matches = [re.fullmatch(r"aurum-(\w+)(?:\[([\w,]+)\])?", requirement) for requirement in requirements]
    return [(match[1], match[2].split(",") if match[2] else []) for match in matches if match is not None]


def with_dependencies(name: str, extras: list[str]) -> set[str]:
    """Return a member and all members it depends on, with those of its extras."""
    project = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text())["project"]
    optional: dict[str, list[str]] = project.get("optional-dependencies", {})
    requirements = [*project["dependencies"], *(requirement for extra in extras for requirement in optional[extra])]
    return {name}.union(*(with_dependencies(member, theirs) for member, theirs in members(requirements)))


def installed(image: Path) -> set[str]:
    """Return the members that an image installs."""
    (line,) = re.findall(r"uv pip install --no-deps (.+)", image.read_text())
    return {Path(folder).name for folder in line.split()}


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.stem)
def test_an_image_installs_the_members_that_its_app_depends_on(image: Path) -> None:
    assert installed(image) == with_dependencies(image.stem, [])


def test_the_image_of_the_api_has_no_pipelines() -> None:
    assert "pipelines" not in installed(ROOT / "infra/docker/api.Dockerfile")


def test_every_app_has_an_image_that_continuous_integration_builds() -> None:
    apps = {path.parent.name for path in ROOT.glob("apps/*/pyproject.toml")}
    (matrix,) = re.findall(r"matrix: \{ image: \[(.+)\] \}", (ROOT / ".github/workflows/ci.yml").read_text())
    assert {image.stem for image in IMAGES} == apps == set(matrix.split(", "))
