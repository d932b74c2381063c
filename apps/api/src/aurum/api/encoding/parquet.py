"""Parquet, with a row group for each batch of the store, sent at once; the footer comes last."""

from __future__ import annotations

from aurum.api.encoding.arrow import Sink, record_batch, schema_of
from aurum.api.encoding.table import NOTHING_SAID, Description, Table

MEDIA_TYPE = "application/vnd.apache.parquet"


class ParquetWriter:
    """The ``BulkWriter`` of Parquet."""

    def __init__(self, empty: Table, description: Description = NOTHING_SAID) -> None:
        import pyarrow.parquet as pq  # imported late, like PyArrow: see ``arrow``

        self._sink = Sink()
        self._writer = pq.ParquetWriter(self._sink, schema_of(empty, description), compression="zstd")

    def start(self) -> bytes:
        return self._sink.take()

    def write(self, table: Table) -> bytes:
        if table.height:
            self._writer.write_batch(record_batch(table))
        return self._sink.take()

    def finish(self) -> bytes:
        self._writer.close()
        return self._sink.take()
