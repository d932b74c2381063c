"""Reads of the list of changes on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import TypeAlias

from asyncpg import Record

from aurum.core.catalog.entries import KnownAtBasis
from aurum.storage.ports.recordings import (
    MOST_MATCHED_KEYS,
    ChangeBounds,
    ChangedSeries,
    ChangeEntry,
    ChangeFilter,
    ChangePage,
    ChangePosition,
    DatasetChange,
    RecordingAction,
    SeriesMatch,
)
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.series_patterns import datasets_of, is_pattern, like

_SCANNED = 1_000
"""Most entries that are looked through for series in one read."""
_SCANNED_SERIES = 200_000
"""Most series of these entries, except that one entry is always looked through."""

_BEGAN = "SELECT recorded_at FROM recording ORDER BY recording_id LIMIT 1"
_LAST = "SELECT position, recorded_at FROM change ORDER BY position DESC LIMIT 1"
_BOUNDS = f"""
SELECT ({_BEGAN}) AS began, last.position AS last, last.recorded_at AS last_at, expired.position AS expired,
       expired.recorded_at AS expired_at
FROM (SELECT) AS always LEFT JOIN LATERAL ({_LAST}) AS last ON true
     LEFT JOIN LATERAL (SELECT position, recorded_at FROM change WHERE recorded_at < $1
                        ORDER BY recorded_at DESC, position DESC LIMIT 1) AS expired ON true
"""  # noqa: S608 - a constant
_POSITION = f"""
SELECT recorded_at FROM change WHERE position = $1 UNION ALL (SELECT b.recorded_at FROM ({_BEGAN}) AS b WHERE $1::bigint = 0)
"""  # noqa: S608 - a constant
_ENTRIES = """
SELECT c.position, c.recorded_at, c.action, c.file_id, f.name, f.digest, c.source, c.dataset, c.known_at, c.known_at_basis,
       c.series, c.new, c.revised, c.first_ts, c.last_ts
FROM change AS c LEFT JOIN ingest_file AS f USING (file_id)
"""
_ENTRY = f"{_ENTRIES} WHERE c.position = $1"
_BY_PATTERN = "EXISTS (SELECT FROM unnest($2::text[]) AS pattern WHERE s.key LIKE pattern ESCAPE '/')"
_BY_KEY = "s.key = ANY($2)"
_MATCHES_OF_FILES = f"""
SELECT f.file_id, s.source, s.dataset, count(*)::int AS count,
       (array_agg(s.key ORDER BY s.key COLLATE "C"))[1:{MOST_MATCHED_KEYS}] AS keys
FROM file_series AS f JOIN series AS s USING (series_id)
WHERE f.file_id = ANY($1) AND {{}}
GROUP BY f.file_id, s.source, s.dataset
"""  # noqa: S608 - a constant
_MATCHES_OF_DATASETS = f"""
SELECT s.source, s.dataset, count(*)::int AS count,
       (array_agg(s.key ORDER BY s.key COLLATE "C"))[1:{MOST_MATCHED_KEYS}] AS keys
FROM series AS s
WHERE (s.source, s.dataset) IN (SELECT * FROM unnest($1::text[], $3::text[])) AND {{}}
GROUP BY s.source, s.dataset
"""  # noqa: S608 - a constant
_KEYS_OF_FILE = """
SELECT s.key FROM file_series AS f JOIN series AS s USING (series_id)
WHERE f.file_id = $1 AND s.source = $2 AND s.dataset = $3 ORDER BY s.key COLLATE "C"
"""
_KEYS_OF_DATASET = """SELECT key FROM series WHERE source = $1 AND dataset = $2 ORDER BY key COLLATE "C" """
_CHANGED_SERIES = """
SELECT f.series_id, s.key, f.first_ts, f.last_ts, f.known_at
FROM file_series AS f JOIN series AS s USING (series_id)
WHERE f.file_id = $1 AND s.source = $2 AND s.dataset = $3 AND f.new + f.revised > 0 AND s.key COLLATE "C" >= $4
ORDER BY s.key COLLATE "C" LIMIT $5
"""

_Matches: TypeAlias = Mapping[tuple[int | None, str, str], SeriesMatch]
"""By file (None: any), source and dataset."""


class PostgresChangeLog:
    """``ChangeLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def bounds(self, kept_since: datetime) -> ChangeBounds:
        row = await self._pool.reads.fetchrow(_BOUNDS, kept_since)
        assert row is not None
        begin = ChangePosition(0, row["began"])
        oldest = ChangePosition(row["expired"], row["expired_at"]) if row["expired"] is not None else begin
        return ChangeBounds(oldest, ChangePosition(row["last"], row["last_at"]) if row["last"] is not None else begin)

    async def position(self, number: int) -> ChangePosition | None:
        row = await self._pool.reads.fetchrow(_POSITION, number)
        return ChangePosition(number, row["recorded_at"]) if row is not None else None

    async def changes(self, after: ChangePosition, criteria: ChangeFilter, *, limit: int) -> ChangePage:
        async with self._pool.acquire() as connection:
            # Read before the entries: all entries up to it are visible to their statement, perhaps with later ones.
            last = await _last(connection)
            if criteria.series:
                return await _matching(connection, after, criteria, last, limit=limit)
            entries = [_entry(row) for row in await _entries(connection, after, criteria, limit=limit)]
        last = _latest(last, *entries[-1:])
        reached = entries[-1].position if len(entries) == limit else last
        return ChangePage(entries, max(reached, after, key=_number), last)

    async def entry(self, number: int) -> ChangeEntry | None:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_ENTRY, number)
        return _entry(row) if row is not None else None

    async def keys(self, entry: ChangeEntry) -> Sequence[str]:
        names = entry.change.source, entry.change.dataset
        async with self._pool.acquire() as connection:
            if entry.file_id is None:
                rows = await connection.fetch(_KEYS_OF_DATASET, *names)
            else:
                rows = await connection.fetch(_KEYS_OF_FILE, entry.file_id, *names)
        return [row["key"] for row in rows]

    async def changed_series(self, entry: ChangeEntry, *, from_key: str, limit: int) -> Sequence[ChangedSeries]:
        if entry.file_id is None:
            return ()
        change = entry.change
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_CHANGED_SERIES, entry.file_id, change.source, change.dataset, from_key, limit)
        return [ChangedSeries(*row) for row in rows]


