"""Writes files that appear in a folder complete or not at all."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from aurum.core.errors import Unavailable


class FolderUnusable(Unavailable):
    """A file cannot be written. Facts: ``folder``."""


@contextmanager
def atomic_write(path: Path) -> Generator[BinaryIO]:
    """Open a file to write, which appears at ``path`` when the block ends without an exception. Raises ``FolderUnusable``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _renamed_when_complete(path) as file:
            yield file
    except TimeoutError:  # a subclass of OSError, but the deadline of the download, not a failure to write
        raise
    except OSError as error:
        raise FolderUnusable(f"{path.parent} cannot be written: {error.strerror}", folder=str(path.parent)) from error


@contextmanager
def _renamed_when_complete(path: Path) -> Generator[BinaryIO]:
    # The name is unique because two processes may write one file at once, and hidden so that the partial file of a killed
    # process is not loaded.
    partial = path.with_name(f".{uuid4().hex}.part")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
