"""Restatements on PostgreSQL: the history of the points is read, moved, and written again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.core.frames import PUBLICATIONS
from aurum.core.merge import History
from aurum.core.restatement import restated
from aurum.storage.ports.restatement import Restated
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.observations.restore import restore_parts
from aurum.storage.postgres.observations.series_rows import raise_versions
from aurum.storage.postgres.observations.writer import KEY, PostgresObservationWriter
from aurum.storage.postgres.recordings.writer import PostgresRecordingWriter

_MOMENTS = {
    "series_id": "int4",
    "known_at": "timestamptz",
    "file_id": "int8",
    "first_ts": "timestamptz",
    "last_ts": "timestamptz",
}
_OF_SERIES = packed(
    _MOMENTS,
    """SELECT s.series_id, f.known_at, s.file_id, s.first_ts, s.last_ts
       FROM file_series AS s JOIN ingest_file AS f USING (file_id)
       WHERE s.series_id = ANY($1) AND f.known_at_basis = 'ingested' AND f.known_at IS NOT NULL""",
)
_LOCK = "SELECT series_id FROM series WHERE series_id = ANY($1) ORDER BY series_id FOR NO KEY UPDATE"
_UNCONFIRM = """
UPDATE observation_confirmation AS c
SET ts = ARRAY(SELECT point FROM unnest(c.ts) AS point WHERE NOT EXISTS
               (SELECT FROM touched AS t WHERE t.series_id = c.series_id AND t.ts = point))
WHERE c.series_id = ANY($1) AND c.known_at = ANY($2)
"""
_DROP_EMPTY = "DELETE FROM observation_confirmation WHERE series_id = ANY($1) AND known_at = ANY($2) AND ts = '{}'"
_ISSUE_MOVED = """
INSERT INTO issue (source, dataset, known_at, file_id, known_at_basis, scheduled_at, first_ts, last_ts, series)
SELECT source, dataset, $4, file_id, 'scheduled', $4, $5, $6, series FROM issue
WHERE source = $1 AND dataset = $2 AND known_at = $3 AND file_id = $7
ON CONFLICT (source, dataset, known_at, file_id) DO UPDATE
SET first_ts = least(issue.first_ts, excluded.first_ts), last_ts = greatest(issue.last_ts, excluded.last_ts)
"""
_DROP_ISSUE = """
DELETE FROM issue AS i WHERE source = $1 AND dataset = $2 AND known_at = $3 AND file_id = $4 AND EXISTS (
    SELECT FROM issue AS r WHERE r.source = i.source AND r.dataset = i.dataset AND r.file_id = i.file_id
    AND r.known_at_basis = 'scheduled' AND r.known_at < i.known_at)
"""


class PostgresRestater(PostgresObservationWriter):
    """``Restater`` on the connection of a transaction."""

    async def moments(self, series_ids: Sequence[int]) -> pl.DataFrame:
        return unpacked(_MOMENTS, await self._connection.fetchrow(_OF_SERIES, list(series_ids)))

    async def restate(self, moves: pl.DataFrame, *, recording_id: int) -> Restated:
        ids = moves["series_id"].unique().sort().to_list()
        await self._connection.fetch(_LOCK, ids)
        await restore_parts(self._connection, self._history(), moves.select(KEY), set(ids))
        before = await self._history_of(moves.select(KEY))
        after = await asyncio.to_thread(restated, before, moves)
        stated_before, stated_after = before.publications().unique(), after.publications().unique()
        columns = list(PUBLICATIONS)
        gone = stated_before.select(columns).join(stated_after, on=columns, how="anti", nulls_equal=True)
        added = stated_after.select(columns).join(stated_before, on=[*KEY, "known_at"], how="anti")
        if gone.is_empty():
            return Restated(0, ())
        await PostgresRecordingWriter(self._connection).record_undo(
            recording_id, added=added.select(*KEY, "known_at"), removed=gone
        )
        await self._confirm_anew(before, after, ids)
        keys = before.changes.select(KEY).unique()
        await self._put_history(keys, after)
        spans = gone.group_by("series_id").agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
        changed = await raise_versions(self._connection, spans)
        return Restated(gone.height, tuple(changed))

    async def restate_issues(self, source: str, dataset: str, moves: pl.DataFrame) -> None:
        for row in moves.iter_rows(named=True):  # rows: one an issue
            ends = (row["first_ts"], row["last_ts"], row["file_id"])
            await self._connection.execute(_ISSUE_MOVED, source, dataset, row["known_at"], row["restated_at"], *ends)

    async def drop_issues(self, source: str, dataset: str, issues: Sequence[tuple[datetime, int]]) -> None:
        await self._connection.executemany(_DROP_ISSUE, [(source, dataset, *issue) for issue in issues])

    async def _confirm_anew(self, before: History, after: History, ids: Sequence[int]) -> None:
        times = before.confirmations["known_at"].unique().to_list()
        if times:
            await self._connection.execute(_UNCONFIRM, ids, times)
            await self._connection.execute(_DROP_EMPTY, ids, times)
        await self._confirm(after.confirmations)

    async def _put_history(self, keys: pl.DataFrame, after: History) -> None:
        """Write the changes of points in place of the stored ones."""
        current = after.changes.filter(pl.col("superseded_at").is_null()).drop("superseded_at")
        await self._put_versions(keys, after.changes.filter(pl.col("superseded_at").is_not_null()))
        await self._replace(current.select(list(PUBLICATIONS)))
