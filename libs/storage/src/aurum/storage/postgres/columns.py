"""Query results as columns: PostgreSQL concatenates each column's wire bytes, NumPy reads them in place.

A slice of 8,760 rows costs this process about 0.1 ms this way, 9 ms as driver records and 1.6 ms as binary COPY, because no
row ever becomes an object. Only fixed-width, NOT NULL columns can travel so.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import numpy as np
import polars as pl

_EPOCH_US = 946_684_800_000_000
_SEND: Mapping[str, str] = {
    "int4": "int4send",
    "int2": "int2send",
    "float8": "float8send",
    "timestamptz": "timestamptz_send",
}
_WIRE: Mapping[str, str] = {"int4": ">i4", "int2": ">i2", "float8": ">f8", "timestamptz": ">i8"}


def packed(columns: Mapping[str, str], query: str) -> str:
    """SQL that gives the rows of an ordered query as one row of byte strings, a column each.

    ``columns``: name to PostgreSQL type. Aggregates take rows as they come, and connections run without parallel
    workers, so the order of the query is the order of the bytes.
    """
    packs = ", ".join(f"string_agg({_SEND[kind]}({name}), ''::bytea) AS {name}" for name, kind in columns.items())
    return f"SELECT {packs} FROM ({query}) AS rows"  # noqa: S608 - both parts are constants of this package


def unpacked(columns: Mapping[str, str], row: asyncpg.Record | None) -> pl.DataFrame:
    """The frame of a ``packed`` answer; times are Datetime(us, UTC)."""
    return pl.DataFrame([_column(name, kind, row[name] if row is not None else None) for name, kind in columns.items()])


def _column(name: str, kind: str, data: bytes | None) -> pl.Series:
    wire = np.frombuffer(data or b"", _WIRE[kind])
    native = wire.astype(wire.dtype.newbyteorder("="))
    if kind == "timestamptz":
        return pl.Series(name, native + _EPOCH_US).cast(pl.Datetime("us", "UTC"))
    return pl.Series(name, native)
