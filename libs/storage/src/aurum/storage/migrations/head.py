"""The newest migration there is, read from the names of the files: nothing else of Alembic is needed to know it."""

from __future__ import annotations

from pathlib import Path


def newest_revision() -> str:
    """Revisions are numbered: ``0001_...py`` is ``0001``."""
    return max(path.name.split("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))
