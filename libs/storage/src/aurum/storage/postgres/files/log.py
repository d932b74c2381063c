"""Reads of file records on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache
from typing import Any

import polars as pl
from asyncpg import Record
from sqlalchemy import bindparam, select

from aurum.core.catalog.entries import FileEntry, FileStatus, KnownAtBasis, QuoteFlag, UnitJump
from aurum.core.frames import BASES
from aurum.storage.ports.files import FileFilter
from aurum.storage.postgres import tables
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.connection.statements import Statement, compiled, filter_names, matching

# Columns are named, so that a prepared statement stays valid when a migration adds a column.
FILE = """f.file_id, f.digest, f.name, f.source, f.dataset, f.status, f.reason, f.known_at, f.known_at_basis, f.rows_read,
    f.new, f.revised, f.unchanged, f.quarantined, f.seconds, f.loaded_at, f.suspect_series, f.unit_jumps, f.flagged_curves,
    f.quote_flags, f.size, f.format, f.parser_version, f.release, f.archive, f.sent_by"""
"""The columns of a row of ``ingest_file AS f``, for ``file_entry``."""
APPLIED = f"SELECT {FILE} FROM ingest_file AS f WHERE f.digest = $1 AND f.status = 'applied' ORDER BY f.file_id"  # noqa: S608

_BASES = """
SELECT DISTINCT ON (series_id, known_at) series_id, known_at, basis
FROM (
    SELECT s.series_id, s.known_at, f.known_at_basis AS basis FROM file_series AS s JOIN ingest_file AS f USING (file_id)
    WHERE s.series_id = ANY($1) AND s.known_at BETWEEN $2 AND $3 AND NOT s.is_scheduled
    UNION ALL
    SELECT s.series_id, i.known_at, i.known_at_basis FROM issue AS i JOIN file_series AS s USING (file_id)
    WHERE s.series_id = ANY($1) AND i.known_at BETWEEN $2 AND $3
) AS of_files
WHERE basis <> 'scheduled'
ORDER BY series_id, known_at, array_position(ARRAY['published', 'stated', 'ingested'], basis)
"""

READ_BY = ("format", "parser_version", "release", "archive", "sent_by")
"""The columns about how a file was read, null where that was not recorded."""
_DAYS = ("trade_date", "delivery_start", "delivery_end")
_file = tables.ingest_file.c


class PostgresFileLog:
    """``FileLog`` on PostgreSQL."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def files_page(self, criteria: FileFilter, *, before: int | None, limit: int) -> Sequence[FileEntry]:
        values = asdict(criteria) | {"before": before}
        async with self._pool.acquire() as connection:
            rows = await _files_page(filter_names(values)).fetch(connection, **values, limit=limit)
        return [file_entry(row) for row in rows]

    async def files_of(self, digest: str) -> Sequence[FileEntry]:
        async with self._pool.acquire() as connection:
            return [file_entry(row) for row in await _files_of().fetch(connection, digest=digest)]

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        async with self._pool.acquire() as connection:
            return [file_entry(row) for row in await connection.fetch(APPLIED, digest)]

    async def bases(self, series_ids: Sequence[int], *, first: datetime, last: datetime) -> pl.DataFrame:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_BASES, list(series_ids), first, last)
        return pl.DataFrame([tuple(row) for row in rows], schema=BASES, orient="row")


@cache
def _files_page(filters: tuple[str, ...]) -> Statement:
    query = select(tables.ingest_file).order_by(_file.file_id.desc()).limit(bindparam("limit"))
    for name in ("status", "source", "dataset"):
        if name in filters:
            query = query.where(matching(_file[name]))
    if "since" in filters:
        query = query.where(_file.loaded_at >= bindparam("since"))
    if "before" in filters:
        query = query.where(_file.file_id < bindparam("before"))
    return compiled(query)


@cache
def _files_of() -> Statement:
    return compiled(select(tables.ingest_file).where(matching(_file.digest)).order_by(_file.file_id))


def file_entry(row: Record) -> FileEntry:
    """Return the entry of a row of ``ingest_file``."""
    return FileEntry(
        file_id=row["file_id"],
        digest=row["digest"],
        name=row["name"],
        source=row["source"],
        dataset=row["dataset"],
        status=FileStatus(row["status"]),
        reason=row["reason"],
        known_at=row["known_at"],
        known_at_basis=KnownAtBasis(row["known_at_basis"]),
        rows_read=row["rows_read"],
        new=row["new"],
        revised=row["revised"],
        unchanged=row["unchanged"],
        quarantined=row["quarantined"],
        seconds=row["seconds"],
        loaded_at=row["loaded_at"],
        suspect_series=row["suspect_series"],
        unit_jumps=tuple(UnitJump(**jump) for jump in row["unit_jumps"]),
        flagged_curves=row["flagged_curves"],
        quote_flags=tuple(_flag(document) for document in row["quote_flags"]),
        size=row["size"],
        **{name: row[name] or "" for name in READ_BY},
    )


def _flag(document: Mapping[str, Any]) -> QuoteFlag:
    days: dict[str, Any] = {name: date.fromisoformat(document[name]) for name in _DAYS if document[name] is not None}
    return QuoteFlag(**{**document, **days})
