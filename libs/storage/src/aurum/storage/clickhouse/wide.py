"""Wide scans where the rows are: ClickHouse sums up, and only buckets travel."""

# ruff: noqa: S608 - texts are put together from constants of this package; what callers give is bound

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.core.wide import PARTIALS, check_bucket, together
from aurum.storage.clickhouse.parts import (
    NAMED,
    SPANNED,
    STANDING,
    STANDING_NOW,
    in_turns,
    named,
    spanned,
    standing,
    touched,
    yyyymm,
)
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.schema import HISTORY_TABLE
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.ports.wide import CopyBehind

_COUNTS = f"""
SELECT series_id, month, archive_id, toInt64(count()) AS rows FROM {HISTORY_TABLE} FINAL
WHERE {NAMED} GROUP BY series_id, month, archive_id
"""
_FOUND = pl.Schema({**PARTIALS, "rows": pl.Int64()})
_MICROSECOND = timedelta(microseconds=1)


class ClickhouseWideScans:
    """``WideScans`` in ClickHouse."""

    def __init__(self, pool: ClickhousePool) -> None:
        self._pool = pool

    async def partials(
        self, parts: Sequence[ArchivedPart], *, span: Span, every: timedelta | None = None, as_of: datetime | None = None
    ) -> pl.DataFrame:
        check_bucket(every)
        wanted = touched(parts, span)
        asked = spanned(span) | standing(as_of) | {"withdrawn": int(Quality.WITHDRAWN)}
        if every is not None:
            asked["every"] = every // _MICROSECOND
        query = _partials(whole=every is None, now=as_of is None)
        frames = [await self._pool.read(query, named(some) | asked) for some in in_turns(wanted)]
        found = pl.concat(frames) if frames else pl.DataFrame(schema=_FOUND)
        if short := _short(wanted, found):
            # What is missing may have come meanwhile: then the rows moved while they were read.
            raise CopyBehind(await self.missing(wanted) or short)
        return together(found.filter(pl.col("count") > 0), whole=every is None)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        wanted = touched(parts, Span())
        there: dict[tuple[int, int, int], int] = {}
        for some in in_turns(wanted):
            counted = (await self._pool.read(_COUNTS, named(some))).iter_rows()  # rows: one a part
            there |= {(series_id, month, archive_id): rows for series_id, month, archive_id, rows in counted}
        return [part for part in wanted if there.get((part.series_id, yyyymm(part.month), part.archive_id), 0) != part.rows]


def _short(wanted: Sequence[ArchivedPart], found: pl.DataFrame) -> list[ArchivedPart]:
    """Parts of series of which another number of rows was read than the log says."""
    counted = found.group_by("series_id").agg(pl.col("rows").sum().alias("read"))
    listed = pl.DataFrame(
        {"series_id": [part.series_id for part in wanted], "rows": [part.rows for part in wanted]},
        schema={"series_id": pl.Int32, "rows": pl.Int64},
    )
    expected = listed.group_by("series_id").agg(pl.col("rows").sum())
    wrong = expected.join(counted, on="series_id", how="left").filter(pl.col("rows") != pl.col("read").fill_null(0))
    series = frozenset(wrong["series_id"].to_list())
    return [part for part in wanted if part.series_id in series]


def _partials(*, whole: bool, now: bool) -> str:
    """``whole``: a bucket a series. ``now``: what stands now.

    Every row of the parts is counted beside those that go into the buckets, in the one snapshot that a query sees: so a write
    or a discard that comes in between is noticed.
    """
    bucket = "0" if whole else "us - positiveModulo(us, {every:Int64})"
    start = "minIf(us, stands)" if whole else "bucket"
    return f"""
    SELECT series_id, reinterpret({start}, 'DateTime64(6, \\'UTC\\')') AS ts, toInt64(countIf(stands)) AS count,
        sumIf(value, stands) AS sum, minIf(value, stands) AS min, maxIf(value, stands) AS max, toInt64(count()) AS rows
    FROM (
        SELECT series_id, toUnixTimestamp64Micro(ts) AS us, {bucket} AS bucket, value,
            ifNull(({SPANNED}) AND ({STANDING_NOW if now else STANDING})
                   AND quality != {{withdrawn:Int16}} AND NOT isNaN(value), 0) AS stands
        FROM {HISTORY_TABLE} FINAL WHERE {NAMED}
    )
    GROUP BY series_id, bucket
    """
