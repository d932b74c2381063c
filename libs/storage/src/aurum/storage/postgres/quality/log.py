"""Reads of quarantined rows and of completeness on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache
from typing import Any, TypeAlias

from asyncpg import Record
from sqlalchemy import Select, bindparam, select, tuple_

from aurum.core.catalog.entries import Completeness, DatasetQuality, QuarantinedRow
from aurum.core.errors import NotFound
from aurum.storage.ports.quality import CompletenessFilter, QuarantineFilter
from aurum.storage.postgres import tables
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.connection.statements import Statement, compiled, filter_names, matching

Query: TypeAlias = Select[*tuple[Any, ...]]

_series = tables.series.c
_file = tables.ingest_file.c
_quarantine = tables.quarantine.c
_day = tables.completeness.c

# One statement, so that all counts come from one snapshot.
_DATASETS_QUALITY = """
WITH stored AS (
    SELECT source, dataset, count(*) AS series, max(last_ts) AS newest_ts, max(updated_at) AS updated_at
    FROM series WHERE $1::text IS NULL OR source = $1 GROUP BY source, dataset
), gaps AS (
    SELECT s.source, s.dataset, count(*) AS days, sum(c.expected - c.present)::bigint AS missing
    FROM completeness AS c JOIN series AS s USING (series_id)
    WHERE c.present < c.expected AND ($1::text IS NULL OR s.source = $1) GROUP BY s.source, s.dataset
), held AS (
    SELECT source, dataset, jsonb_object_agg(reason, rows) AS reasons, sum(rows)::bigint AS rows FROM (
        SELECT f.source, f.dataset, q.reason, count(*) AS rows
        FROM quarantine AS q JOIN ingest_file AS f USING (file_id)
        WHERE q.replayed_at IS NULL AND ($1::text IS NULL OR f.source = $1) GROUP BY f.source, f.dataset, q.reason
    ) AS counted GROUP BY source, dataset
), refused AS (
    SELECT source, dataset, count(*) AS files FROM ingest_file
    WHERE status = 'refused' AND ($1::text IS NULL OR source = $1) GROUP BY source, dataset
), names AS (
    SELECT source, dataset FROM stored UNION SELECT source, dataset FROM held UNION SELECT source, dataset FROM refused
)
SELECT names.source, names.dataset, coalesce(stored.series, 0) AS series, stored.newest_ts, stored.updated_at,
       coalesce(gaps.days, 0) AS days, coalesce(gaps.missing, 0) AS missing, held.reasons, coalesce(held.rows, 0) AS held,
       coalesce(refused.files, 0) AS refused, d.freshness_hours
FROM names LEFT JOIN stored USING (source, dataset) LEFT JOIN gaps USING (source, dataset)
     LEFT JOIN held USING (source, dataset) LEFT JOIN refused USING (source, dataset)
     LEFT JOIN dataset AS d ON d.source = names.source AND d.name = names.dataset
ORDER BY names.source COLLATE "C", names.dataset COLLATE "C"
"""

# Two look-ups in the key for each series: a search over all of them would read every day.
_DAYS_AROUND = """
SELECT max(before.day) AS before, min(after.day) AS after
FROM unnest($1::int[]) AS wanted(series_id)
     LEFT JOIN LATERAL (SELECT day FROM completeness AS c WHERE c.series_id = wanted.series_id AND c.day < $2 AND c.present > 0
                        ORDER BY c.day DESC LIMIT 1) AS before ON true
     LEFT JOIN LATERAL (SELECT day FROM completeness AS c WHERE c.series_id = wanted.series_id AND c.day > $2 AND c.present > 0
                        ORDER BY c.day LIMIT 1) AS after ON true
