"""Days and blocks composed from hours equal those of the rows, in every zone whose clock differs from UTC by whole hours."""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.calendars import block_mask, default_blocks
from aurum.core.errors import UnknownName
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_start, parse_zone
from aurum.core.series.partials import CannotCompose, compose, partials
from aurum.core.series.resample import Aggregation, resample

ZONES = sorted(available_timezones())
MARKETS = [
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Edmonton",
    "Europe/Berlin",
    "Etc/GMT+5",
    "UTC",
]
CHANGES = [date(2025, 3, 9), date(2025, 11, 2), date(2025, 3, 30), date(2025, 10, 26)]
FREQS = [Frequency.HOUR, Frequency.DAY, Frequency.WEEK, Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR]
AGGS = [Aggregation.MEAN, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT]
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def rows(start: datetime, count: int, minutes: int, values: list[float], quality: list[int]) -> pl.DataFrame:
    """Return two series of one step; values and qualities are repeated to their length."""
    ts = pl.datetime_range(start, start + timedelta(minutes=minutes) * (count - 1), f"{minutes}m", time_unit="us", eager=True)
    one = pl.DataFrame({"ts": ts}).with_row_index("n")

    def column(content: list[float] | list[int], kind: pl.DataType) -> pl.Expr:
        return pl.col("n").map_batches(lambda n: pl.Series([content[i % len(content)] for i in n], dtype=kind))

    made = one.select(
        "ts",
        value=column(values, pl.Float64()),
        quality=column(quality, pl.Int16()),
        known_at=(pl.lit(T0) + pl.duration(minutes=pl.col("n") * 7919 % 1000)).cast(MANY_OBSERVATIONS["known_at"]),
    )
    both = [made.select(pl.lit(n, pl.Int32).alias("series_id"), pl.all()) for n in (1, 2)]
    return pl.concat([both[0], both[1].filter(pl.col("ts") > start + timedelta(hours=5))])


def of_rows(frame: pl.DataFrame, freq: Frequency, agg: Aggregation, zone: str, minutes: int) -> pl.DataFrame:
    step = Frequency(f"{minutes}min")
    return resample(frame, series_frequency=step, freq=freq, agg=agg, zone=zone, by=["series_id"])


def of_hours(frame: pl.DataFrame, freq: Frequency, agg: Aggregation, zone: str, minutes: int) -> pl.DataFrame:
    return compose(partials(frame), series_frequency=Frequency(f"{minutes}min"), freq=freq, agg=agg, zone=zone)


def is_whole_in_each_hour(zone: str, ts: pl.Series) -> bool:
    """Return whether the clock differs from UTC by whole hours during every hour of UTC that has a row."""
    minutes = pl.duration(minutes=pl.int_range(60, dtype=pl.Int64))
    hours = ts.to_frame("hour").select(pl.col("hour").dt.truncate("1h").unique())
    local = hours.join(pl.select(minutes.alias("later")), how="cross").select(
        "hour", local=(pl.col("hour") + pl.col("later")).dt.convert_time_zone(zone)
    )
    offset = pl.col("local").dt.base_utc_offset() + pl.col("local").dt.dst_offset()
    return local.select(((offset.dt.total_seconds() % 3600 == 0) & (offset == offset.first().over("hour"))).all()).item()


# Whole numbers, so that sums are exact in any order; NaN does not stand, nor does what was withdrawn (9).
whole_numbers = st.lists(st.one_of(st.integers(-1000, 1000).map(float), st.just(math.nan)), min_size=1, max_size=50)
qualities = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 9]), min_size=1, max_size=50)
steps = st.sampled_from([1, 5, 10, 15, 30])
days = st.one_of(st.sampled_from(CHANGES), st.dates(date(1990, 1, 1), date(2040, 1, 1)))


@pytest.mark.parametrize("agg", AGGS)
@pytest.mark.parametrize("freq", FREQS)
@given(
    zone=st.sampled_from(MARKETS), first=days, minutes=steps, count=st.integers(1, 800), values=whole_numbers, quality=qualities
)
@settings(max_examples=settings().max_examples // 12)
def test_hours_give_the_same_as_the_rows(
    agg: Aggregation, freq: Frequency, zone: str, first: date, minutes: int, count: int, values: list[float], quality: list[int]
) -> None:
    frame = rows(day_start(first, zone) + timedelta(minutes=minutes), count, minutes, values, quality)
    assert_frame_equal(of_hours(frame, freq, agg, zone, minutes), of_rows(frame, freq, agg, zone, minutes), check_exact=True)


@given(zone=st.sampled_from(ZONES), first=st.dates(date(1950, 1, 1), date(2040, 1, 1)), count=st.integers(1, 1000))
@example(zone="Australia/Lord_Howe", first=date(2025, 4, 5), count=400)
@example(zone="Asia/Kathmandu", first=date(2025, 4, 5), count=400)
@example(zone="Africa/Cairo", first=date(2025, 4, 24), count=400)
@example(zone="Asia/Hong_Kong", first=date(1976, 4, 18), count=37)  # the clock changes at half past an hour, after the last row
@settings(max_examples=settings().max_examples * 3 // 2)
def test_every_zone_is_answered_rightly_or_refused_for_its_clock(zone: str, first: date, count: int) -> None:
    try:
        parse_zone(zone)
    except UnknownName:
        assume(False)
    start = day_start(first, zone)
    frame = rows(start, count, 5, [3.0, -2.0, 7.0], [0, 1])
    try:
        composed = of_hours(frame, Frequency.DAY, Aggregation.SUM, zone, 5)
    except CannotCompose:
        assert not is_whole_in_each_hour(zone, frame["ts"])
        return
    assert is_whole_in_each_hour(zone, frame["ts"])
    assert_frame_equal(composed, of_rows(frame, Frequency.DAY, Aggregation.SUM, zone, 5), check_exact=True)


@given(first=st.sampled_from(CHANGES), block=st.sampled_from(default_blocks()), agg=st.sampled_from(AGGS))
@settings(max_examples=settings().max_examples * 3 // 5)
def test_blocks_of_whole_hours_are_those_of_the_rows(first: date, block: object, agg: Aggregation) -> None:
    frame = rows(day_start(first, block.zone) - timedelta(days=2), 12 * 24 * 5, 5, [1.0, 5.0, -4.0], [0, 2])
    composed = compose(
        partials(frame), series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=agg, zone=block.zone, block=block
    )
    inside = frame.filter(block_mask(frame["ts"], block))
    assert_frame_equal(composed, of_rows(inside, Frequency.DAY, agg, block.zone, 5), check_exact=True)


@given(values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=400), agg=st.sampled_from(["mean", "sum"]))
@settings(max_examples=settings().max_examples // 2)
def test_sums_of_fractions_differ_by_rounding_alone(values: list[float], agg: str) -> None:
    frame = rows(T0, len(values), 5, values, [0]).filter(series_id=1)
    composed = of_hours(frame, Frequency.YEAR, Aggregation(agg), "UTC", 5)["value"].item()
    expected = of_rows(frame, Frequency.YEAR, Aggregation(agg), "UTC", 5)["value"].item()
    allowed = len(values) * 2.0**-53 * sum(map(abs, values)) / (len(values) if agg == "mean" else 1)
    assert abs(composed - expected) <= allowed + 5e-324
