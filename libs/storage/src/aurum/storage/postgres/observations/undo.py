"""Records of what a file added and took away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.threads import in_thread_if_large
from aurum.storage.postgres.recordings.undo import write_undo
from aurum.storage.undo import Undo, single_times

_LATEST = """
SELECT series_id, max(known_at) AS known_at FROM file_series
WHERE series_id = ANY($1) AND known_at >= $2 GROUP BY series_id
"""
# Files that were loaded before file_series existed are in no row of it.
_HAS_OLDER_FILES = """
SELECT coalesce((SELECT min(file_id) FROM ingest_file WHERE status = 'applied' AND new + revised > 0)
              < (SELECT min(file_id) FROM file_series), false)
"""


async def record_undo(connection: Connection, recording_id: int, undo: Undo, batch: pl.DataFrame) -> Sequence[int]:
    """Record what neither the spans nor the known times of a file tell of its publications, before the file is in file_series.

    ``batch``: schema ``PUBLICATIONS``. Returns the ids of the series without an earlier publication at their known time or
    later, as far as they were looked up.
    """
    listed, removed = await in_thread_if_large(batch.height, undo.listed), undo.removed()
    sole: list[int] = []
    if not listed.is_empty():
        sole = await _sole_series(connection, batch, listed)
        listed = listed.filter(~pl.col("series_id").is_in(sole))
    await write_undo(connection, recording_id, listed, removed)
    return sole


async def _sole_series(connection: Connection, batch: pl.DataFrame, listed: pl.DataFrame) -> list[int]:
    times = single_times(batch, listed)
    if not times or await connection.fetchval(_HAS_OLDER_FILES):
        return []
    rows = await connection.fetch(_LATEST, list(times), min(times.values()))
    latest: dict[int, datetime] = {row["series_id"]: row["known_at"] for row in rows}
    return [series_id for series_id, known_at in times.items() if series_id not in latest or latest[series_id] < known_at]
