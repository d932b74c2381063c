"""Partial aggregates, computed by PostgreSQL from the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.core.series.partials import VAST, buckets_in
from aurum.storage.ports.history import HotPartials, refuse_archived_parts
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.history.parts import BESIDE_MANY, parts_beside
from aurum.storage.postgres.observations.reader import bounds

PARTIAL_COLUMNS: Mapping[str, str] = {
    "series_id": "int4",
    "ts": "timestamptz",
    "sum": "float8",
    "count": "int4",
    "min": "float8",
    "max": "float8",
    "quality": "int2",
    "known_at": "timestamptz",
}

_STANDS = f"quality <> {int(Quality.WITHDRAWN)} AND value <> 'NaN'::float8"
# Values are added in the order of time, so that a job of the server and a reader get the same bits.
PARTIAL_AGGREGATES = f"""
    coalesce(sum(value ORDER BY ts) FILTER (WHERE {_STANDS} AND abs(value) < {VAST:g}), 0) AS total,
    count(*) FILTER (WHERE {_STANDS} AND abs(value) >= {VAST:g}) AS vast,
    count(*) FILTER (WHERE {_STANDS}) AS standing,
    coalesce(min(value) FILTER (WHERE {_STANDS}), 'NaN'::float8) AS least,
    coalesce(max(value) FILTER (WHERE {_STANDS}), 'NaN'::float8) AS greatest,
    coalesce(max(quality) FILTER (WHERE {_STANDS}), {int(Quality.GOOD)}::int2) AS quality,
    max(known_at) AS known_at"""
"""Aggregates over the rows of a bucket, from which ``FROM_AGGREGATES`` makes the columns of a partial."""
FROM_AGGREGATES = """
    series_id, bucket AS ts, CASE WHEN vast > 0 THEN 'NaN'::float8 ELSE total END AS sum, standing::int AS count,
    least AS min, greatest AS max, quality, known_at"""
BUCKETS_OF_ROWS = f"""
    SELECT series_id, date_bin('1 hour', ts, '2000-01-01 00:00Z') AS bucket, {PARTIAL_AGGREGATES} FROM observation"""  # noqa: S608 - constants

_PARTIALS = packed(
    PARTIAL_COLUMNS,
    f"""SELECT {FROM_AGGREGATES} FROM (
            {BUCKETS_OF_ROWS} WHERE series_id = ANY($1) AND ts >= $2 AND ts < $3 GROUP BY 1, 2
        ) AS buckets ORDER BY series_id, ts""",  # noqa: S608 - constants
    beside=BESIDE_MANY,
)


class PostgresPartialsReader:
    """``PartialsReader`` and ``HotPartialsReader`` on plain PostgreSQL, which adds up the rows.

    For one series this costs as much as reading its rows. For a day of thousands of series it saves transferring them.
    """

    has_sums = False

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        hot = await self.hot_partials(series_ids, span=span)
        refuse_archived_parts(hot.parts)
        return hot.frame

    async def hot_partials(self, series_ids: Sequence[int], *, span: Span) -> HotPartials:
        start, end = bounds(buckets_in(span))
        # Not on ``pool.reads``: this query is long and would delay small reads.
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_PARTIALS, sorted(set(series_ids)), start, end)
        return HotPartials(unpacked(PARTIAL_COLUMNS, row), parts_beside(row))
