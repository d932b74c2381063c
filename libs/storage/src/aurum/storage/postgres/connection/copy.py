"""Binary COPY of fixed-width rows: Polars frames to bytes and back, without a Python object for each row.

Values are never NULL, so every field has a constant width and a block of rows is one NumPy structured array.
Format: https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.storage.postgres.connection.read_connections import Connection

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_EPOCH_US = 946_684_800_000_000
"""Microseconds from 1970-01-01, where Polars counts from, to 2000-01-01, where PostgreSQL counts from."""
_EPOCH_DAYS = 10_957
"""The same distance in days."""

_WIRE: Mapping[str, str] = {
    "int8": ">i8",
    "int4": ">i4",
    "int2": ">i2",
    "float8": ">f8",
    "timestamptz": ">i8",
    "date": ">i4",
    "bool": "?",
}
CHUNK_ROWS = 65_536


class Layout:
    """Columns of a COPY, by name and PostgreSQL type, in order."""

    def __init__(self, **columns: str) -> None:
        self.columns = columns
        fields: list[tuple[str, str]] = [("__fields", ">i2")]
        for name, kind in columns.items():
            fields += [(f"__size_{name}", ">i4"), (name, _WIRE[kind])]
        self.dtype = np.dtype(fields)

    def encode(self, frame: pl.DataFrame) -> NDArray[np.void]:
        """Return the rows of a frame in wire format, without header and trailer."""
        rows = np.empty(frame.height, self.dtype)
        rows["__fields"] = len(self.columns)
        for name, kind in self.columns.items():
            rows[f"__size_{name}"] = np.dtype(_WIRE[kind]).itemsize
            rows[name] = _to_wire(frame[name], kind)
        return rows

    def decode(self, rows: NDArray[np.void]) -> pl.DataFrame:
        """Return the frame of rows in wire format."""
        return pl.DataFrame([_from_wire(name, rows[name], kind) for name, kind in self.columns.items()])

    async def source(self, frame: pl.DataFrame) -> AsyncIterator[bytes]:
        """Yield the whole stream of a COPY FROM, in chunks, for asyncpg's ``copy_to_table``."""
        yield HEADER
        bounds = [*range(0, frame.height, CHUNK_ROWS), frame.height]
        for start, end in pairwise(bounds):
            yield self.encode(frame.slice(start, end - start)).tobytes()
        yield TRAILER


class Collector:
    """Decoder of the stream of a COPY TO: collects its pieces and returns its rows as frames."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._parts: list[bytes] = []
        self._header_seen = False
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Add a piece of the stream, as the driver delivers it."""
        self._parts.append(data)
        self.size += len(data)

    def take(self) -> pl.DataFrame:
        """Return and remove the rows that are complete; an incomplete row stays for the next call."""
        buffer = b"".join(self._parts)
        start = 0
        if not self._header_seen:
            if len(buffer) < len(HEADER):
                self._parts = [buffer]
                return self._layout.decode(np.empty(0, self._layout.dtype))
            self._header_seen = True
            start = len(HEADER)
        width = self._layout.dtype.itemsize
        count = (len(buffer) - start) // width
        rows = np.frombuffer(buffer, self._layout.dtype, count, start)
        rest = buffer[start + count * width :]
        self._parts = [rest] if rest else []
        self.size = len(rest)
        return self._layout.decode(rows)


def _to_wire(column: pl.Series, kind: str) -> NDArray[Any]:
    physical = column.to_physical().to_numpy()
    if kind == "timestamptz":
        return physical - _EPOCH_US
    if kind == "date":
        return physical - _EPOCH_DAYS
    return physical


def _from_wire(name: str, column: NDArray[Any], kind: str) -> pl.Series:
    native = column.astype(column.dtype.newbyteorder("="))
    if kind == "timestamptz":
        return pl.Series(name, native + _EPOCH_US).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if kind == "date":
        return pl.Series(name, native + _EPOCH_DAYS).cast(pl.Date)
    return pl.Series(name, native)


async def insert(connection: Connection, table: str, layout: Layout, frame: pl.DataFrame) -> None:
    """Append the rows of a frame to a table; an empty frame costs nothing."""
    if not frame.is_empty():
        await connection.copy_to_table(table, source=layout.source(frame), columns=list(layout.columns), format="binary")


async def stage(connection: Connection, name: str, layout: Layout, frame: pl.DataFrame) -> None:
    """Create a temporary table from a frame for the rest of the transaction, in place of an earlier one of that name."""
    columns = ", ".join(f"{column} {kind} NOT NULL" for column, kind in layout.columns.items())
    await connection.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    await connection.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
    await insert(connection, name, layout, frame)
    await connection.execute(f"ANALYZE {name}")
