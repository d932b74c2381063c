"""Wide scans computed by ClickHouse, which returns hourly sums instead of rows."""

# ruff: noqa: S608 - statements are composed of constants of this package; values are bound as parameters

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.core.frames import conform
from aurum.core.series.partials import BUCKET, PARTIALS, VAST, buckets_in
from aurum.storage.clickhouse.parts import NAMED, SPANNED, STANDING_NOW, in_turns, named, spanned, touched, yyyymm
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.schema import HISTORY_TABLE
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.ports.wide import CopyBehind

_COUNTS = f"""
SELECT series_id, month, archive_id, toInt64(count()) AS rows FROM {HISTORY_TABLE} FINAL
WHERE {NAMED} GROUP BY series_id, month, archive_id
"""
# The query also counts all rows of the parts in the same snapshot, so that a concurrent write or deletion is noticed. Rows
# outside the span are counted in one extra row for each series.
_PARTIALS = f"""
SELECT series_id, reinterpret(bucket, 'DateTime64(6, \\'UTC\\')') AS ts,
    if(countIf(stands AND abs(value) >= {VAST:g}) > 0, nan, sumIf(value, stands)) AS sum, toInt32(countIf(stands)) AS count,
    if(count > 0, minIf(value, stands), nan) AS min, if(count > 0, maxIf(value, stands), nan) AS max,
    toInt16(if(count > 0, maxIf(mark, stands), {int(Quality.GOOD)})) AS quality,
    max(known) AS known_at, answers, toInt64(count()) AS rows
FROM (
    SELECT series_id, toUnixTimestamp64Micro(ts) AS micros, value, quality AS mark, known_at AS known,
        ({SPANNED}) AND {STANDING_NOW} AS answers, answers AND mark != {int(Quality.WITHDRAWN)} AND NOT isNaN(value) AS stands,
        if(answers, micros - positiveModulo(micros, {BUCKET // timedelta(microseconds=1)}), 0) AS bucket
    FROM {HISTORY_TABLE} FINAL WHERE {NAMED}
)
GROUP BY series_id, answers, bucket
ORDER BY series_id, answers, bucket
"""
_READ = pl.Schema({**PARTIALS, "answers": pl.UInt8(), "rows": pl.Int64()})


class ClickhouseWideScans:
    """``WideScans`` in ClickHouse."""

    def __init__(self, pool: ClickhousePool) -> None:
        self._pool = pool

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        span = buckets_in(span)
        wanted = touched(parts, span)
        frames = [await self._pool.read(_PARTIALS, named(some) | spanned(span)) for some in in_turns(wanted)]
        rows_read = pl.concat(frames) if frames else pl.DataFrame(schema=_READ)
        if short := _short(wanted, rows_read):
            # If nothing is missing on the second look, the rows changed during the read.
            raise CopyBehind(await self.missing(wanted) or short)
        return conform(rows_read.filter(pl.col("answers") == 1), PARTIALS)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        wanted = touched(parts, Span())
        there: dict[tuple[int, int, int], int] = {}
        for some in in_turns(wanted):
            counted = (await self._pool.read(_COUNTS, named(some))).iter_rows()  # rows: one a part
            there |= {(series_id, month, archive_id): rows for series_id, month, archive_id, rows in counted}
        return [part for part in wanted if there.get((part.series_id, yyyymm(part.month), part.archive_id), 0) != part.rows]


def _short(wanted: Sequence[ArchivedPart], rows_read: pl.DataFrame) -> list[ArchivedPart]:
    """Return the parts of all series whose number of rows differs from the log."""
    counted = rows_read.group_by("series_id").agg(pl.col("rows").sum().alias("read"))
    listed = pl.DataFrame(
        {"series_id": [part.series_id for part in wanted], "rows": [part.rows for part in wanted]},
        schema={"series_id": pl.Int32, "rows": pl.Int64},
    )
    expected = listed.group_by("series_id").agg(pl.col("rows").sum())
    wrong = expected.join(counted, on="series_id", how="left").filter(pl.col("rows") != pl.col("read").fill_null(0))
    series = frozenset(wrong["series_id"].to_list())
    return [part for part in wanted if part.series_id in series]
