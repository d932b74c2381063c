"""Partial aggregates: aggregates of each hour, from which those of days, blocks and longer steps are computed.

A bucket is an hour of UTC. The clock of every market differs from UTC by whole hours, so its days of 23, 24 and 25 hours, its
weeks and its blocks are sums of buckets. Other clocks (India, Lord Howe Island) are refused, and the caller uses the rows
instead. Partial aggregates are sums and counts, which add up, and never means.
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
"""Absolute value from which on a value, infinities included, makes the sum of its bucket NaN; sums of smaller ones do not
overflow."""

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
"""One row for each series and bucket that holds an observation, ascending by (``series_id``, ``ts``). No column is null.

``ts``: the bucket's start. ``sum``, ``count``, ``min``, ``max``, ``quality`` (the worst): of the valid values, which are all
but withdrawn ones and NaN; without a valid value, 0, 0, NaN, NaN and ``GOOD``. ``sum``: NaN where a value is ``VAST``.
``known_at``: the greatest of all observations, withdrawn ones included.
"""

_COMPOSED = frozenset({Aggregation.MEAN, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT})


class CannotCompose(Invalid):
    """A result that partial aggregates cannot give, so that the rows must be read. Facts: ``why``."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not computable from aggregates of hours: {why}", why=why)


def composes(series_frequency: Frequency, freq: Frequency, agg: Aggregation) -> bool:
    """Return whether buckets give ``agg`` by ``freq``, and save work, because the data are finer than a bucket."""
    return (
        agg in _COMPOSED
        and series_frequency.step is not None
        and series_frequency.step < BUCKET
        and (freq is Frequency.HOUR or freq.is_calendar)
    )


def keeps_whole_hours(zone: str, *instants: datetime) -> bool:
    """Return whether a clock differs from UTC by whole hours at some instants: a quick test; ``compose`` tests every bucket."""
    offsets = (instant.astimezone(ZoneInfo(zone)).utcoffset() for instant in instants)
    return all(offset is not None and offset % BUCKET == timedelta() for offset in offsets)


def buckets_in(span: Span) -> Span:
    """Return the span of the buckets that start in a span: both ends moved up to the next full hour."""
    return Span(_next_hour(span.start), _next_hour(span.end))


def partials(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the partial aggregates, in schema ``PARTIALS``, of ascending observations in schema ``MANY_OBSERVATIONS``."""
    is_valid = (pl.col("quality") != Quality.WITHDRAWN) & pl.col("value").is_not_nan()
    value = pl.col("value").filter(is_valid)
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
            pl.col("quality").filter(is_valid).max().fill_null(int(Quality.GOOD)).cast(pl.Int16),
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
    """Return the result of ``resample``, computed from partial aggregates: schema ``MANY_OBSERVATIONS`` and ``count``.

    ``frame``: schema ``PARTIALS``. ``block``: use only its hours. Counts, extremes, qualities and known times are equal to
    those of ``resample`` to the bit. Sums are sums of sums, and means are these divided by the counts: they differ from
    ``resample`` by the rounding of another order of addition, less than n·2⁻⁵³·Σ|value| for n values, and not at all for
    whole numbers.

    Raises ``CannotCompose`` when a clock does not differ from UTC by whole hours in one of the buckets, a value is ``VAST``, or
    ``composes`` is false; ``CannotResample`` as ``resample``.
    """
    check_step(series_frequency, freq)
    if not composes(series_frequency, freq, agg):
        raise CannotCompose(f"{agg} by {freq} of a series of frequency {series_frequency}")
    frame = conform(frame, PARTIALS)
    for clock in {zone, block.zone if block is not None else zone}:
        _check_clock(frame["ts"], clock)
    if block is not None:
        frame = frame.filter(block_mask(frame["ts"], block))
    if agg in (Aggregation.SUM, Aggregation.MEAN) and frame["sum"].is_nan().any():
        raise CannotCompose(f"a value is {VAST:g} or greater")
    has_values = pl.col("count") > 0
    return (
        frame.lazy()
        .group_by("series_id", bucket_of(freq, zone).alias("bucket"))
        .agg(
            _value(agg).alias("value"),
            pl.col("count").cast(pl.Int64).sum(),
            pl.col("quality").filter(has_values).max(),
            pl.col("known_at").max(),
        )
        .filter(pl.col("count") > 0)
        .with_columns(ts=bucket_start("bucket", freq, zone))
        .select(*MANY_OBSERVATIONS, "count")
        .sort("series_id", "ts")
        .collect()
    )


def _value(agg: Aggregation) -> pl.Expr:
    has_values = pl.col("count") > 0
    total, count = pl.col("sum").sum(), pl.col("count").cast(pl.Int64).sum().cast(pl.Float64)
    values: Mapping[Aggregation, pl.Expr] = {
        Aggregation.MEAN: total / count,
        Aggregation.SUM: total,
        Aggregation.COUNT: count,
        Aggregation.MIN: pl.col("min").filter(has_values).min(),
        Aggregation.MAX: pl.col("max").filter(has_values).max(),
    }
    return values[agg]


def _check_clock(ts: pl.Series, zone: str) -> None:
    """Raise ``CannotCompose`` unless the local clock shows a full hour at the start of each bucket, and no change within it."""
    start = pl.col("ts").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    last = (pl.col("ts") + BUCKET - timedelta(microseconds=1)).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    whole = (start == start.dt.truncate("1h")) & (last - start == BUCKET - timedelta(microseconds=1))
    if not ts.to_frame("ts").select(whole.all()).item():
        raise CannotCompose(f"the clock of {zone} does not differ from UTC by whole hours at these times")


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
