"""Reads what was loaded, held back and found missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, func, select, tuple_

from aurum.core.catalog.entries import (
    Completeness,
    DatasetQuality,
    FileEntry,
    FileStatus,
    KnownAtBasis,
    QuarantinedRow,
)
from aurum.core.errors import NotFound
from aurum.storage.postgres import tables
from aurum.storage.postgres.pool import PostgresPool

Query: TypeAlias = Select[*tuple[Any, ...]]

_series = tables.series.c
_file = tables.ingest_file.c
_held = tables.quarantine.c
_day = tables.completeness.c


class UnknownQuarantinedRow(NotFound):
    """No row of that number is, or ever was, in quarantine. Facts: ``row_id``."""


class PostgresQualityLog:
    """``QualityLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def datasets_quality(self, *, now: datetime, source: str | None = None) -> Sequence[DatasetQuality]:
        place = (_series.source, _series.dataset)
        series = {
            (row.source, row.dataset): row
            for row in await self._rows(
                select(
                    *place,
                    func.count().label("series"),
                    func.max(_series.last_ts).label("newest_ts"),
                    func.max(_series.updated_at).label("updated_at"),
                ).group_by(*place)
            )
        }
        gaps = {
            (row.source, row.dataset): row
            for row in await self._rows(
                select(*place, func.count().label("days"), func.sum(_day.expected - _day.present).label("missing"))
                .join_from(tables.completeness, tables.series, _series.series_id == _day.series_id)
                .where(_day.present < _day.expected)
                .group_by(*place)
            )
        }
        reasons: dict[tuple[str, str], dict[str, int]] = {}
        held = (
            select(_file.source, _file.dataset, _held.reason, func.count().label("count"))
            .join_from(tables.quarantine, tables.ingest_file, _file.file_id == _held.file_id)
            .where(_held.replayed_at.is_(None))
            .group_by(_file.source, _file.dataset, _held.reason)
        )
        for row in await self._rows(held):
            reasons.setdefault((row.source, row.dataset), {})[row.reason] = row[3]
        refused = {
            (row.source, row.dataset): row[2]
            for row in await self._rows(
                select(_file.source, _file.dataset, func.count())
                .where(_file.status == FileStatus.REFUSED)
                .group_by(_file.source, _file.dataset)
            )
        }
        declared = tables.dataset.c
        limits = {
            (row.source, row.name): row.freshness_hours
            for row in await self._rows(select(declared.source, declared.name, declared.freshness_hours))
        }
        answer: list[DatasetQuality] = []
        for name in sorted({*series, *reasons, *refused}):
            if source is not None and name[0] != source:
                continue
            stored, gap, limit = series.get(name), gaps.get(name), limits.get(name)
            newest: datetime | None = stored.newest_ts if stored else None
            age = (now - newest).total_seconds() / 3600 if newest else None
            answer.append(
                DatasetQuality(
                    source=name[0],
                    dataset=name[1],
                    series=stored.series if stored else 0,
                    newest_ts=newest,
                    last_loaded_at=stored.updated_at if stored else None,
                    age_hours=age,
                    stale=None if age is None or limit is None else age > limit,
                    incomplete_days=gap.days if gap else 0,
                    missing_intervals=int(gap.missing) if gap else 0,
                    quarantined=sum(reasons.get(name, {}).values()),
                    refused_files=refused.get(name, 0),
                    reasons=reasons.get(name, {}),
                )
            )
        return answer

    async def completeness_page(
        self,
        *,
        key: str | None,
        source: str | None,
        dataset: str | None,
        start: date | None,
        end: date | None,
        only_incomplete: bool,
        after: tuple[str, date] | None,
        limit: int,
    ) -> Sequence[Completeness]:
        query = (
            select(_series.key, _day.day, _day.expected, _day.present)
            .join_from(tables.completeness, tables.series, _series.series_id == _day.series_id)
            .order_by(_series.key, _day.day)
            .limit(limit)
        )
        for column, wanted in ((_series.key, key), (_series.source, source), (_series.dataset, dataset)):
            if wanted is not None:
                query = query.where(column == wanted)
        if start is not None:
            query = query.where(_day.day >= start)
        if end is not None:
            query = query.where(_day.day < end)
        if only_incomplete:
            query = query.where(_day.present < _day.expected)
        if after is not None:
            query = query.where(tuple_(_series.key, _day.day) > tuple_(*after))
        return [Completeness(*row) for row in await self._rows(query)]

    async def files_page(
        self,
        *,
        status: str | None,
        source: str | None = None,
        dataset: str | None = None,
        since: datetime | None = None,
        before: int | None,
        limit: int,
    ) -> Sequence[FileEntry]:
        query = select(tables.ingest_file).order_by(_file.file_id.desc()).limit(limit)
        for column, wanted in ((_file.status, status), (_file.source, source), (_file.dataset, dataset)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(_file.loaded_at >= since)
        if before is not None:
            query = query.where(_file.file_id < before)
        return [_to_file(row) for row in await self._rows(query)]

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        query = select(tables.ingest_file).where(_file.digest == digest).order_by(_file.file_id)
        return [_to_file(row) for row in await self._rows(query)]

    async def quarantine_page(
        self,
        *,
        source: str | None = None,
        dataset: str | None = None,
        reason: str | None = None,
        digest: str | None = None,
        pending_only: bool = True,
        after: int | None = None,
        limit: int,
    ) -> Sequence[QuarantinedRow]:
        query = _held_rows().order_by(_held.row_id).limit(limit)
        for column, wanted in (
            (_file.source, source),
            (_file.dataset, dataset),
            (_held.reason, reason),
            (_file.digest, digest),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if pending_only:
            query = query.where(_held.replayed_at.is_(None))
        if after is not None:
            query = query.where(_held.row_id > after)
        return [QuarantinedRow(*row) for row in await self._rows(query)]

    async def quarantined_row(self, row_id: int) -> QuarantinedRow:
        rows = await self._rows(_held_rows().where(_held.row_id == row_id))
        if not rows:
            raise UnknownQuarantinedRow(f"no row {row_id} in quarantine", row_id=row_id)
        return QuarantinedRow(*rows[0])

    async def _rows(self, query: Query) -> Sequence[Row[*tuple[Any, ...]]]:
        async with self._pool.catalog() as connection:
            return (await connection.execute(query)).all()


def _held_rows() -> Query:
    return select(
        _held.row_id,
        _held.file_id,
        _file.name,
        _file.digest,
        _file.source,
        _file.dataset,
        _held.line,
        _held.column,
        _held.raw,
        _held.reason,
        _held.detail,
        _held.created_at,
        _held.replayed_at,
    ).join_from(tables.quarantine, tables.ingest_file, _file.file_id == _held.file_id)


def _to_file(row: Row[*tuple[Any, ...]]) -> FileEntry:
    return FileEntry(
        file_id=row.file_id,
        digest=row.digest,
        name=row.name,
        source=row.source,
        dataset=row.dataset,
        status=FileStatus(row.status),
        reason=row.reason,
        known_at=row.known_at,
        known_at_basis=KnownAtBasis(row.known_at_basis),
        rows_read=row.rows_read,
        new=row.new,
        revised=row.revised,
        unchanged=row.unchanged,
        quarantined=row.quarantined,
        seconds=row.seconds,
        loaded_at=row.loaded_at,
    )
