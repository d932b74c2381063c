"""The Iceberg table of history: its layout, and the conversion of query results to frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from aurum.core.frames import UTC_US

TABLE = "observation_history"

COLUMNS = {
    "source": "VARCHAR",
    "month": "DATE",
    "archive_id": "BIGINT",
    "series_id": "INTEGER",
    "ts": "TIMESTAMP(6) WITH TIME ZONE",
    "known_at": "TIMESTAMP(6) WITH TIME ZONE",
    "superseded_at": "TIMESTAMP(6) WITH TIME ZONE",
    "value": "DOUBLE",
    "quality": "INTEGER",
}
"""Columns in the order of a new table. Those that an older table lacks are added at its end: Iceberg knows columns by id."""

PARTITIONED_BY = ("source",)
"""Not by month: sparse sources would have a file for each. A query skips files of other months by their statistics."""
SORTED_BY = ("series_id", "ts")

PROPERTIES = {
    # A group is read or skipped as a whole: a month of one series lies in one or two groups.
    "write.parquet.row-group-limit": "65536",
    "write.parquet.compression-codec": "zstd",
}
"""Properties of the table, for programs that write its files without Trino."""

# A double is transferred as its bits, which is exact and also works for NaN, which JSON cannot hold.
_BITS = "from_big_endian_64(to_ieee754_64(value))"
_TEXT = pl.String()
_WIRE = {
    "series_id": ("series_id", pl.Int32()),
    "ts": ("ts", _TEXT),
    "known_at": ("known_at", _TEXT),
    "superseded_at": ("superseded_at", _TEXT),
    "value": (_BITS, pl.Int64()),
    "quality": ("quality", pl.Int16()),
}
_INSTANT = "%Y-%m-%d %H:%M:%S%.6f UTC"


def create_statement(table: str, columns: Sequence[str] = tuple(COLUMNS)) -> str:
    """Return the statement that creates the table unless it exists."""
    declared = ", ".join(f"{name} {COLUMNS[name]}" for name in columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {table} ({declared}) WITH "
        f"(format = 'PARQUET', format_version = 2, {PARTITIONING}, sorted_by = {_array(SORTED_BY)})"
    )


def _array(names: Sequence[str]) -> str:
    quoted = ",".join(f"'{name}'" for name in names)
    return f"ARRAY[{quoted}]"


PARTITIONING = f"partitioning = {_array(PARTITIONED_BY)}"
"""The property of the table, as ``SHOW CREATE TABLE`` prints it."""


def select_list(schema: pl.Schema) -> str:
    """Return the text after SELECT for the columns of a schema, in the form that ``parse_rows`` takes."""
    return ", ".join(_WIRE[name][0] for name in schema)


def parse_rows(rows: Sequence[Sequence[Any]], schema: pl.Schema) -> pl.DataFrame:
    """Convert the rows of a query with ``select_list`` to a frame of the schema, ascending by ``series_id`` and ``ts``."""
    wire = pl.Schema({name: _WIRE[name][1] for name in schema})
    columns = list(zip(*rows, strict=True)) or [()] * len(wire)
    texts = [name for name, dtype in schema.items() if dtype == UTC_US]
    series = [pl.Series(name, column, dtype) for (name, dtype), column in zip(wire.items(), columns, strict=True)]
    parsed = pl.DataFrame(series)
    values = parsed["value"].to_numpy().view(np.float64)
    return (
        parsed.with_columns(
            pl.Series("value", values), pl.col(texts).str.to_datetime(_INSTANT, time_unit="us", time_zone="UTC")
        )
        .select(list(schema))
        .sort("series_id", "ts", "known_at")
    )
