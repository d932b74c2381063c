"""Reads workbooks of EIA, xls and xlsx: sheets as text with line numbers, and their first texts to recognise them quickly."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import fastexcel
import polars as pl

from aurum.pipelines.reading.workbook import first_bytes
from aurum.pipelines.source import RefusedFile, SourceFile

_OLE = b"\xd0\xcf\x11\xe0"
_TEXTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml")
_PEEK = 65536


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. ``cells``: String columns ``column_0`` ... and ``line``; blank cells are null. Lines continue from the
    previous sheet, so that a line identifies one row of the workbook.
    """

    name: str
    cells: pl.DataFrame

    def row(self, position: int) -> list[str]:
        """Return the texts of a row, counted from 0; empty when there is no such row."""
        if position >= self.cells.height:
            return [""] * (self.cells.width - 1)
        return [cell or "" for cell in self.cells.drop("line").row(position)]

    def find_row(self, matches: Callable[[list[str]], bool], *, among: int = 20) -> int | None:
        """Return the position of the first matching row among the leading ones."""
        return next((n for n in range(min(among, self.cells.height)) if matches(self.row(n))), None)

    def below(self, position: int, names: Mapping[str, int]) -> pl.DataFrame:
        """Return the non-empty rows below a position: the columns at the given positions, by name, and ``line``."""
        body = self.cells.slice(position + 1)
        body = body.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
        return body.select("line", *(pl.col(f"column_{place}").alias(name) for name, place in names.items()))


def read_sheets(document: SourceFile) -> list[Sheet]:
    """Return every sheet that has cells. Raises ``RefusedFile`` when the file is empty or not a workbook."""
    if not document.content:
        raise RefusedFile("the file is empty")
    try:
        tables = pl.read_excel(
            io.BytesIO(document.content),
            sheet_id=0,
            engine="calamine",
            has_header=False,
            infer_schema_length=0,
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
        )
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise RefusedFile(f"not a readable workbook: {str(error).splitlines()[0]}") from error
    sheets: list[Sheet] = []
    offset = 1
    for name, table in tables.items():
        if table.width:
            trimmed = table.select(pl.all().cast(pl.String).str.strip_chars().replace("", None))
            lines = pl.int_range(offset, offset + table.height, dtype=pl.UInt32, eager=True).alias("line")
            sheets.append(Sheet(name, trimmed.with_columns(lines)))
            offset += table.height
    return sheets


def raw_of(sheets: Iterable[Sheet]) -> Callable[[int], str]:
    """Return the function from a line to its text: sheet name and cells."""
    known = list(sheets)

    def raw(line: int) -> str:
        for sheet in known:
            cells_of_line = sheet.cells.filter(pl.col("line") == line).drop("line")
            if cells_of_line.height:
                return f"{sheet.name}: " + ",".join(cell or "" for cell in cells_of_line.row(0))
        return ""

    return raw


def is_workbook(document: SourceFile) -> bool:
    return document.content.startswith((b"PK", _OLE))


def mentions(document: SourceFile, *phrases: str) -> bool:
    """Return whether the first texts of a workbook contain all phrases, whatever its file name."""
    if document.content.startswith(_OLE):
        # A BIFF workbook stores texts with one or two bytes per character.
        return all(phrase.encode() in document.content or phrase.encode("utf-16-le") in document.content for phrase in phrases)
    texts = b"".join(first_bytes(document.content, _TEXTS, most=_PEEK))
    return all(phrase.encode() in texts for phrase in phrases)
