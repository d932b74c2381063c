"""Resampling of observations to coarser steps of local time, and the ends of intervals.

An interval belongs to the bucket in which it starts. A bucket starts at the local hour, midnight, Monday, first day of the
month, quarter or year, so the mean of the fall day is over 25 hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.errors import Invalid
from aurum.core.frames import OBSERVATIONS, conform
from aurum.core.frequency import Frequency
from aurum.core.markettime import first_instant

_CALENDAR_STEPS = {
    Frequency.DAY: "1d",
    Frequency.WEEK: "1w",
    Frequency.MONTH: "1mo",
    Frequency.QUARTER: "1q",
    Frequency.YEAR: "1y",
}


class Aggregation(StrEnum):
    """The function that aggregates the values of a bucket. ``STD`` is that of a sample (n - 1), NaN for a single value."""

    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    MEDIAN = "median"
    STD = "std"
    COUNT = "count"


class CannotResample(Invalid):
    """A step to which a series cannot be resampled. Facts: ``series_frequency``, ``freq``."""

    def __init__(self, why: str, series_frequency: Frequency, freq: Frequency) -> None:
        super().__init__(
            f"cannot resample a series of frequency {series_frequency} to {freq}: {why}",
            series_frequency=str(series_frequency),
            freq=str(freq),
        )


def resample(
    frame: pl.DataFrame,
    *,
    series_frequency: Frequency,
    freq: Frequency,
    agg: Aggregation,
    zone: str,
    by: Sequence[str] = (),
    counted: pl.Expr | None = None,
) -> pl.DataFrame:
    """Return a row for each bucket of local time that holds a valid value.

    ``frame``: schema ``OBSERVATIONS``, ascending by ``ts``, after the columns named in ``by`` (``series_id``), each of
    whose groups is resampled separately. ``zone``: IANA name of the clock in which buckets are counted. The result has the
    same columns, ascending by ``by`` and ``ts``: the bucket's start in UTC, the value (Float64, also for ``COUNT``), the
    worst quality of the values in it, the greatest ``known_at``, and ``count`` (Int64), the number of values. Withdrawn values
    are not aggregated, but their ``known_at`` counts, because a withdrawal changes the bucket. ``counted``: expression that is
    true for the values that ``count`` counts (``coverage.counted_values``); None: all. The others are aggregated, too.

    Raises ``CannotResample`` when ``freq`` is finer than ``series_frequency`` or is ``irregular``; ``FrameMismatch``.
    """
    check_step(series_frequency, freq)
    frame = conform(frame, pl.Schema({name: frame.schema[name] for name in by} | dict(OBSERVATIONS)))
    is_valid = (pl.col("quality") != Quality.WITHDRAWN) & pl.col("value").is_not_nan()
    value_is_counted = pl.col("quality").is_not_null() if counted is None else pl.col("quality").is_not_null() & counted
    buckets = (
        frame.lazy()
        .with_columns(pl.when(is_valid).then(pl.col("value", "quality")), bucket=bucket_of(freq, zone))
        .group_by(*by, "bucket")
        .agg(
            _value(agg).cast(pl.Float64).fill_null(float("nan")).alias("value"),
            pl.col("quality").max(),
            pl.col("known_at").max(),
            value_is_counted.sum().cast(pl.Int64).alias("count"),
        )
        .filter(pl.col("quality").is_not_null())
        .with_columns(ts=bucket_start("bucket", freq, zone))
        .select(*by, *OBSERVATIONS, "count")
        .sort(*by, "ts")
    )
    return buckets.collect()


def interval_end(ts: pl.Expr, frequency: Frequency, zone: str) -> pl.Expr:
    """Return the ends of the intervals that start at ``ts``: UTC, exclusive; null for ``irregular``.

    For steps of up to an hour, the end is the start plus the step. For longer ones it is a step later on the local clock: a day
    ends at midnight, a gas day that starts at nine ends at nine, and a week that starts on Saturday ends on Saturday.
    """
    if frequency is Frequency.IRREGULAR:
        return pl.when(False).then(ts)
    if frequency.step is not None:
        return ts + pl.lit(frequency.step)
    wall = ts.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    # When clocks skip midnight (Cairo in spring), the day begins at one, and still ends at the next midnight.
    midnight = wall.dt.truncate("1d")
    wall = pl.when(ts == first_instant(midnight, zone)).then(midnight).otherwise(wall)
    return first_instant(wall.dt.offset_by(_CALENDAR_STEPS[frequency]), zone)


def check_step(series_frequency: Frequency, freq: Frequency) -> None:
    """Raise ``CannotResample`` when a series cannot be resampled to a step."""
    if freq is Frequency.IRREGULAR:
        raise CannotResample("irregular is not a step", series_frequency, freq)
    if series_frequency is not Frequency.IRREGULAR and freq.order < series_frequency.order:
        raise CannotResample("the step is finer than the data", series_frequency, freq)


def bucket_of(freq: Frequency, zone: str) -> pl.Expr:
    """Return the bucket in which ``ts`` lies: a UTC instant for steps of a fixed length, a local Date for calendar steps."""
    ts = pl.col("ts")
    wall = ts.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    if freq.step is None:
        return wall.dt.date().dt.truncate(_CALENDAR_STEPS[freq])
    # Subtract from the instant the time since the last full step of the local clock. Truncating local time would merge the two
    # repeated hours of the fall day; truncating UTC would be wrong for clocks at half hours (India).
    return ts - (wall - wall.dt.truncate(_duration(freq.step)))


def bucket_start(bucket: str, freq: Frequency, zone: str) -> pl.Expr:
    """Return the starts, in UTC, of the buckets in a column of ``bucket_of``."""
    if freq.step is None:
        return first_instant(pl.col(bucket).cast(pl.Datetime("us")), zone)
    return pl.col(bucket)


def _duration(step: timedelta) -> str:
    return f"{step // timedelta(minutes=1)}m"


def _value(agg: Aggregation) -> pl.Expr:
    value = pl.col("value")
    match agg:
        case Aggregation.MEAN:
            return value.mean()
        case Aggregation.SUM:
            return value.sum()
        case Aggregation.MIN:
            return value.min()
        case Aggregation.MAX:
            return value.max()
        case Aggregation.FIRST:
            return value.drop_nulls().first()
        case Aggregation.LAST:
            return value.drop_nulls().last()
        case Aggregation.MEDIAN:
            return value.median()
        case Aggregation.STD:
            return value.std()
        case Aggregation.COUNT:
            return value.count()
