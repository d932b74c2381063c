"""Coverage of aggregates: the number of values in a bucket against the number of native steps that the whole bucket has.

A bucket that misses a step looks like any other number. So every aggregate says how many values it is made of (``count``),
how many a complete bucket has (``expected``) and their ratio (``coverage``); its quality is ``PARTIAL`` when ``count`` is
lower than ``expected``. A value on a day on which none is expected, such as a holiday, is aggregated and counts in neither, so
that it cannot stand for a missing one. ``expected`` depends on the calendar and on the phase of the series (the weekday of its
last stamp): not on the requested span, not on where the series begins and ends, not on the present time. So a running bucket
is partial until its last step has a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.calendars import Block, BusinessDays, block_mask, is_business_day
from aurum.core.catalog import Quality
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_start, first_instant, local_day
from aurum.core.series.resample import bucket_of, bucket_start

COVERAGE = pl.Schema({"count": pl.Int64(), "expected": pl.Int64(), "coverage": pl.Float64()})
"""Columns that an aggregate has in addition. ``expected`` and ``coverage`` are null for irregular series; ``coverage`` is null
too where no step is expected (only values on holidays)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=8)
"""A week with a margin for time zones and clock changes."""
_EVERY = {
    Frequency.DAY: "1d",
    Frequency.WEEK: "1w",
    Frequency.MONTH: "1mo",
    Frequency.QUARTER: "1q",
    Frequency.YEAR: "1y",
}
_LATEST_DAY = timedelta(days=27)
"""A stamp on a later day of its month counts as one on the 28th, a day that all months have."""


@dataclass(frozen=True, slots=True)
class NativeSteps:
    """The instants at which a series has values: its step, on its own clock.

    ``phase``: for steps of up to an hour, the time since the last multiple of the step in UTC; for longer ones the local time
    since midnight (days), Monday (weeks) or the first day of the period. ``business_days``: the calendar of a daily series that
    has values on business days only.
    """

    frequency: Frequency
    zone: str
    phase: timedelta = timedelta()
    business_days: BusinessDays | None = None


def native_steps(
    frequency: Frequency, zone: str, stamp: datetime | None, business_days: BusinessDays | None = None
) -> NativeSteps:
    """Return the steps of a series. ``stamp``: the start of any of its intervals, in UTC, which gives the phase."""
    if stamp is None or frequency is Frequency.IRREGULAR:
        return NativeSteps(frequency, zone)
    if frequency.step is not None:
        return NativeSteps(frequency, zone, (stamp - _EPOCH) % frequency.step)
    local = _local(stamp, zone)
    phase = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    match frequency:
        case Frequency.DAY:
            return NativeSteps(frequency, zone, phase, business_days)
        case Frequency.WEEK:
            return NativeSteps(frequency, zone, phase + timedelta(days=local.weekday()))
        case _:
            first_month = {Frequency.MONTH: local.month, Frequency.QUARTER: local.month - (local.month - 1) % 3}.get(
                frequency, 1
            )
            days = local.date() - date(local.year, first_month, 1)
            return NativeSteps(frequency, zone, phase + min(days, _LATEST_DAY))


def with_coverage(
    frame: pl.DataFrame,
    *,
    steps: NativeSteps,
    freq: Frequency,
    zone: str,
    block: Block | None = None,
    min_coverage: float | None = None,
) -> pl.DataFrame:
    """Return aggregates with ``COVERAGE`` as the last columns, and with quality ``PARTIAL`` where a step has no value.

    ``frame``: a result of ``resample`` or ``compose`` for the same ``freq``, ``zone`` and block, with the ``end`` of each
    bucket. ``min_coverage``: buckets below it are withheld: their value becomes NaN.
    """
    expected = expected_steps(frame, steps=steps, freq=freq, zone=zone, block=block)
    counted, rest = frame["count"], frame.drop("count")
    if expected is None:
        nothing = pl.Series("expected", [None], pl.Int64).new_from_index(0, frame.height)
        return rest.hstack([counted, nothing, nothing.cast(pl.Float64).alias("coverage")])
    # In arrays, because the expression engine takes longer to plan a few hundred buckets than to compute them.
    count = counted.to_numpy()
    is_partial = count < expected
    coverage = np.divide(count, expected, out=np.full(len(count), np.nan), where=expected > 0)
    frame = rest.hstack([counted, pl.Series("expected", expected), pl.Series("coverage", coverage, nan_to_null=True)])
    if not is_partial.any():
        return frame
    quality = np.where(is_partial, np.int16(Quality.PARTIAL), frame["quality"].to_numpy())
    changed = [pl.Series("quality", quality)]
    if min_coverage is not None:
        value = np.where(is_partial & (coverage < min_coverage), np.nan, frame["value"].to_numpy())
        changed.append(pl.Series("value", value))
    return frame.with_columns(changed)


