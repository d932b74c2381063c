"""Wide scans where the rows are: ClickHouse sums up, and only buckets travel."""

# ruff: noqa: S608 - texts are put together from constants of this package; what callers give is bound

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.core.wide import PARTIALS, check_bucket, together
from aurum.storage.clickhouse.parts import NAMED, SPANNED, STANDING, in_turns, named, spanned, standing, touched, yyyymm
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.schema import HISTORY_TABLE
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.ports.wide import CopyBehind

_PARTIALS = f"""
SELECT series_id,
    reinterpret(min(ts_us - positiveModulo(ts_us, {{every:Int64}})), 'DateTime64(6, \\'UTC\\')') AS ts,
    toInt64(count()) AS count, sum(value) AS sum, min(value) AS min, max(value) AS max
FROM (
    SELECT series_id, toUnixTimestamp64Micro(ts) AS ts_us, value FROM {HISTORY_TABLE} FINAL
    WHERE {NAMED} AND {SPANNED} AND {STANDING} AND quality != {{withdrawn:Int16}} AND NOT isNaN(value)
)
GROUP BY series_id, if({{whole:Bool}}, 0, ts_us - positiveModulo(ts_us, {{every:Int64}}))
"""
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
        bucket = {"every": 1 if every is None else every // _MICROSECOND, "whole": every is None}
        asked = spanned(span) | standing(as_of) | bucket | {"withdrawn": int(Quality.WITHDRAWN)}
        frames = [await self._pool.read(_PARTIALS, named(some) | asked) for some in in_turns(wanted)]
        found = pl.concat(frames) if frames else pl.DataFrame(schema=PARTIALS)
        return together(found, whole=every is None)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        wanted = touched(parts, Span())
        there: dict[tuple[int, int, int], int] = {}
        for some in in_turns(wanted):
            counted = (await self._pool.read(_COUNTS, named(some))).iter_rows()  # rows: one a part
            there |= {(series_id, month, archive_id): rows for series_id, month, archive_id, rows in counted}
        return [part for part in wanted if there.get((part.series_id, yyyymm(part.month), part.archive_id), 0) != part.rows]
