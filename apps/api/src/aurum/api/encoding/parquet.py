"""Parquet, written a row group for each batch of the store and sent on at once; its footer comes last."""

from __future__ import annotations

from aurum.api.encoding.arrow import Sink, record_batch
from aurum.api.encoding.table import Table

MEDIA_TYPE = "application/vnd.apache.parquet"


class ParquetWriter:
    """Fits ``BulkWriter``."""

    def __init__(self, empty: Table) -> None:
        import pyarrow.parquet as pq  # late, like PyArrow itself: see ``arrow``

        self._sink = Sink()
        self._writer = pq.ParquetWriter(self._sink, record_batch(empty).schema, compression="zstd")

    def start(self) -> bytes:
        return self._sink.take()

    def write(self, table: Table) -> bytes:
        if table.height:
            self._writer.write_batch(record_batch(table))
        return self._sink.take()

    def finish(self) -> bytes:
        self._writer.close()
        return self._sink.take()