def counted_values(steps: NativeSteps, *, freq: Frequency) -> pl.Expr | None:
    """Return the expression over ``ts`` that is true for values on expected days; None where every value counts.

    Days as buckets of daily values count every value: on a holiday, too, a value fills its day.
    """
    calendar = steps.business_days
    if calendar is None or freq is steps.frequency:
        return None
    return local_day(pl.col("ts"), steps.zone).map_batches(
        lambda days: is_business_day(days, calendar), return_dtype=pl.Boolean
    )


def expected_steps(
    buckets: pl.DataFrame, *, steps: NativeSteps, freq: Frequency, zone: str, block: Block | None = None
) -> NDArray[np.int64] | None:
    """Return the number of native steps of each bucket; None for irregular series, which have none.

    ``buckets``: columns ``ts`` and ``end``, in UTC. ``zone``: IANA name of the clock in which buckets are counted. ``block``:
    count only its hours; for steps of up to an hour.
    """
    step = steps.frequency.step
    if steps.frequency is Frequency.IRREGULAR:
        return None
    if freq is steps.frequency and step is None:
        if zone == steps.zone:
            return np.ones(buckets.height, np.int64)
        # A value on a holiday fills its day all the same.
        steps = replace(steps, business_days=None)
    if buckets.is_empty():
        return np.zeros(0, np.int64)
    if step is not None and (by_length := _by_length(buckets, step, freq, zone, block)) is not None:
        return by_length
    return _looked_up(buckets["ts"], _expected_around(buckets["ts"], steps, freq, zone, block))


