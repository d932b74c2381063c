"""Alerts on PostgreSQL, and the facts that a check of all datasets needs, each by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby

import asyncpg

from aurum.core.alerts.alert import Alert, AlertKind, AlertState, Subject
from aurum.storage.ports.alerts import AlertFilter, DayGaps, LoadedFile, UnknownAlert
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_COLUMNS = (
    "alert_id, source, dataset, kind, day, state, summary, facts, opened_at, seen_at, clear_checks, acknowledged_at, "
    "acknowledged_by, resolved_at, resolved_by"
)
_READ = f"SELECT {_COLUMNS} FROM alert WHERE alert_id = $1"  # noqa: S608 - constants
_PAGE = f"""
SELECT {_COLUMNS} FROM alert
WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR dataset = $2) AND ($3::text IS NULL OR kind = $3)
  AND ($4::text[] IS NULL OR state = ANY($4)) AND ($5::timestamptz IS NULL OR (opened_at, alert_id) < ($5, $6::text))
ORDER BY opened_at DESC, alert_id DESC LIMIT $7
"""  # noqa: S608 - constants
# The newest files of each dataset by its index, not by a sort of all files.
_LAST_FILES = """
SELECT d.source, d.name AS dataset, f.loaded_at, f.known_at, f.rows_read,
       (SELECT count(*) FROM file_series AS s WHERE s.file_id = f.file_id) AS series
FROM dataset AS d CROSS JOIN LATERAL (
    SELECT file_id, loaded_at, known_at, rows_read FROM ingest_file AS i
    WHERE i.source = d.source AND i.dataset = d.name AND i.status = 'applied' ORDER BY file_id DESC LIMIT $1
) AS f
ORDER BY d.source COLLATE "C", d.name COLLATE "C", f.loaded_at DESC
"""
_GAPS = """
SELECT s.source, s.dataset, c.day, count(*) FILTER (WHERE c.present < c.expected) AS series,
       coalesce(sum(c.expected - c.present) FILTER (WHERE c.present < c.expected), 0)::bigint AS missing,
       sum(c.expected)::bigint AS expected
FROM completeness AS c JOIN series AS s USING (series_id)
WHERE c.day >= $1 AND c.day < $2
GROUP BY s.source, s.dataset, c.day
HAVING bool_or(c.present < c.expected)
ORDER BY s.source COLLATE "C", s.dataset COLLATE "C", c.day
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aurum alerts', 0))"
_ABOUT = f"""
SELECT {_COLUMNS} FROM alert
WHERE state <> 'resolved'
   OR (source, dataset, kind, day) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[]))
ORDER BY opened_at, alert_id FOR UPDATE
"""  # noqa: S608 - constants
_PUT = f"""
INSERT INTO alert ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, summary = excluded.summary, facts = excluded.facts,
    seen_at = excluded.seen_at, clear_checks = excluded.clear_checks, acknowledged_at = excluded.acknowledged_at,
    acknowledged_by = excluded.acknowledged_by, resolved_at = excluded.resolved_at, resolved_by = excluded.resolved_by
"""  # noqa: S608 - constants


class PostgresAlertLog:
    """``AlertLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def alert(self, alert_id: str) -> Alert:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_READ, alert_id)
        if row is None:
            raise UnknownAlert(alert_id)
        return _alert(row)

    async def page(self, wanted: AlertFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Alert]:
        at, alert_id = before or (None, None)
        states = [str(state) for state in wanted.states] or None
        arguments = (wanted.source, wanted.dataset, wanted.kind, states, at, alert_id, limit)
        async with self._pool.acquire() as connection:
            return [_alert(row) for row in await connection.fetch(_PAGE, *arguments)]

    async def last_files(self, *, each: int) -> Mapping[tuple[str, str], Sequence[LoadedFile]]:
        async with self._pool.acquire() as connection:
            files = [LoadedFile(*row) for row in await connection.fetch(_LAST_FILES, each)]
        return {name: list(group) for name, group in groupby(files, key=lambda file: (file.source, file.dataset))}

    async def gaps(self, *, start: date, end: date) -> Sequence[DayGaps]:
        async with self._pool.acquire() as connection:
            return [DayGaps(*row) for row in await connection.fetch(_GAPS, start, end)]


class PostgresAlertWriter:
    """``AlertWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        await self._connection.execute(_LOCK)

    async def about(self, subjects: Sequence[Subject]) -> Sequence[Alert]:
        columns = zip(*((one.source, one.dataset, str(one.kind), one.day) for one in subjects), strict=True)
        arguments = [list(column) for column in columns] or [[], [], [], []]
        return [_alert(row) for row in await self._connection.fetch(_ABOUT, *arguments)]

    async def alert(self, alert_id: str) -> Alert:
        row = await self._connection.fetchrow(f"{_READ} FOR UPDATE", alert_id)
        if row is None:
            raise UnknownAlert(alert_id)
        return _alert(row)

    async def put(self, alerts: Sequence[Alert]) -> None:
        await self._connection.executemany(_PUT, [_values(alert) for alert in alerts])


def _values(alert: Alert) -> tuple[object, ...]:
    subject = alert.subject
    return (
        alert.alert_id,
        subject.source,
        subject.dataset,
        str(subject.kind),
        subject.day,
        str(alert.state),
        alert.summary,
        dict(alert.facts),
        alert.opened_at,
        alert.seen_at,
        alert.clear_checks,
        alert.acknowledged_at,
        alert.acknowledged_by,
        alert.resolved_at,
        alert.resolved_by,
    )


def _alert(row: asyncpg.Record) -> Alert:
    return Alert(
        alert_id=row["alert_id"],
        subject=Subject(row["source"], row["dataset"], AlertKind(row["kind"]), row["day"]),
        state=AlertState(row["state"]),
        summary=row["summary"],
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        facts=row["facts"],
        clear_checks=row["clear_checks"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
    )
