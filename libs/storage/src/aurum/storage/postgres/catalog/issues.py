"""Issues of forecasts on PostgreSQL: their list for a series, and the chosen one of several series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aurum.core.catalog.entries import IssueEntry, KnownAtBasis, SeriesIssue
from aurum.storage.ports.catalog import IssueChoice
from aurum.storage.postgres.connection.pool import Connection

_LAST = datetime(9999, 12, 30, tzinfo=UTC)

_PAGE = """
SELECT i.known_at, i.known_at_basis, i.file_id, f.name, i.first_ts, i.last_ts, i.series
FROM file_series AS s JOIN issue AS i USING (file_id) JOIN ingest_file AS f USING (file_id)
WHERE s.series_id = $1 AND i.known_at <= $2 AND (i.known_at, i.file_id) < ($3, $4)
ORDER BY i.known_at DESC, i.file_id DESC LIMIT $5
"""
_CHOSEN = """
WITH of_series AS (
    SELECT s.series_id, i.known_at, i.file_id, s.first_ts, s.last_ts
    FROM file_series AS s JOIN issue AS i USING (file_id) WHERE s.series_id = ANY($1) AND i.known_at <= $2
)
SELECT series_id, known_at, array_agg(file_id ORDER BY file_id), min(first_ts), max(last_ts)
FROM of_series JOIN ({chosen}) AS chosen USING (series_id, known_at) GROUP BY series_id, known_at
"""
_BY_CHOICE = {
    "latest": _CHOSEN.format(chosen="SELECT series_id, max(known_at) AS known_at FROM of_series GROUP BY series_id"),
    "first": _CHOSEN.format(chosen="SELECT series_id, min(known_at) AS known_at FROM of_series GROUP BY series_id"),
}
_AT = _CHOSEN.format(chosen="SELECT DISTINCT series_id, known_at FROM of_series WHERE known_at = $3")
_NEAREST = """
SELECT known_at FROM (
    SELECT DISTINCT i.known_at FROM file_series AS s JOIN issue AS i USING (file_id) WHERE s.series_id = $1 AND i.known_at <= $3
) AS times ORDER BY greatest(known_at - $2, $2 - known_at), known_at LIMIT $4
"""


async def issues_page(
    connection: Connection, series_id: int, as_of: datetime | None, before: tuple[datetime, int] | None, limit: int
) -> Sequence[IssueEntry]:
    """Return the issues of a series, the newest first, after the pair of known time and file id ``before``."""
    rows = await connection.fetch(_PAGE, series_id, _latest(as_of), *(before or (_LAST, 0)), limit)
    return [IssueEntry(row[0], KnownAtBasis(row[1]), *row[2:]) for row in rows]


async def series_issues(
    connection: Connection, series_ids: Sequence[int], issue: IssueChoice, as_of: datetime | None
) -> Mapping[int, SeriesIssue]:
    """Return the chosen issue of each series that has it."""
    arguments = [list(series_ids), _latest(as_of)]
    if isinstance(issue, datetime):
        rows = await connection.fetch(_AT, *arguments, issue)
    else:
        rows = await connection.fetch(_BY_CHOICE[issue], *arguments)
    return {row[0]: SeriesIssue(row[1], tuple(row[2]), row[3], row[4]) for row in rows}


async def nearest_issues(
    connection: Connection, series_id: int, known_at: datetime, as_of: datetime | None, limit: int
) -> Sequence[datetime]:
    """Return the known times of the issues of a series that are closest to an instant, closest first."""
    return [row[0] for row in await connection.fetch(_NEAREST, series_id, known_at, _latest(as_of), limit)]


def _latest(as_of: datetime | None) -> datetime:
    return min(as_of, _LAST) if as_of is not None else _LAST
