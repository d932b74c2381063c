"""Reads of where a number came from, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime

import polars as pl
from asyncpg import Record

from aurum.core.curves.quotes import FIELDS
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.lineage import FileMention, QuoteRecords, RecordedQuote, Touch
from aurum.storage.ports.recordings import RecordingAction
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.curves.archived import publications_of
from aurum.storage.postgres.files.log import FILE, file_entry

_RECORDED = "(${0}::timestamptz IS NULL OR r.recorded_at <= ${0})"
# Known times are compared before the points: of a series whose files all begin at its start, most are known too early.
_MENTIONS = f"""
SELECT {FILE}, r.recorded_at, s.known_at AS said_at, s.is_scheduled, s.is_sole,
       coalesce($2 BETWEEN s.new_first_ts AND s.new_last_ts, false) AS is_new
FROM file_series AS s JOIN ingest_file AS f USING (file_id) LEFT JOIN recording AS r USING (file_id)
WHERE s.series_id = $1 AND s.first_ts <= $2 AND s.last_ts >= $2 AND s.known_at >= $3 AND {_RECORDED.format(4)}
ORDER BY is_new DESC, s.known_at, f.file_id LIMIT $5
"""  # noqa: S608 - constants
_TOUCHES = """
SELECT u.recording_id, r.recorded_at, r.action, r.file_id, u.is_added, p.known_at, p.value
FROM observation_undo AS u JOIN recording AS r USING (recording_id),
     unnest(u.ts, u.known_at, u.value) AS p(ts, known_at, value)
WHERE u.series_id = $1 AND $2 = ANY(u.ts) AND p.ts = $2 AND ($3::timestamptz IS NULL OR r.recorded_at <= $3)
ORDER BY r.recorded_at, u.is_added
"""
_OF_QUOTE = "q.curve_id = $1 AND q.trade_date = $2 AND q.delivery_start = $3 AND q.delivery_end = $4 AND q.known_at = $5"
_CONTENT = ", ".join(f"q.{name}" for name in FIELDS)
_WITH_FILE = f"recording AS r USING (recording_id) LEFT JOIN ingest_file AS f USING (file_id) WHERE {_RECORDED.format(6)}"
_NO_CONTENT = ", ".join(f"NULL::float8 AS {name}" for name in FIELDS)
# One statement: each of its own would cost two round trips.
_QUOTE = f"""
(SELECT false AS is_mention, p.*, NULL::bool AS is_scheduled, r.recorded_at, f.file_id AS has_file, {FILE}
 FROM (SELECT q.known_at AS said_at, q.recording_id, {_CONTENT} FROM quote AS q WHERE {_OF_QUOTE}
       UNION
       SELECT q.known_at, q.recording_id, {_CONTENT} FROM quote_publication AS q WHERE {_OF_QUOTE}) AS p
 JOIN {_WITH_FILE})
UNION ALL
(SELECT true, s.known_at, r.recording_id, {_NO_CONTENT}, s.is_scheduled, r.recorded_at, f.file_id, {FILE}
 FROM file_curve AS s JOIN ingest_file AS f USING (file_id) LEFT JOIN recording AS r USING (file_id)
 WHERE s.curve_id = $1 AND s.first_trade_date <= $2 AND s.last_trade_date >= $2 AND s.known_at >= $5 AND {_RECORDED.format(6)}
 ORDER BY s.known_at, f.file_id LIMIT $7)
"""  # noqa: S608 - constants
_RECORDINGS = f"""
SELECT r.recording_id, r.recorded_at, f.file_id AS has_file, {FILE}
FROM recording AS r LEFT JOIN ingest_file AS f USING (file_id)
WHERE r.recording_id = ANY($1) AND ($2::timestamptz IS NULL OR r.recorded_at <= $2)
"""  # noqa: S608 - constants


class PostgresLineageReader:
    """``LineageReader`` of the rows that the connections of a pool see.

    ``history``: returns the history store, which archived publications of quotes are read from; None: none is archived.
    """

    def __init__(self, pool: ReadPool, history: Callable[[], HistoryStore | None] | None = None) -> None:
        self._pool = pool
        self._history = history

    async def mentions(
        self, series_id: int, ts: datetime, *, known_at: datetime, as_loaded: datetime | None = None, limit: int
    ) -> Sequence[FileMention]:
        async with self._pool.acquire() as connection:
            return list(map(_mention, await connection.fetch(_MENTIONS, series_id, ts, known_at, as_loaded, limit)))

    async def touches(self, series_id: int, ts: datetime, *, as_loaded: datetime | None = None) -> Sequence[Touch]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_TOUCHES, series_id, ts, as_loaded)
        return [
            Touch(
                row["recording_id"],
                row["recorded_at"],
                RecordingAction(row["action"]),
                row["file_id"],
                row["is_added"],
                row["known_at"],
                None if row["is_added"] else row["value"],
            )
            for row in rows
        ]

    async def quote_records(
        self,
        curve_id: int,
        trade_date: date,
        delivery: tuple[date, date],
        *,
        known_at: datetime,
        as_loaded: datetime | None = None,
        limit: int,
    ) -> QuoteRecords:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_QUOTE, curve_id, trade_date, *delivery, known_at, as_loaded, limit)
        publications = [
            RecordedQuote(
                row["said_at"],
                tuple(row[name] for name in FIELDS),
                row["recorded_at"],
                None if row["has_file"] is None else file_entry(row),
            )
            for row in rows
            if not row["is_mention"]
        ]
        if not publications and self._history is not None:
            archived = await publications_of(self._pool, self._history, curve_id, trade_date)
            publications = await self._recorded(archived.filter(*_is_quote(delivery, trade_date, known_at)), as_loaded)
        mentions = [
            FileMention(file_entry(row), row["recorded_at"], row["said_at"], row["is_scheduled"])
            for row in rows
            if row["is_mention"]
        ]
        return QuoteRecords(
            sorted(publications, key=lambda one: one.recorded_at),
            sorted(mentions, key=lambda one: (one.known_at, one.file.file_id)),
        )

    async def _recorded(self, archived: pl.DataFrame, as_loaded: datetime | None) -> list[RecordedQuote]:
        """Return archived publications of one quote with their recordings."""
        if archived.is_empty():
            return []
        ids: list[int] = archived["recording_id"].unique().to_list()
        async with self._pool.acquire() as connection:
            rows = {row["recording_id"]: row for row in await connection.fetch(_RECORDINGS, ids, as_loaded)}
        publications = await asyncio.to_thread(archived.select("known_at", "recording_id", *FIELDS).rows)
        return [
            RecordedQuote(known_at, tuple(content), row["recorded_at"], None if row["has_file"] is None else file_entry(row))
            for known_at, recording_id, *content in publications
            if (row := rows.get(recording_id)) is not None
        ]


def _is_quote(delivery: tuple[date, date], trade_date: date, known_at: datetime) -> list[pl.Expr]:
    return [
        pl.col("delivery_start") == delivery[0],
        pl.col("delivery_end") == delivery[1],
        pl.col("trade_date") == trade_date,
        pl.col("known_at") == known_at,
    ]


def _mention(row: Record) -> FileMention:
    return FileMention(
        file_entry(row), row["recorded_at"], row["said_at"], row["is_scheduled"], is_new=row["is_new"], is_sole=row["is_sole"]
    )
