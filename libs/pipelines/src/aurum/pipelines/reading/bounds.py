"""Bounds of text files, so that none uses up the memory: lines, columns, cells and fields of tables, values of JSON."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

import polars as pl

from aurum.pipelines.source import RefusedFile, SourceFile

LINE_BYTES = 1 << 20
"""Longest line of a delimited file. XML and JSON may be one line."""
FIELD_CHARACTERS = 131_072
"""Longest field of a delimited file, as the module ``csv`` has it."""
MOST_COLUMNS = 16_384
"""Most columns of a delimited file, as of a spreadsheet."""
MOST_CELLS = 100_000_000
MOST_JSON_VALUES = 5_000_000

_MANY_BYTES = 8 << 20
"""Size of a file from which its lines are counted: a smaller one fits into the memory whatever it holds."""
_SHORTEST_LINE = 8
"""Least bytes of a line, on average, in a table of ``_MANY_BYTES``. An empty line takes as much memory as a full one."""
_SPARSE_CELLS = 1_000_000
"""Number of empty cells that any table may have."""
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""Beginnings of workbooks. Their bytes have no lines, and one that is not compressed may have no line end in megabytes."""
_STRUCTURED = re.compile(rb"[\s\xef\xbb\xbf\xff\xfe\x00]*([{\[<])")


def check_bounds(document: SourceFile) -> None:
    """Raise ``RefusedFile`` when JSON has too many values, or when delimited text has too long lines or too many empty ones."""
    content = document.content
    if content.startswith(_WORKBOOKS):
        return
    structured = _STRUCTURED.match(content[:4096])
    if structured is None:
        _check_lines(content)
    elif structured[1] != b"<" and (values := sum(map(content.count, (b",", b"[", b"{")))) > MOST_JSON_VALUES:
        raise RefusedFile(f"its JSON has about {values:,} values: at most {MOST_JSON_VALUES:,} are read; split the file")


def _check_lines(content: bytes) -> None:
    start = 0
    while len(content) - start > LINE_BYTES:
        # Searching backwards from the longest allowed line skips many lines at once.
        end = max(content.rfind(mark, start, start + LINE_BYTES + 1) for mark in (b"\n", b"\r"))
        if end < 0:
            line = content.count(b"\n", 0, start) + 1
            raise RefusedFile(f"a line of more than {LINE_BYTES:,} bytes, which no delimited file has", line=line)
        start = end + 1
    if len(content) < _MANY_BYTES:
        return
    lines = content.count(b"\n" if b"\n" in content else b"\r")
    if len(content) < lines * _SHORTEST_LINE:
        raise RefusedFile(f"most of its {lines:,} lines are empty or have one field of a character or two")


def fields_of(text: str, line: int, *, separator: str = ",") -> list[str]:
    """Return the fields of one record of a delimited file, whose quoted fields may hold line breaks.

    ``line``: the number of its last line. Raises ``RefusedFile`` when it has too many or too long fields.
    """
    try:
        fields = next(csv.reader([f"{part}\n" for part in text.split("\n")], delimiter=separator), list[str]())
    except csv.Error as error:
        too_long = f"a field of more than {FIELD_CHARACTERS:,} characters"
        raise RefusedFile(too_long if "limit" in str(error) else f"not a delimited line: {error}", line=line) from error
    if len(fields) > MOST_COLUMNS:
        raise RefusedFile(f"{len(fields):,} columns: at most {MOST_COLUMNS:,} are read", line=line)
    return fields


def check_cells(lines: int, columns: int, characters: int) -> None:
    """Raise ``RefusedFile`` when a table would have too many cells, or many more than its text has characters."""
    cells = lines * columns
    if cells > MOST_CELLS:
        raise RefusedFile(f"{lines:,} lines of {columns:,} columns: at most {MOST_CELLS:,} cells are read; split the file")
    if cells > 2 * characters + _SPARSE_CELLS:
        raise RefusedFile(f"the header has {columns:,} columns, and most of the {lines:,} lines have far fewer fields")


def check_fields(body: str, frame: pl.DataFrame, names: Sequence[str]) -> None:
    """Raise ``RefusedFile`` when a field is too long. Only a quoted field can be longer than a line."""
    if '"' not in body:
        return
    lengths = frame.select(pl.col(name).str.len_bytes().max() for name in names).row(0)
    for name, length in zip(names, lengths, strict=True):
        if (length or 0) > FIELD_CHARACTERS:
            line = frame.filter(pl.col(name).str.len_bytes() == length)["line"][0]
            raise RefusedFile(f"a field of {length:,} bytes in column {name!r}: is a closing quote missing?", line=line)
