"""Reads the beginning of the first member of a zip archive, by which an answer that reports an error is told from data."""

from __future__ import annotations

import io
import zipfile

from aurum.pipelines.reading.workbook import DAMAGED


def first_member(content: bytes, *, most: int) -> tuple[str, bytes] | None:
    """Return the name of the first member and its first bytes, at most ``most``; None for anything but a whole archive."""
    if not content.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            name = archive.namelist()[0]
            return name, archive.open(name).read(most)
    except (*DAMAGED, IndexError):
        return None
