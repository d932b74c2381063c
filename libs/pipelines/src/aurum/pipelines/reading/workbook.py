"""Reads the beginning of parts of .xlsx workbooks, which are zip archives, to recognise them by the texts of their cells."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, NotImplementedError)
"""Errors of damaged archives; of encrypted ones (RuntimeError); of those with offsets beyond their end (ValueError)."""


def first_bytes(content: bytes, parts: Sequence[str], *, most: int) -> list[bytes]:
    """Return the first bytes, at most ``most`` each, of those parts that a workbook has; empty for anything else."""
    if not content.startswith(b"PK"):
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            return [archive.open(part).read(most) for part in parts if part in names]
    except DAMAGED:
        return []
