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
        if missing := await self.missing(wanted):
            raise CopyBehind(missing)
        asked = spanned(span) | standing(as_of) | {"withdrawn": int(Quality.WITHDRAWN)}
        if every is not None:
            asked["every"] = every // _MICROSECOND
        query = _partials(whole=every is None, now=as_of is None)
        frames = [await self._pool.read(query, named(some) | asked) for some in in_turns(wanted)]
        found = pl.concat(frames) if frames else pl.DataFrame(schema=PARTIALS)
        return together(found, whole=every is None)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        wanted = touched(parts, Span())
        there: dict[tuple[int, int, int], int] = {}
        for some in in_turns(wanted):
            counted = (await self._pool.read(_COUNTS, named(some))).iter_rows()  # rows: one a part
            there |= {(series_id, month, archive_id): rows for series_id, month, archive_id, rows in counted}
        return [part for part in wanted if there.get((part.series_id, yyyymm(part.month), part.archive_id), 0) != part.rows]


def _partials(*, whole: bool, now: bool) -> str:
    """``whole``: a bucket a series. ``now``: what stands now."""
    counted = f"""
    FROM {HISTORY_TABLE} FINAL WHERE {NAMED} AND {SPANNED} AND {STANDING_NOW if now else STANDING}
        AND quality != {{withdrawn:Int16}} AND NOT isNaN(value)
    """
    sums = "toInt64(count()) AS count, sum(value) AS sum, min(value) AS min, max(value) AS max"
    if whole:
        return f"SELECT series_id, min(at) AS ts, {sums} FROM (SELECT series_id, ts AS at, value {counted}) GROUP BY series_id"
    buckets = "toUnixTimestamp64Micro(ts) AS us, us - positiveModulo(us, {every:Int64}) AS bucket"
    return f"""
    SELECT series_id, reinterpret(bucket, 'DateTime64(6, \\'UTC\\')') AS ts, {sums}
    FROM (SELECT series_id, {buckets}, value {counted}) GROUP BY series_id, bucket
    """