"""


class UnknownQuarantinedRow(NotFound):
    """Quarantine never had a row with this id. Facts: ``row_id``."""


class PostgresQualityLog:
    """``QualityLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        async with self._pool.acquire() as connection:
            return [_quality(row, now) for row in await connection.fetch(_DATASETS_QUALITY, source)]

    async def completeness_page(
        self, criteria: CompletenessFilter, *, after: tuple[str, date] | None, limit: int
    ) -> Sequence[Completeness]:
        key, day = after or (None, None)
        values = asdict(criteria) | {"only_incomplete": criteria.only_incomplete or None, "after_key": key, "after_day": day}
        async with self._pool.acquire() as connection:
            rows = await _completeness_page(filter_names(values)).fetch(connection, **values, limit=limit)
        return [Completeness(*row) for row in rows]

    async def days_around(self, series_ids: Sequence[int], day: date) -> tuple[date | None, date | None]:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_DAYS_AROUND, sorted(set(series_ids)), day)
        return (row["before"], row["after"]) if row is not None else (None, None)

    async def quarantine_page(
        self, criteria: QuarantineFilter, *, after: int | None = None, limit: int
    ) -> Sequence[QuarantinedRow]:
        values = asdict(criteria) | {"pending_only": criteria.pending_only or None, "after": after}
        async with self._pool.acquire() as connection:
            rows = await _quarantine_page(filter_names(values)).fetch(connection, **values, limit=limit)
        return [QuarantinedRow(*row) for row in rows]

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        async with self._pool.acquire() as connection:
            rows = await _quarantined_row().fetch(connection, row_id=row_id)
        if not rows:
            raise UnknownQuarantinedRow(f"quarantine has no row {row_id}", row_id=row_id)
        return QuarantinedRow(*rows[0])


@cache
def _completeness_page(filters: tuple[str, ...]) -> Statement:
    query: Query = (
        select(_series.key, _day.day, _day.expected, _day.present)
        .join_from(tables.completeness, tables.series, _series.series_id == _day.series_id)
        .order_by(_series.key, _day.day)
        .limit(bindparam("limit"))
    )
    conditions = {
        "key": matching(_series.key),
        "source": matching(_series.source),
        "dataset": matching(_series.dataset),
        "start": _day.day >= bindparam("start"),
        "end": _day.day < bindparam("end"),
        "only_incomplete": _day.present < _day.expected,
        "after_key": tuple_(_series.key, _day.day) > tuple_(bindparam("after_key"), bindparam("after_day")),
    }
    return compiled(query.where(*(condition for name, condition in conditions.items() if name in filters)))


@cache
def _quarantine_page(filters: tuple[str, ...]) -> Statement:
    conditions = {
        "source": matching(_file.source),
        "dataset": matching(_file.dataset),
        "reason": matching(_quarantine.reason),
        "digest": matching(_file.digest),
        "pending_only": _quarantine.replayed_at.is_(None),
        "after": _quarantine.row_id > bindparam("after"),
    }
    query = _quarantined_rows().order_by(_quarantine.row_id).limit(bindparam("limit"))
    return compiled(query.where(*(condition for name, condition in conditions.items() if name in filters)))


@cache
def _quarantined_row() -> Statement:
    return compiled(_quarantined_rows().where(matching(_quarantine.row_id)))


def _quarantined_rows() -> Query:
    return select(
        _quarantine.row_id,
        _quarantine.file_id,
        _file.name,
        _file.digest,
        _file.source,
        _file.dataset,
        _quarantine.line,
        _quarantine.column,
        _quarantine.raw,
        _quarantine.reason,
        _quarantine.detail,
        _quarantine.created_at,
        _quarantine.replayed_at,
    ).join_from(tables.quarantine, tables.ingest_file, _file.file_id == _quarantine.file_id)


def _quality(row: Record, now: datetime) -> DatasetQuality:
    newest: datetime | None = row["newest_ts"]
    limit: float | None = row["freshness_hours"]
    age = (now - newest).total_seconds() / 3600 if newest is not None else None
    return DatasetQuality(
        source=row["source"],
        dataset=row["dataset"],
        series=row["series"],
        newest_ts=newest,
        last_loaded_at=row["updated_at"],
        age_hours=age,
        stale=None if age is None or limit is None else age > limit,
        incomplete_days=row["days"],
        missing_intervals=row["missing"],
        quarantined=row["held"],
        refused_files=row["refused"],
        reasons=row["reasons"] or {},
    )
