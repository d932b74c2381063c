"""Reads of what recordings added and took away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.core.as_loaded import LaterRecordings
from aurum.core.asof import Span
from aurum.storage.ports.recordings import check_recorded
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.observations.points import POINT
from aurum.storage.postgres.observations.reader import bounds
from aurum.storage.postgres.recordings.writer import SHARED_JOURNAL, Journal

_RECORDED = "SELECT min(recorded_at) AS first, max(recorded_at) AS last, clock_timestamp() AS now FROM recording"
_FILE = {"file_series": "int4", "known": "timestamptz", "first": "timestamptz", "last": "timestamptz", "is_sole": "int2"}
_LATER_FILES = packed(
    _FILE,
    """
    SELECT f.series_id AS file_series, f.known_at AS known, f.new_first_ts AS first, f.new_last_ts AS last,
           f.is_sole::int::int2 AS is_sole
    FROM file_series AS f JOIN recording AS r USING (file_id)
    WHERE f.series_id = ANY($1) AND r.recorded_at > $2
      AND (f.is_sole OR f.new_first_ts <= f.new_last_ts AND f.new_first_ts < $4 AND f.new_last_ts >= $3)
    """,
)
_UNDONE = {**POINT, "is_added": "int2"}
_LATER_UNDONE = packed(
    _UNDONE,
    """
    SELECT u.series_id, p.ts, coalesce(p.value, 0) AS value, coalesce(p.quality, 0::int2) AS quality, p.known_at,
           u.is_added::int::int2 AS is_added
    FROM observation_undo AS u JOIN recording AS r USING (recording_id),
         unnest(u.ts, u.known_at, u.value, u.quality) AS p(ts, known_at, value, quality)
    WHERE u.series_id = ANY($1) AND r.recorded_at > $2 AND p.ts >= $3 AND p.ts < $4
    ORDER BY r.recorded_at
    """,
)
_LATER = f"SELECT * FROM ({_LATER_FILES}) AS files, ({_LATER_UNDONE}) AS undone"  # noqa: S608 - constants


class PostgresUndoLog:
    """``UndoLog`` on PostgreSQL."""

    def __init__(self, pool: ReadPool, journal: Journal = SHARED_JOURNAL) -> None:
        self._pool = pool
        self._journal = journal

    async def latest(self) -> datetime:
        async with self._pool.acquire() as connection:
            # A tenant that has stored nothing has no recording: the first one will be of that instant.
            return await connection.fetchval("SELECT coalesce(max(recorded_at), '2000-01-01Z') FROM recording")

    async def require(self, instant: datetime) -> None:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_RECORDED)
            assert row is not None
            check_recorded(instant, first=row["first"], last=row["last"], now=row["now"])
            # Recordings commit in their order, so nothing can follow up to a visible one. The clock was read before the wait.
            if instant > row["last"]:
                await connection.execute(f"SELECT pg_advisory_xact_lock_shared({self._journal.lock})")

    async def later(self, series_ids: Sequence[int], *, span: Span, after: datetime) -> LaterRecordings:
        ids = sorted(set(series_ids))
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_LATER, ids, after, *bounds(span))
        files, listed = unpacked(_FILE, row).rename({"file_series": "series_id", "known": "known_at"}), unpacked(_UNDONE, row)
        is_span = pl.col("first") <= pl.col("last")
        return LaterRecordings(
            spans=files.filter(is_span).select("series_id", "first", "last"),
            sole=files.filter(pl.col("is_sole") == 1).select("series_id", "known_at"),
            undone=listed.with_columns(pl.col("is_added") == 1),
        )
