"""Folders of migrations for tests: those of an earlier release, and those of an invented later one."""

from __future__ import annotations

import shutil
from pathlib import Path

from aurum.storage.migrations.head import VERSIONS, newest_revision

_MODULE = """
import sqlalchemy as sa
from alembic import op

from aurum.storage.migrations.operations import create_index_concurrently, raise_floor, rewrite_rows

revision = "{revision}"
down_revision = "{previous}"
kind = "{kind}"
lock_timeout = "{lock_timeout}"


def upgrade() -> None:
{body}
"""


def earlier_release(folder: Path, revision: str) -> Path:
    """Fill a folder with the migrations up to a revision, and return it."""
    for path in sorted(VERSIONS.glob("[0-9]*.py")):
        if path.name.split("_")[0] <= revision:
            shutil.copy(path, folder)
    return folder


def later_release(folder: Path, *bodies: str, kind: str = "expand", lock_timeout: str = "2s") -> Path:
    """Fill a folder with the migrations of this code and one more for each body of ``upgrade``, and return it.

    In a body, ``{revision}`` is replaced by the number of its revision.
    """
    earlier_release(folder, newest_revision())
    previous = newest_revision()
    for body in bodies:
        revision = f"{int(previous) + 1:04d}"
        lines = "\n".join("    " + line.replace("{revision}", revision) for line in body.splitlines())
        text = _MODULE.format(revision=revision, previous=previous, kind=kind, lock_timeout=lock_timeout, body=lines)
        (folder / f"{revision}_invented.py").write_text(text)
        previous = revision
    return folder
