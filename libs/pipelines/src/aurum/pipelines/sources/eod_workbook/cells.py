"""Sheets of a workbook as cells with their addresses (``'Fixed Prices'!H12``), as Excel counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import fastexcel
import polars as pl

from aurum.pipelines.reading.workbook import column_name, quoted, read_workbook
from aurum.pipelines.source import RefusedFile, SourceFile


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet. ``cells``: String columns ``0``, ``1`` ... from its first column with a cell; a cell of blanks is null.

    ``above``: rows of the sheets before it. ``left``: empty columns before its first one, which the reader leaves out.

    A *line* is a row of the workbook, counted from 1 through its sheets in order.
    """

    name: str
    cells: pl.DataFrame
    above: int
    left: int = 0

    def row(self, position: int) -> list[str]:
        """Return the texts of a row, counted from 0."""
        return [cell or "" for cell in self.cells.row(position)]

    def line(self, position: int) -> int:
        return self.above + position + 1

    def address(self, position: int, column: int) -> str:
        """Return the address of a cell. ``position``, ``column``: counted from 0."""
        return f"{quoted(self.name)}!{self.letters(column)}{position + 1}"

    def letters(self, column: int) -> str:
        """Return the letters of a column of ``cells``, counted from 0."""
        return column_name(self.left + column)


class Workbook:
    """A workbook that is being read. Raises ``RefusedFile`` when the file is empty or not a workbook."""

    def __init__(self, document: SourceFile) -> None:
        if not document.content:
            raise RefusedFile("the file is empty")
        try:
            self._reader = read_workbook(document.content)
            self.sheets = tuple(self._sheets())
        except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
            raise RefusedFile(f"not a readable workbook: {str(error).splitlines()[0]}") from error

    def _sheets(self) -> Sequence[Sheet]:
        sheets: list[Sheet] = []
        above = 0
        for name in self._reader.sheet_names:
            # Without skip_rows the empty rows at the top are left out, and no address would be right.
            loaded = self._reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            read: pl.DataFrame = loaded.to_polars()
            read.columns = [str(column) for column in range(read.width)]
            left: int = loaded.selected_columns[0].absolute_index if read.width else 0
            sheets.append(Sheet(name, read.select(pl.all().str.strip_chars().replace("", None)), above, left))
            above += read.height
        return sheets

    def numbers(self, sheet: Sheet, columns: Sequence[int]) -> pl.DataFrame:
        """Return the numbers in columns of a sheet as they are stored, which texts hold with nine decimals; null for texts."""
        if not columns:
            return pl.DataFrame()
        try:
            loaded = self._reader.load_sheet(
                sheet.name,
                header_row=None,
                skip_rows=0,
                dtypes="float",
                use_columns=[sheet.left + column for column in columns],
            )
        except fastexcel.FastExcelError as error:
            raise RefusedFile(f"not a readable workbook: {str(error).splitlines()[0]}") from error
        read: pl.DataFrame = loaded.to_polars()
        read.columns = [str(column) for column in columns]
        return read

    def raw(self) -> Callable[[int], str]:
        """Return the function from a line to its text: sheet, row and cells."""
        sheets = self.sheets

        def raw(line: int) -> str:
            for sheet in sheets:
                if 0 < line - sheet.above <= sheet.cells.height:
                    position = line - sheet.above - 1
                    return f"sheet {quoted(sheet.name)}, row {position + 1}: " + ",".join(sheet.row(position))
            return ""

        return raw