def _by_length(
    buckets: pl.DataFrame, step: timedelta, freq: Frequency, zone: str, block: Block | None
) -> NDArray[np.int64] | None:
    """Return the number of steps by the length of each bucket; None where it depends on the hours or the phase of the steps."""
    if freq.step is None:
        if block is not None:
            return None
        count, rest = np.divmod(_physical(buckets["end"]) - _physical(buckets["ts"]), _microseconds(step))
        return count if not rest.any() else None
    clocks = {zone} if block is None else {zone, block.zone}
    if freq.step % step or not all(_shows_full_steps(buckets["ts"], clock, freq.step) for clock in clocks):
        return None
    return np.full(buckets.height, freq.step // step, np.int64)


def _shows_full_steps(ts: pl.Series, zone: str, step: timedelta) -> bool:
    """Return whether a clock shows a multiple of the step at the start of each bucket, and at its end."""
    unit = _microseconds(step)
    clocks = (each.dt.convert_time_zone(zone).dt.replace_time_zone(None) for each in (ts, ts + step))
    return not any((_physical(clock) % unit).any() for clock in clocks)


def _looked_up(ts: pl.Series, counted: pl.DataFrame) -> NDArray[np.int64]:
    """Return the count of each bucket; 0 where no native step is in it."""
    starts, counts, wanted = _physical(counted["ts"]), counted["expected"].to_numpy(), _physical(ts)
    places = np.minimum(np.searchsorted(starts, wanted), len(starts) - 1)
    return np.where(starts[places] == wanted, counts[places], 0)


def _expected_around(ts: pl.Series, steps: NativeSteps, freq: Frequency, zone: str, block: Block | None) -> pl.DataFrame:
    """Return ``ts`` and ``expected``, ascending, of all buckets around the given ones that have a native step."""
    first, last = ts.min(), ts.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    if freq.step is not None:
        return _counted(_starts(steps, first - _HOUR, last + 2 * _HOUR), freq, zone, block)
    clock = ZoneInfo(zone)
    years = range(first.astimezone(clock).year, last.astimezone(clock).year + 1)
    parts = [_expected_of_year(year, steps, freq, zone, block) for year in years]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def _expected_of_year(year: int, steps: NativeSteps, freq: Frequency, zone: str, block: Block | None) -> pl.DataFrame:
    step = steps.frequency.step
    if step is None or _HOUR % step or (hours := _hours_of_year(year, freq, zone, block)) is None:
        return _steps_of_year(year, steps, freq, zone, block)
    # Each hour has the same number of steps, whatever their phase.
    return hours if step == _HOUR else hours.with_columns(pl.col("expected") * (_HOUR // step))


@lru_cache(maxsize=512)
def _hours_of_year(year: int, freq: Frequency, zone: str, block: Block | None) -> pl.DataFrame | None:
    """Return the hours of the buckets that start in a local year; None when a clock does not show full hours throughout.

    Remembered, as the hours of a block take longer to find than a year of values to aggregate. A year has at most 366 rows.
    """
    first, last = _year(year, zone)
    hours = _starts(NativeSteps(Frequency.HOUR, "UTC"), first - _WEEK, last + _WEEK)
    if not all(_shows_full_steps(hours, clock, _HOUR) for clock in ({zone} if block is None else {zone, block.zone})):
        return None
    return _within(_counted(hours, freq, zone, block), first, last)


@lru_cache(maxsize=512)
def _steps_of_year(year: int, steps: NativeSteps, freq: Frequency, zone: str, block: Block | None) -> pl.DataFrame:
    """Return the native steps of the buckets that start in a local year, remembered like ``_hours_of_year``."""
    first, last = _year(year, zone)
    return _within(_counted(_starts(steps, first - _WEEK, last + _WEEK), freq, zone, block), first, last)


def _year(year: int, zone: str) -> tuple[datetime, datetime]:
    """Return the first instants of a local year and of the next. The week of a year's last day ends up to six days after it."""
    within = min(max(year, date.min.year + 1), date.max.year - 2)
    return day_start(date(within, 1, 1), zone), day_start(date(within + 1, 1, 1), zone)


def _within(counted: pl.DataFrame, first: datetime, last: datetime) -> pl.DataFrame:
    return counted.filter((pl.col("ts") >= first) & (pl.col("ts") < last))


def _counted(starts: pl.Series, freq: Frequency, zone: str, block: Block | None) -> pl.DataFrame:
    """Return ``ts`` and ``expected``: the number of starts in each bucket."""
    if block is not None:
        starts = starts.filter(block_mask(starts, block))
    return (
        starts.to_frame("ts")
        .group_by(bucket_of(freq, zone).alias("bucket"))
        .agg(pl.len().cast(pl.Int64).alias("expected"))
        .select(ts=bucket_start("bucket", freq, zone), expected="expected")
        .sort("ts")
    )


def _starts(steps: NativeSteps, begin: datetime, finish: datetime) -> pl.Series:
    """Return the native starts within a span, and for calendar steps some around it: UTC, ascending."""
    frequency = steps.frequency
    if frequency.step is not None:
        aligned = begin + (steps.phase - (begin - _EPOCH)) % frequency.step
        return pl.datetime_range(aligned, finish, frequency.step, closed="left", time_unit="us", eager=True).alias("ts")
    first, last = (begin - _WEEK).date(), (finish + _WEEK).date()
    if frequency is Frequency.WEEK:
        first -= timedelta(days=first.weekday())
    elif frequency is not Frequency.DAY:
        first = date(first.year, 1, 1)
    days = pl.date_range(first, last, _EVERY[frequency], eager=True)
    if steps.business_days is not None:
        days = days.filter(is_business_day(days, steps.business_days))
    naive = days.cast(pl.Datetime("us")) + steps.phase
    return naive.to_frame("naive").select(ts=first_instant(pl.col("naive"), steps.zone)).to_series()


def _local(instant: datetime, zone: str) -> datetime:
    """Return the local time of the start of an interval; midnight where clocks skip the midnight at which it begins."""
    local = instant.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0) if day_start(local.date(), zone) == instant else local


def _physical(ts: pl.Series) -> NDArray[np.int64]:
    """Return the microseconds since 1970 of a column of instants, without a copy."""
    return ts.to_numpy().view(np.int64)


def _microseconds(step: timedelta) -> int:
    return step // timedelta(microseconds=1)