async def _last(connection: Connection) -> ChangePosition:
    row = await connection.fetchrow(_LAST)
    return _position(row) if row is not None else ChangePosition(0, await connection.fetchval(_BEGAN))


async def _entries(connection: Connection, after: ChangePosition, criteria: ChangeFilter, *, limit: int) -> Sequence[Record]:
    conditions = ["c.position > $1"]
    arguments: list[object] = [after.number, limit]
    for column, value in (("source", criteria.source), ("dataset", criteria.dataset)):
        if value is not None:
            arguments.append(value)
            conditions.append(f"c.{column} = ${len(arguments)}")
    datasets = datasets_of(criteria.series) if criteria.series else None
    if datasets is not None:
        arguments += [[source for source, _ in datasets], [dataset for _, dataset in datasets]]
        lists = f"${len(arguments) - 1}::text[], ${len(arguments)}::text[]"
        conditions.append(f"(c.source, c.dataset) IN (SELECT * FROM unnest({lists}))")  # noqa: S608 - numbers of parameters
    query = f"{_ENTRIES} WHERE {' AND '.join(conditions)} ORDER BY c.position LIMIT $2"
    return await connection.fetch(query, *arguments)


async def _matching(
    connection: Connection, after: ChangePosition, criteria: ChangeFilter, last: ChangePosition, *, limit: int
) -> ChangePage:
    """Return a page of the entries with one of the requested series. First as many entries are looked through as it has."""
    entries: list[ChangeEntry] = []
    at, scanned, series, count = after, 0, 0, min(limit, _SCANNED)
    while True:
        rows = await _entries(connection, at, criteria, limit=count)
        candidates = list(_within_budget([_entry(row) for row in rows], _SCANNED_SERIES - series))
        matches = await _matches(connection, candidates, criteria.series)
        entries += [replace(one, matched=match) for one in candidates if (match := _match_of(one, matches)) is not None]
        last = _latest(last, *candidates[-1:])
        if len(entries) >= limit:
            return ChangePage(entries[:limit], entries[limit - 1].position, last)
        if len(rows) < count and len(candidates) == len(rows):
            return ChangePage(entries, max(last, after, key=_number), last)
        at = candidates[-1].position
        scanned += len(candidates)
        series += sum(one.change.series for one in candidates)
        if scanned >= _SCANNED or len(candidates) < len(rows):
            return ChangePage(entries, at, last)
        count = _SCANNED - scanned


def _latest(last: ChangePosition, *entries: ChangeEntry) -> ChangePosition:
    return max(last, *(one.position for one in entries), key=_number) if entries else last


def _within_budget(entries: Sequence[ChangeEntry], most: int) -> Iterator[ChangeEntry]:
    """Yield the first entries that have together at most a number of series, at least one entry."""
    for number, (entry, series) in enumerate(zip(entries, accumulate(one.change.series for one in entries), strict=True)):
        if number and series > most:
            return
        yield entry


async def _matches(connection: Connection, entries: Sequence[ChangeEntry], patterns: Sequence[str]) -> _Matches:
    by_pattern = any(map(is_pattern, patterns))
    condition = _BY_PATTERN if by_pattern else _BY_KEY
    texts = [like(pattern) for pattern in patterns] if by_pattern else list(patterns)
    matches: dict[tuple[int | None, str, str], SeriesMatch] = {}
    files = sorted({one.file_id for one in entries if one.file_id is not None})
    if files:
        for row in await connection.fetch(_MATCHES_OF_FILES.format(condition), files, texts):
            matches[row["file_id"], row["source"], row["dataset"]] = SeriesMatch(row["count"], tuple(row["keys"]))
    datasets = sorted({(one.change.source, one.change.dataset) for one in entries if one.file_id is None})
    if datasets:
        sources, names = [source for source, _ in datasets], [name for _, name in datasets]
        for row in await connection.fetch(_MATCHES_OF_DATASETS.format(condition), sources, texts, names):
            matches[None, row["source"], row["dataset"]] = SeriesMatch(row["count"], tuple(row["keys"]))
    return matches


def _match_of(entry: ChangeEntry, matches: _Matches) -> SeriesMatch | None:
    return matches.get((entry.file_id, entry.change.source, entry.change.dataset))


def _number(position: ChangePosition) -> int:
    return position.number


def _position(row: Record) -> ChangePosition:
    return ChangePosition(row["position"], row["recorded_at"])


def _entry(row: Record) -> ChangeEntry:
    return ChangeEntry(
        position=_position(row),
        action=RecordingAction(row["action"]),
        file_id=row["file_id"],
        file_name=row["name"],
        digest=row["digest"],
        change=DatasetChange(
            row["source"],
            row["dataset"],
            row["known_at"],
            KnownAtBasis(row["known_at_basis"]),
            row["series"],
            row["new"],
            row["revised"],
            row["first_ts"],
            row["last_ts"],
        ),
    )
