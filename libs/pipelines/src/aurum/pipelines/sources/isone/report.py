"""Reads ISO-NE's report files, whose lines are of four kinds that the first field names.

    "C" comments (title, file name, days, "Report generated: 06/03/2026 12:57:12 EDT"), "H" headers (names, then types),
    "D" data, "T" the trailer with the number of data lines.

A file without its trailer, or with another number of data lines than the trailer says, is truncated: refused whole.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.pipelines.reading.dates import labelled_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.isone.datasets import ZONE

_TRAILER = re.compile(r'^"?T"?\s*,\s*"?\s*([0-9]{1,9})\s+lines?\s*"?$', re.IGNORECASE)
_GENERATED = re.compile(r"Report generated:? +([^ ]+ [^ ]+) ([A-Z]{3,4})\b")


_STAMPS = ("%m/%d/%Y %H:%M:%S",)


@dataclass(frozen=True, slots=True)
class Report:
    """``table``: the data as String columns under the names of the first header, and ``line``. ``rows_read``: data lines.

    ``types``: cells of the second header by column: ``Number``, ``String``, or a unit such as ``$/MWh``.
    """

    comments: tuple[str, ...]
    table: pl.DataFrame
    rows_read: int
    types: Mapping[str, str]

    @property
    def generated_at(self) -> datetime | None:
        """When the report was made, UTC; None if it does not say. Raises ``RefusedFile`` for an invalid time."""
        match = _GENERATED.search("\n".join(self.comments))
        if match is None:
            return None
        instant = labelled_of(match[1], _STAMPS, ZONE, match[2], standard=("EST",), daylight=("EDT",))
        if instant is None:
            raise RefusedFile(f"there is no such time in New York: {match[0]!r}")
        return instant


def comments(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the texts of the comment lines at the top."""
    top = itertools.takewhile(lambda line: _kind(line) == "C", lines)
    return tuple(line.partition(",")[2].strip().strip('"') for line in top)


def header_names(lines: Sequence[str]) -> list[str]:
    """Return the names of the first header line, its own ``H`` included; empty where no header follows the comments."""
    line = next((line for line in lines if _kind(line) != "C"), "")
    return _cells(line) if _kind(line) == "H" else []


def read_report(document: SourceFile, refusals: Refusals) -> Report:
    """Return the report's comments and data. Raises ``RefusedFile`` for a damaged or truncated one."""
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    lines = document.lines
    top = comments(lines)
    header = len(top)
    if header == len(lines) or _kind(lines[header]) != "H":
        raise RefusedFile("wrong header: no H line after the comments", line=min(header + 1, len(lines)))
    has_types = _kind(lines[min(header + 1, len(lines) - 1)]) == "H"
    first = header + 1 + has_types
    last, stated = _trailer(lines)
    table = read_table(document, ["H"], refusals, header_line=header + 1, rows=(first, last))
    _refuse_other_kinds(table)
    rows_read = table.height + refusals.frame().height
    if rows_read != stated:
        raise RefusedFile(f"truncated: {rows_read} data lines where the trailer says {stated}", line=last + 1)
    cells = _cells(lines[header + 1]) if has_types else []
    return Report(top, table, rows_read, dict(zip(_cells(lines[header]), cells, strict=False)))


def _cells(line: str) -> list[str]:
    return [name.strip() for name in line.replace('"', "").split(",")]


def _kind(line: str) -> str:
    return line.partition(",")[0].strip().strip('"')


def _trailer(lines: Sequence[str]) -> tuple[int, int]:
    """Return the position of the trailer and the number it states. Raises ``RefusedFile`` when the last line is not one."""
    position = next(position for position in range(len(lines) - 1, -1, -1) if lines[position].strip())
    match = _TRAILER.match(lines[position].strip())
    if match is None:
        raise RefusedFile("truncated: the last line is not a trailer", line=position + 1)
    return position, int(match[1])


def _refuse_other_kinds(table: pl.DataFrame) -> None:
    others = table.filter(pl.col("H").ne_missing("D"))
    if not others.is_empty():
        kind, line = others.select("H", "line").row(0)
        raise RefusedFile(f"a {kind!r} line among the data", line=line)
