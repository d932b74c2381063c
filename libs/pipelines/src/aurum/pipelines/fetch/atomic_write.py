"""Files that appear in a folder whole or not at all."""

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
def landing(path: Path) -> Generator[BinaryIO]:
    """A file to write that stands at ``path`` when the block ends well. Raises ``FolderUnusable``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _moved_to(path) as file:
            yield file
    except TimeoutError:  # an OSError that is not of the file
        raise
    except OSError as error:
        raise FolderUnusable(f"{path.parent} cannot be written: {error.strerror}", folder=str(path.parent)) from error


@contextmanager
def _moved_to(path: Path) -> Generator[BinaryIO]:
    # A name of its own: two processes may write one file at once. Hidden: what a killed one leaves is nobody's input.
    partial = path.with_name(f".{uuid4().hex}.part")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
