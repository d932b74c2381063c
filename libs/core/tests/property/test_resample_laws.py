"""Resampling neither loses nor invents values: totals, counts and nesting hold in every zone, on every day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aurum.core.frames import OBSERVATIONS
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_start, hours_in_day
from aurum.core.series.resample import Aggregation, interval_end, resample

ZONES = ["America/New_York", "America/Los_Angeles", "Europe/Berlin", "Etc/GMT+5", "UTC", "Asia/Kolkata", "Africa/Cairo"]
BUCKETS = [Frequency.HOUR, Frequency.DAY, Frequency.WEEK, Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR]
zones = st.sampled_from(ZONES)
days = st.dates(date(1990, 1, 1), date(2080, 1, 1))
KNOWN = datetime(2090, 1, 1, tzinfo=UTC)


def quarter_hours(first: date, zone: str, count: int) -> pl.DataFrame:
    """Return observations at the quarter hours from a local midnight on; whole numbers, so that sums are exact in any order."""
    start = day_start(first, zone)
    end = start + timedelta(minutes=15) * (count - 1)
    return pl.DataFrame({"ts": pl.datetime_range(start, end, "15m", time_unit="us", eager=True)}).select(
        "ts",
        value=(pl.int_range(pl.len()) * 7919 % 1000).cast(pl.Float64),
        quality=pl.lit(0, pl.Int16),
        known_at=pl.lit(KNOWN).cast(OBSERVATIONS["known_at"]),
    )


def by(frame: pl.DataFrame, freq: Frequency, agg: Aggregation, zone: str) -> pl.DataFrame:
    return resample(frame, series_frequency=Frequency.MIN_15, freq=freq, agg=agg, zone=zone)


@pytest.mark.parametrize("freq", BUCKETS)
@given(zones, days, st.integers(1, 3000))
@settings(max_examples=settings().max_examples // 10)
def test_sum_over_the_buckets_is_the_total(freq: Frequency, zone: str, first: date, count: int) -> None:
    frame = quarter_hours(first, zone, count)
    assert by(frame, freq, Aggregation.SUM, zone)["value"].sum() == frame["value"].sum()
    assert by(frame, freq, Aggregation.COUNT, zone)["value"].sum() == count


@given(zones, days)
@settings(max_examples=settings().max_examples * 2 // 5)
def test_a_day_counts_its_hours(zone: str, first: date) -> None:
    frame = quarter_hours(first, zone, 96 * 3)
    counts = by(frame, Frequency.DAY, Aggregation.COUNT, zone).select("ts", "value").rows()
    assert counts[0] == (day_start(first, zone), 4 * hours_in_day(first, zone))


@pytest.mark.parametrize("freq", BUCKETS)
@given(zones, days, st.integers(1, 3000))
@example("Africa/Cairo", date(2000, 4, 27), 189)
@settings(max_examples=settings().max_examples // 10)
def test_every_member_lies_in_its_bucket_and_buckets_do_not_overlap(
    freq: Frequency, zone: str, first: date, count: int
) -> None:
    frame = quarter_hours(first, zone, count)
    buckets = by(frame, freq, Aggregation.COUNT, zone).with_columns(end=interval_end(pl.col("ts"), freq, zone))
    assert (buckets["end"].head(-1) == buckets["ts"].tail(-1)).all()
    assert buckets["ts"].min() <= frame["ts"].min()
    assert frame["ts"].max() < buckets["end"].max()


@pytest.mark.parametrize("freq", BUCKETS)
@given(zones, days, st.integers(1, 3000))
@settings(max_examples=settings().max_examples // 10)
def test_buckets_start_where_the_local_clock_does(freq: Frequency, zone: str, first: date, count: int) -> None:
    """The standard library gives the expected local times, except for days whose midnight is skipped (Cairo)."""
    for start in by(quarter_hours(first, zone, count), freq, Aggregation.COUNT, zone)["ts"]:
        local = start.astimezone(ZoneInfo(zone))
        assert (local.minute, local.second) == (0, 0)
        assert freq is Frequency.HOUR or local.hour == 0 or zone == "Africa/Cairo"
        assert freq is not Frequency.WEEK or local.weekday() == 0
        assert freq not in (Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR) or local.day == 1
        assert freq is not Frequency.QUARTER or local.month in (1, 4, 7, 10)
        assert freq is not Frequency.YEAR or local.month == 1


@pytest.mark.parametrize("agg", [Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.FIRST, Aggregation.LAST])
@given(zones, days, st.integers(1, 3000))
@settings(max_examples=settings().max_examples // 10)
def test_a_month_by_way_of_its_days_is_the_same_month(agg: Aggregation, zone: str, first: date, count: int) -> None:
    frame = quarter_hours(first, zone, count)
    by_day = by(frame, Frequency.DAY, agg, zone)
    through = resample(by_day, series_frequency=Frequency.DAY, freq=Frequency.MONTH, agg=agg, zone=zone)
    assert through.drop("count").equals(by(frame, Frequency.MONTH, agg, zone).drop("count"))


@given(zones, days, st.integers(1, 500))
@settings(max_examples=settings().max_examples // 5)
def test_series_side_by_side_are_the_series_one_by_one(zone: str, first: date, count: int) -> None:
    one, other = quarter_hours(first, zone, count), quarter_hours(first + timedelta(days=40), zone, count)
    many = pl.concat([each.select(pl.lit(n, pl.Int32).alias("series_id"), pl.all()) for n, each in enumerate((one, other))])
    together = resample(
        many, series_frequency=Frequency.MIN_15, freq=Frequency.DAY, agg=Aggregation.MEAN, zone=zone, by=["series_id"]
    )
    for n, each in enumerate((one, other)):
        assert together.filter(series_id=n).drop("series_id").equals(by(each, Frequency.DAY, Aggregation.MEAN, zone))
