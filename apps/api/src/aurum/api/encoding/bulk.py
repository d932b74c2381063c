"""The protocol of streaming encoders, and the encoder of each format."""

from __future__ import annotations

from typing import Protocol

from aurum.api.encoding.arrow import ArrowWriter
from aurum.api.encoding.csv import CsvWriter
from aurum.api.encoding.ndjson import NdjsonWriter
from aurum.api.encoding.parquet import ParquetWriter
from aurum.api.encoding.table import NOTHING_SAID, Description, Table


class BulkWriter(Protocol):
    """An encoder that returns the bytes of a file piece by piece. It is made with a table of the right columns and no rows."""

    def start(self) -> bytes:
        """Return the bytes before the first row."""
        ...

    def write(self, table: Table) -> bytes:
        """Return the bytes of rows; empty for a table without rows."""
        ...

    def finish(self) -> bytes:
        """Return the bytes after the last row."""
        ...


DESCRIBED = frozenset({"arrow", "parquet"})
"""Formats whose schema has a place for facts about the table."""


def bulk_writer(name: str, empty: Table, description: Description = NOTHING_SAID) -> BulkWriter:
    """Return the writer of a format: ``ndjson``, ``csv``, ``arrow`` or ``parquet``.

    ``description``: becomes the metadata of the schema, in the formats ``DESCRIBED``.
    """
    match name:
        case "ndjson":
            return NdjsonWriter(empty)
        case "csv":
            return CsvWriter(empty)
        case "arrow":
            return ArrowWriter(empty, description)
        case "parquet":
            return ParquetWriter(empty, description)
        case _:
            raise ValueError(f"{name!r} is not a bulk format")
