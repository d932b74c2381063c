"""Current points of series in PostgreSQL: their columns, and the read of a range."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import Connection

POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
"""Columns of a point, with their types."""

_RANGE = packed(
    POINT,
    "SELECT series_id, ts, value, quality, known_at FROM observation WHERE series_id = ANY($1) AND ts >= $2 AND ts <= $3",
)


async def current_points(connection: Connection, ids: Sequence[int], first: datetime, last: datetime) -> pl.DataFrame:
    """Return the current points of series from ``first`` to ``last``, both included, with the columns of ``POINT``."""
    return unpacked(POINT, await connection.fetchrow(_RANGE, ids, first, last))
