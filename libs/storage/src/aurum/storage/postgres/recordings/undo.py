"""The list of publications that a recording added and took away."""

from __future__ import annotations

import polars as pl

from aurum.storage.postgres.connection.copy import Layout, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.undo import undone

_UNDONE = Layout(series_id="int4", ts="timestamptz", value="float8", quality="int2", known_at="timestamptz", is_added="bool")
_RECORD = """
INSERT INTO observation_undo (series_id, recording_id, is_added, ts, known_at, value, quality)
SELECT series_id, $1, is_added, array_agg(ts ORDER BY ts, known_at), array_agg(known_at ORDER BY ts, known_at),
       CASE WHEN is_added THEN NULL ELSE array_agg(value ORDER BY ts, known_at) END,
       CASE WHEN is_added THEN NULL ELSE array_agg(quality ORDER BY ts, known_at) END
FROM undoing GROUP BY series_id, is_added
"""


async def write_undo(connection: Connection, recording_id: int, added: pl.DataFrame, removed: pl.DataFrame) -> None:
    """Record publications that a recording added (``series_id``, ``ts``, ``known_at``) and took away (``PUBLICATIONS``)."""
    if added.is_empty() and removed.is_empty():
        return
    await stage(connection, "undoing", _UNDONE, undone(added, removed))
    await connection.execute(_RECORD, recording_id)
