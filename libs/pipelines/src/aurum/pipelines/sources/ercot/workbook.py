"""ERCOT's yearly workbooks of hub and load zone prices: ``DAMLZHBSPP_<year>.xlsx``, ``RTMLZHBSPP_<year>.xlsx``.

A sheet a month (Jan .. Dec); in the running year the later sheets hold a header and nothing else. Columns

    Delivery Date | Hour Ending | Repeated Hour Flag | Settlement Point | Settlement Point Price
    Delivery Date | Delivery Hour | Delivery Interval | Repeated Hour Flag | Settlement Point Name | ... Type | ... Price

with dates ``MM/DD/YYYY`` and hours ``01:00`` .. ``24:00`` as text, 15 points, 131,400 rows a day-ahead year. A line is a row
counted through the sheets in order, header rows included. The workbook does not say when its prices were posted.

Source of the description: the day-ahead workbooks of 2021, 2023 and 2025; for the real-time one gridstatus ``ercot.py``.
"""

from __future__ import annotations

import re
from functools import partial

import fastexcel
import polars as pl

from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.reading.workbook import first_bytes
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ercot.datasets import DAM_SPP, RTM_SPP, ZONE
from aurum.pipelines.sources.ercot.settlement import DAM_COLUMNS, RTM_COLUMNS, PriceTable, dataset_of, parse_prices, words_of

_NAME = re.compile(r"(DAM|RTM)LZHBSPP[^/]*\.xlsx?$", re.IGNORECASE)
_named = days_in_name(r"LZHBSPP_(?P<year>\d{4})(?!\d)", ZONE, flags=re.IGNORECASE)
_CELL = re.compile(r"<t[^>]*>([^<]*)</t>")
_PEEK = 8192
_TEXTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/Sheet1.xml")


def _dataset(document: SourceFile) -> Dataset | None:
    named = _NAME.search(document.name)
    if named:
        return DAM_SPP if named[1].upper() == "DAM" else RTM_SPP
    texts = _first_texts(document.content)
    return dataset_of(words_of(texts)) if texts else None


def _first_texts(content: bytes) -> list[str]:
    """Return the first cell texts of an .xlsx workbook, which show the header of a renamed file; empty when unreadable."""
    heads = first_bytes(content, _TEXTS, most=_PEEK)
    return [text for head in heads for text in _CELL.findall(head.decode("utf-8", errors="replace"))]


def _sheets(document: SourceFile) -> dict[str, pl.DataFrame]:
    """Return every sheet by name, all cells as text, with empty rows, so that rows can be counted."""
    try:
        return pl.read_excel(
            document.content,
            sheet_id=0,
            engine="calamine",
            read_options={"dtypes": "string"},
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
        )
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise RefusedFile(f"not a readable workbook: {str(error).splitlines()[0]}") from error


def _months(document: SourceFile, dataset: Dataset) -> list[tuple[str, pl.DataFrame]]:
    """Return the sheets with ``line``, all with the same header; empty sheets are left out."""
    offset = 0
    months: list[tuple[str, pl.DataFrame]] = []
    for name, sheet in _sheets(document).items():
        if sheet.width == 0:
            continue
        headers = [header.strip() for header in sheet.columns]
        if dataset_of(words_of(headers)) is not dataset or (months and headers != months[0][1].columns[1:]):
            raise RefusedFile(f"wrong header in sheet {name!r}: {', '.join(headers)}")
        sheet.columns = headers
        months.append((name, sheet.with_row_index("line", offset=offset + 2)))
        offset += sheet.height + 1
    if not months:
        raise RefusedFile("no sheet has a header")
    return months


def _parse(document: SourceFile, dataset: Dataset) -> tuple[Parsed, ...]:
    if not document.content:
        raise RefusedFile("the file is empty")
    months = _months(document, dataset)
    headers = months[0][1].columns[1:]
    cells = [pl.col(header).str.strip_chars().replace("", None) for header in headers]
    rows = pl.concat([month for _, month in months]).select("line", *cells)
    rows = rows.filter(~pl.all_horizontal(pl.col(header).is_null() for header in headers))

    def raw(line: int) -> str:
        for name, month in months:
            cells_of_line = month.filter(pl.col("line") == line)
            if cells_of_line.height:
                return f"{name}: " + ",".join(str(cell or "") for cell in cells_of_line.drop("line").row(0))
        return ""

    table = PriceTable(rows, words_of(headers), Refusals(raw), rows.height, raw)
    return (parse_prices(table, dataset),)


DAM_FORMAT = FileFormat(
    name="ERCOT DAMLZHBSPP workbook",
    datasets=(DAM_SPP,),
    recognise=lambda document: _dataset(document) is DAM_SPP,
    parse=partial(_parse, dataset=DAM_SPP),
    named=_named,
    columns=DAM_COLUMNS,
)

RTM_FORMAT = FileFormat(
    name="ERCOT RTMLZHBSPP workbook",
    datasets=(RTM_SPP,),
    recognise=lambda document: _dataset(document) is RTM_SPP,
    parse=partial(_parse, dataset=RTM_SPP),
    named=_named,
    columns=RTM_COLUMNS,
)
