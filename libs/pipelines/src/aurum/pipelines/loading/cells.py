"""Finds the cell of a number in a workbook whose parser names only the row."""

from __future__ import annotations

import re
from collections.abc import Sequence

import fastexcel
import polars as pl

from aurum.pipelines.reading.workbook import column_name, quoted, read_workbook
from aurum.pipelines.source import SourceFile

_HEADERS = 20
"""First rows of a sheet, in which a header is looked for."""


def cell_of(document: SourceFile, row: str, names: Sequence[str]) -> str | None:
    """Return the address of the cell in a row under the first of some headers that its sheet has.

    ``row``: its text as parsers show it: the sheet, and the cells with commas between them. None unless exactly one row of the
    sheet has these cells, and for a header that the sheet does not have.
    """
    try:
        workbook = read_workbook(document.content)
    except fastexcel.FastExcelError:
        return None  # a plugin reads another kind of file as rows
    for name in workbook.sheet_names:
        named = re.match(rf"(?:sheet )?{re.escape(name)}(?:, row [0-9]+)?: ", row)
        if named is None:
            continue
        # Without skip_rows the empty rows at the top are left out, and no address would be right.
        loaded = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        cells: pl.DataFrame = loaded.to_polars()
        texts = cells.select(pl.concat_str(pl.all().fill_null(""), separator=",").str.replace_all(r"\s", "")).to_series()
        places = (texts == re.sub(r"\s", "", row[named.end() :])).arg_true()
        column = _column(cells.head(_HEADERS), names)
        if len(places) == 1 and column is not None:
            return f"{quoted(name)}!{column_name(loaded.selected_columns[column].absolute_index)}{places[0] + 1}"
    return None


def _column(top: pl.DataFrame, names: Sequence[str]) -> int | None:
    headers = [[_folded(cell or "") for cell in cells] for cells in top.rows()]
    for name in filter(None, map(_folded, names)):
        for cells in headers:
            if name in cells:
                return cells.index(name)
    return None


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
