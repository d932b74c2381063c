"""What a streaming encoder is, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aurum.api.encoding.arrow import ArrowWriter
from aurum.api.encoding.csv import CsvWriter
from aurum.api.encoding.ndjson import NdjsonWriter
from aurum.api.encoding.parquet import ParquetWriter
from aurum.api.encoding.table import Table


class BulkWriter(Protocol):
    """Made with an empty table of the right columns; gives the bytes of a file piece by piece."""

    def start(self) -> bytes:
        """What stands before the first row."""
        ...

    def write(self, table: Table) -> bytes:
        """The bytes of some rows; a table of no rows gives none."""
        ...

    def finish(self) -> bytes:
        """What stands after the last row."""
        ...


def bulk_writer(name: str, empty: Table) -> BulkWriter:
    """The writer of ``ndjson``, ``csv``, ``arrow`` or ``parquet``."""
    writers: dict[str, Callable[[Table], BulkWriter]] = {
        "ndjson": NdjsonWriter,
        "csv": CsvWriter,
        "arrow": ArrowWriter,
        "parquet": ParquetWriter,
    }
    return writers[name](empty)
