"""Writes of recordings. Their instants and positions follow the order of commits, because ``seal`` holds a lock until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.storage.ports.recordings import DatasetChange, NewIssue, RecordingAction
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.recordings.undo import write_undo

COMMIT_LOCK = 0x41554352  # "AUCR"
"""Advisory lock of transactions that record shared observations, from their last statement to their commit."""

_BEGIN = "SELECT nextval(pg_get_serial_sequence('recording', 'recording_id'))"
# A statement of its own: one that waits for the lock has the snapshot of its start. The clock of the server may be set back.
_SEAL = """
WITH sealed AS (
    INSERT INTO recording (recording_id, recorded_at, action, file_id)
    SELECT $1, greatest(clock_timestamp(), max(recorded_at) + interval '1 microsecond'), $2, $3 FROM recording
    RETURNING recorded_at
), changed AS (
    INSERT INTO change (recording_id, recorded_at, action, file_id, source, dataset, known_at, known_at_basis, series, new,
                        revised, first_ts, last_ts)
    SELECT $1, sealed.recorded_at, $2, $3, source, dataset, known_at, basis, series, new, revised, first_ts, last_ts
    FROM sealed, unnest($4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::int[], $9::bigint[], $10::bigint[],
                        $11::timestamptz[], $12::timestamptz[])
         AS c(source, dataset, known_at, basis, series, new, revised, first_ts, last_ts)
    RETURNING position
)
"""
_ANNOUNCED = "SELECT pg_notify('aurum_changes', 'recorded:' || max(position)) FROM changed"
_SILENT = "SELECT max(position) FROM changed"
_ISSUES_AT = """
SELECT DISTINCT known_at FROM issue WHERE source = $1 AND dataset = $2 AND scheduled_at = $3 ORDER BY known_at
"""
_RECORD_ISSUE = """
INSERT INTO issue (source, dataset, known_at, file_id, known_at_basis, scheduled_at, first_ts, last_ts, series)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (source, dataset, known_at, file_id) DO UPDATE
SET first_ts = least(issue.first_ts, excluded.first_ts), last_ts = greatest(issue.last_ts, excluded.last_ts),
    series = issue.series + excluded.series
"""


@dataclass(frozen=True, slots=True)
class Journal:
    """How recordings are put into the order of their commits, and whether the change feed is told of them.

    ``lock``: SQL of the number of the advisory lock that a transaction holds from its last statement to its commit.
    """

    lock: str
    is_announced: bool


SHARED_JOURNAL = Journal(str(COMMIT_LOCK), is_announced=True)
"""The recordings of what all tenants share."""


class PostgresRecordingWriter:
    """``RecordingWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection, journal: Journal = SHARED_JOURNAL) -> None:
        self._connection = connection
        self._journal = journal

    async def begin(self) -> int:
        return await self._connection.fetchval(_BEGIN)

    async def issues_at(self, source: str, dataset: str, scheduled_at: datetime) -> Sequence[datetime]:
        return [row["known_at"] for row in await self._connection.fetch(_ISSUES_AT, source, dataset, scheduled_at)]

    async def record_issues(self, file_id: int, issues: Sequence[NewIssue]) -> None:
        if issues:
            await self._connection.executemany(_RECORD_ISSUE, [_issue_row(file_id, issue) for issue in issues])

    async def record_undo(self, recording_id: int, *, added: pl.DataFrame, removed: pl.DataFrame) -> None:
        await write_undo(self._connection, recording_id, added, removed)

    async def seal(
        self, recording_id: int, action: RecordingAction, changes: Sequence[DatasetChange], *, file_id: int | None = None
    ) -> None:
        await self._connection.execute(f"SELECT pg_advisory_xact_lock({self._journal.lock})")
        await self._connection.execute(
            _SEAL + (_ANNOUNCED if self._journal.is_announced else _SILENT),
            recording_id,
            action,
            file_id,
            [one.source for one in changes],
            [one.dataset for one in changes],
            [one.known_at for one in changes],
            [one.basis for one in changes],
            [one.series for one in changes],
            [one.new for one in changes],
            [one.revised for one in changes],
            [one.first_ts for one in changes],
            [one.last_ts for one in changes],
        )


def _issue_row(file_id: int, issue: NewIssue) -> tuple[object, ...]:
    return (
        issue.source,
        issue.dataset,
        issue.known_at,
        file_id,
        issue.basis,
        issue.scheduled_at,
        issue.first_ts,
        issue.last_ts,
        issue.series,
    )
