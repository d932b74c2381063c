"""Partial answers: what the values of an hour come to, and days, blocks and longer steps put together from them.

A bucket is an hour of UTC. Every market's clock differs from UTC by whole hours, so its days of 23, 24 and 25 hours, its weeks
and its blocks are sums of buckets. A clock that does not (India, Lord Howe Island) is refused, and the caller takes the rows.
What is kept is what adds up: sums and counts, never means.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.asof import Span
from aurum.core.calendars import Block, block_mask
from aurum.core.catalog import Quality
from aurum.core.errors import Invalid
from aurum.core.frames import MANY_OBSERVATIONS, UTC_US, conform
from aurum.core.frequency import Frequency
from aurum.core.series.resample import Aggregation, bucket_of, bucket_start, check_step

BUCKET = timedelta(hours=1)

VAST = 1e290
"""Values from this size on, infinities included, are in no sum: of fewer, none overflows."""

PARTIALS = pl.Schema(
    {
        "series_id": pl.Int32(),
        "ts": UTC_US,
        "sum": pl.Float64(),
        "count": pl.Int32(),
        "min": pl.Float64(),
        "max": pl.Float64(),
        "quality": pl.Int16(),
        "known_at": UTC_US,
    }
)
"""One row for each series and bucket that holds an observation, ascending by (``series_id``, ``ts``), none of it null.

``ts``: the bucket's start. ``sum``, ``count``, ``min``, ``max``, ``quality`` (the worst): of the values that stand, which are
all but withdrawn ones and NaN; where none does, 0, 0, NaN, NaN and ``GOOD``. ``sum``: NaN where a value is ``VAST``.
``known_at``: the greatest of all observations, withdrawn ones too.
"""

_COMPOSED = frozenset({Aggregation.MEAN, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT})


class CannotCompose(Invalid):
    """Buckets that do not say what was asked: the rows must be read. Facts: ``why``."""

    def __init__(self, why: str) -> None:
        super().__init__(f"hours do not say it: {why}", why=why)


def composes(series_frequency: Frequency, freq: Frequency, agg: Aggregation) -> bool:
    """Whether buckets can say ``agg`` by ``freq``, and save something: the data are finer than a bucket."""
    return (
        agg in _COMPOSED
        and series_frequency.step is not None
        and series_frequency.step < BUCKET
        and (freq is Frequency.HOUR or freq.is_calendar)
    )


def keeps_whole_hours(zone: str, *instants: datetime) -> bool:
    """Whether a clock differs from UTC by whole hours at some instants. ``compose`` looks at all of them; this is quick."""
    offsets = (instant.astimezone(ZoneInfo(zone)).utcoffset() for instant in instants)
    return all(offset is not None and offset % BUCKET == timedelta() for offset in offsets)


def buckets_in(span: Span) -> Span:
    """Where the buckets that start in a span have their rows: both ends moved to the next full hour."""
    return Span(_next_hour(span.start), _next_hour(span.end))


def partials(frame: pl.DataFrame) -> pl.DataFrame:
    """Schema ``PARTIALS``, of observations in schema ``MANY_OBSERVATIONS``, ascending."""
    stands = (pl.col("quality") != Quality.WITHDRAWN) & pl.col("value").is_not_nan()
    value = pl.col("value").filter(stands)
    nothing = pl.lit(float("nan"))
    return (
        conform(frame, MANY_OBSERVATIONS)
        .lazy()
        .group_by("series_id", pl.col("ts").dt.truncate("1h"))
        .agg(
            pl.when((value.abs() >= VAST).any()).then(nothing).otherwise(value.sum()).alias("sum"),
            value.len().cast(pl.Int32).alias("count"),
            value.min().fill_null(nothing).alias("min"),
            value.max().fill_null(nothing).alias("max"),
            pl.col("quality").filter(stands).max().fill_null(int(Quality.GOOD)).cast(pl.Int16),
            pl.col("known_at").max(),
        )
        .sort("series_id", "ts")
        .collect()
        .select(list(PARTIALS))
    )


def compose(
    frame: pl.DataFrame,
    *,
    series_frequency: Frequency,
    freq: Frequency,
    agg: Aggregation,
    zone: str,
    block: Block | None = None,
) -> pl.DataFrame:
    """What ``resample`` makes of the rows, made of their partials: schema ``MANY_OBSERVATIONS``.

    ``frame``: schema ``PARTIALS``. ``block``: only its hours. Counts, extremes, qualities and known times are those of
    ``resample`` to the bit. Sums are sums of sums, and means their quotients by the counts: they differ from ``resample`` by
    the rounding of another order of addition, less than n·2⁻⁵³·Σ|value| for n values, and by nothing where the values are
    whole numbers.

    Raises ``CannotCompose`` when a clock is not at whole hours in one of the buckets, a value is ``VAST``, or ``composes`` is
    false; ``CannotResample`` as ``resample``.
    """
    check_step(series_frequency, freq)
    if not composes(series_frequency, freq, agg):
        raise CannotCompose(f"{agg} by {freq} of a series of {series_frequency}")
    frame = conform(frame, PARTIALS)
    for clock in {zone, block.zone if block is not None else zone}:
        _check_clock(frame["ts"], clock)
    if block is not None:
        frame = frame.filter(block_mask(frame["ts"], block))
    if agg in (Aggregation.SUM, Aggregation.MEAN) and frame["sum"].is_nan().any():
        raise CannotCompose(f"a value is {VAST:g} or greater")
    holds = pl.col("count") > 0
    return (
        frame.lazy()
        .group_by("series_id", bucket_of(freq, zone).alias("bucket"))
        .agg(
            _value(agg).alias("value"),
            pl.col("count").sum().alias("count"),
            pl.col("quality").filter(holds).max(),
            pl.col("known_at").max(),
        )
        .filter(pl.col("count") > 0)
        .with_columns(ts=bucket_start("bucket", freq, zone))
        .select(list(MANY_OBSERVATIONS))
        .sort("series_id", "ts")
        .collect()
    )


def _value(agg: Aggregation) -> pl.Expr:
    holds = pl.col("count") > 0
    total, count = pl.col("sum").sum(), pl.col("count").cast(pl.Int64).sum().cast(pl.Float64)
    values: Mapping[Aggregation, pl.Expr] = {
        Aggregation.MEAN: total / count,
        Aggregation.SUM: total,
        Aggregation.COUNT: count,
        Aggregation.MIN: pl.col("min").filter(holds).min(),
        Aggregation.MAX: pl.col("max").filter(holds).max(),
    }
    return values[agg]


def _check_clock(ts: pl.Series, zone: str) -> None:
    """The local clock shows a full hour at the start of each bucket, and does not change within one."""
    start = pl.col("ts").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    last = (pl.col("ts") + BUCKET - timedelta(microseconds=1)).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    whole = (start == start.dt.truncate("1h")) & (last - start == BUCKET - timedelta(microseconds=1))
    if not ts.to_frame("ts").select(whole.all()).item():
        raise CannotCompose(f"the clock of {zone} is not at whole hours from UTC there")


def _next_hour(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    hour = instant.replace(minute=0, second=0, microsecond=0)
    if hour == instant:
        return instant
    try:
        return hour + BUCKET
    except OverflowError:
        return None
