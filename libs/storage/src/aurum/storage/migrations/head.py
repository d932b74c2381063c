"""The migrations this code brings, read from the names of their files: no import of Alembic, which takes half a second."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

VERSIONS = Path(__file__).parent / "versions"

OPTIONAL: Mapping[str, str] = MappingProxyType(
    {"0007": "it adds the floor to the schema, and a schema without a floor accepts every release"}
)
"""Revisions this code runs without, each with the reason. A revision that is not named here is needed."""


def newest_revision(versions: Path = VERSIONS) -> str:
    """Return the newest revision: revisions are numbers, and ``0001_...py`` holds ``0001``."""
    return max(_revisions(versions))


def needed_revision(versions: Path = VERSIONS) -> str:
    """Return the oldest revision that this code runs on."""
    return max(_revisions(versions) - OPTIONAL.keys())


@cache  # an upgrade may replace the files under a running process, which stays the release it was started as
def _revisions(versions: Path) -> frozenset[str]:
    return frozenset(path.name.split("_")[0] for path in versions.glob("[0-9]*.py"))
