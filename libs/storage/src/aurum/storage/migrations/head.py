"""Revisions of this code, read from the file names of its migrations, because the import of Alembic takes half a second."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

VERSIONS = Path(__file__).parent / "versions"

OPTIONAL: Mapping[str, str] = MappingProxyType(
    {"0007": "it adds the floor to the schema, and a schema without a floor accepts every release"}
)
"""Revisions that this code does not need, each with the reason. It needs all other revisions."""


def newest_revision(versions: Path = VERSIONS) -> str:
    """Return the newest revision. Revisions are numbers; the file ``0001_...py`` holds ``0001``."""
    return max(_revisions(versions))


def needed_revision(versions: Path = VERSIONS) -> str:
    """Return the oldest revision that this code runs on."""
    return max(_revisions(versions) - OPTIONAL.keys())


@cache  # an upgrade may replace the files under a running process, which must go on as its own release
def _revisions(versions: Path) -> frozenset[str]:
    return frozenset(path.name.split("_")[0] for path in versions.glob("[0-9]*.py"))
