"""Writes of quarantined rows and check results of a file, in the transaction that loads it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import REFUSED, conform
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.quality.validations import record

_MARK_REPLAYED = """
UPDATE quarantine SET replayed_at = now()
WHERE replayed_at IS NULL AND file_id IN (SELECT file_id FROM ingest_file WHERE digest = $1)
"""


class PostgresQualityWriter:
    """``QualityWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def quarantine(self, file_id: int, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        columns = list(REFUSED)
        await self._connection.copy_records_to_table(
            "quarantine",
            records=[(file_id, *row) for row in conform(rows, REFUSED).iter_rows()],  # rows: quarantined
            columns=["file_id", *columns],
        )

    async def mark_replayed(self, digest: str) -> None:
        await self._connection.execute(_MARK_REPLAYED, digest)

    async def record_validations(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        return await record(self._connection, results, file_id=file_id, file_name=file_name)
