"""The protocol of streaming encoders, and the encoder of each format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aurum.api.encoding.arrow import ArrowWriter
from aurum.api.encoding.csv import CsvWriter
from aurum.api.encoding.ndjson import NdjsonWriter
from aurum.api.encoding.parquet import ParquetWriter
from aurum.api.encoding.table import Table


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


def bulk_writer(name: str, empty: Table) -> BulkWriter:
    """Return the writer of a format: ``ndjson``, ``csv``, ``arrow`` or ``parquet``."""
    writers: dict[str, Callable[[Table], BulkWriter]] = {
        "ndjson": NdjsonWriter,
        "csv": CsvWriter,
        "arrow": ArrowWriter,
        "parquet": ParquetWriter,
    }
    return writers[name](empty)
