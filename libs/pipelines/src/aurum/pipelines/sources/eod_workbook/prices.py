"""Prices in the cells of a broker's table, as one row for each cell: a column of ``Mid`` holds numbers, one of
``Bid   /   Ask`` texts such as ``31.493   /   31.700``. Either side may be missing.

A cell without a price is not a quote. Numbers of mid columns are those that the cell stores, with all their digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.numbers import numbers
from aurum.pipelines.sources.eod_workbook.cells import Workbook
from aurum.pipelines.sources.eod_workbook.layout import Column, PriceType, Table

CELL_FIELDS = ("settle", "bid", "ask")
"""The fields of a quote that a cell can state. A broker's mid mark is its ``settle``."""
_FIELD = {PriceType.MID: "settle", PriceType.BID: "bid", PriceType.ASK: "ask"}
_SIDES = r"^([^/]*)/([^/]*)$"
CELLS = pl.Schema(
    {
        "row": pl.UInt32(),
        "column": pl.UInt32(),
        "text": pl.String(),
        **dict.fromkeys(CELL_FIELDS, pl.Float64()),
        "why": pl.String(),
    }
)
"""Priced cells of a table. ``row``, ``column``: from 0. ``why``: the reason why the cell cannot be read; null if it can."""


def read_cells(workbook: Workbook, table: Table, columns: Sequence[Column]) -> pl.DataFrame:
    """Return the cells of columns with a known price type, schema ``CELLS``. Cells without a price are left out."""
    parts = [
        _cells(workbook, table, kind, [column.position for column in columns if column.price is kind]) for kind in PriceType
    ]
    return pl.concat(parts)


def _cells(workbook: Workbook, table: Table, kind: PriceType, positions: Sequence[int]) -> pl.DataFrame:
    if not positions:
        return pl.DataFrame(schema=CELLS)
    first = table.types + 1
    texts = _long(table.sheet.cells.slice(first), positions, "text", first)
    if kind is PriceType.BID_ASK:
        return _two_sided(texts.drop_nulls("text"))
    stored = _long(workbook.numbers(table.sheet, positions).slice(first), positions, "stored", first)
    texts = texts.with_columns(stored["stored"]).drop_nulls("text")
    number = numbers(pl.col("text"))
    read = texts.with_columns(pl.when(number.is_not_null()).then(pl.coalesce("stored", number)).alias(_FIELD[kind]))
    return _as_cells(read, pl.col(_FIELD[kind]).is_null())


def _two_sided(texts: pl.DataFrame) -> pl.DataFrame:
    sides = [pl.col("text").str.extract(_SIDES, side).str.strip_chars().alias(f"__{side}") for side in (1, 2)]
    parts = texts.with_columns(sides)
    # Both sides empty: the broker does not quote the tenor.
    parts = parts.filter(~((pl.col("__1") == "") & (pl.col("__2") == "")).fill_null(False))
    read = parts.with_columns(numbers(pl.col("__1")).alias("bid"), numbers(pl.col("__2")).alias("ask"))
    unread = [(pl.col(f"__{side}") != "").fill_null(True) & pl.col(name).is_null() for side, name in ((1, "bid"), (2, "ask"))]
    return _as_cells(read, unread[0] | unread[1])


def _as_cells(read: pl.DataFrame, unread: pl.Expr) -> pl.DataFrame:
    lacking = [pl.lit(None, pl.Float64).alias(name) for name in CELL_FIELDS if name not in read.columns]
    why = pl.when(unread).then(pl.lit(str(Reason.NON_NUMERIC))).alias("why")
    return read.with_columns(*lacking, why).select(list(CELLS))


def _long(cells: pl.DataFrame, positions: Sequence[int], value: str, first: int) -> pl.DataFrame:
    """Return the cells of columns below each other: ``row``, ``column`` and the value. ``first``: number of the first row."""
    names = [str(position) for position in positions]
    long = (
        cells.select(names)
        .with_row_index("row", offset=first)
        .unpivot(on=names, index="row", variable_name="column", value_name=value)
    )
    columns = pl.Series("column", positions, pl.UInt32).gather(_each(cells.height, len(positions)))
    return long.with_columns(pl.col("row").cast(pl.UInt32), columns)


def _each(rows: int, columns: int) -> pl.Series:
    """Return the numbers 0 .. columns - 1, each repeated once for each row."""
    return pl.int_range(rows * columns, eager=True) // max(rows, 1)
