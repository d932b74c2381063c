"""Reads the beginning of parts of .xlsx workbooks, which are zip archives, to recognise them by the texts of their cells.

Also names their cells (``'Fixed Prices'!H12``), as Excel does.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, Protocol, cast

import fastexcel

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, NotImplementedError)
"""Errors of damaged archives; of encrypted ones (RuntimeError); of those with offsets beyond their end (ValueError)."""

_LETTERS = 26


class SheetReader(Protocol):
    """The part of fastexcel's reader that is used; its own signature names a type of pyarrow, which has none."""

    sheet_names: list[str]

    def load_sheet(
        self, name: str, /, *, header_row: None, skip_rows: int, dtypes: str, use_columns: list[int] | None = None
    ) -> Any: ...


def read_workbook(content: bytes) -> SheetReader:
    """Return the reader of the sheets of a workbook. Raises ``fastexcel.FastExcelError``."""
    return cast(SheetReader, fastexcel.read_excel(content))


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


def quoted(sheet: str) -> str:
    """Return the name of a sheet as it stands in an address."""
    return "'" + sheet.replace("'", "''") + "'"


def column_name(column: int) -> str:
    """Return the letters of a column, counted from 0.

    >>> column_name(0), column_name(26), column_name(366)
    ('A', 'AA', 'NC')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters
