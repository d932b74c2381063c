"""Finds the column of a number in a table of text: its header and its position."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aurum.pipelines.reading.bounds import fields_of
from aurum.pipelines.source import RefusedFile, SourceFile

_SEPARATORS = (";", "\t", "|", ",")
"""The comma is last, because tables with another separator have decimal commas."""
_MOST_LINES = 200
"""Lines at the beginning of a file among which the header of a row is looked for."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")


def column_of(document: SourceFile, line: int, names: Sequence[str]) -> tuple[str, int] | None:
    """Return the first of some headers that a row has, and the position of its column, from 1; None where it has none.

    ``line``: of the row, from 1. Its header is the last line above it with as many fields, one of the names and no number:
    without such a line nothing is claimed.
    """
    above = document.lines[: min(line - 1, _MOST_LINES)]
    for name in filter(None, names):
        for separator in _SEPARATORS:
            width = len(_fields(document.raw(line), separator))
            for text in reversed(above) if width > 1 else ():
                if name not in text:
                    continue
                header = _fields(text, separator)
                if len(header) == width and name in header and not any(map(_NUMBER.fullmatch, header)):
                    return name, header.index(name) + 1
    return None


def _fields(text: str, separator: str) -> Sequence[str]:
    try:
        return [field.strip() for field in fields_of(text, 1, separator=separator)]
    except RefusedFile:
        return ()
