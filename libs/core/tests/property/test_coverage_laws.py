"""Laws of coverage, against a model in plain Python that walks from step to step and asks the clock where it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurum.core.calendars import Block, BusinessDays, holidays, nerc_holidays, parse_block
from aurum.core.calendars.blocks import Holidays
from aurum.core.catalog import Quality
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.frequency import Frequency
from aurum.core.series.coverage import counted_values, native_steps, with_coverage
from aurum.core.series.partials import CannotCompose, compose, composes, partials
from aurum.core.series.resample import Aggregation, interval_end, resample

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Etc/GMT+5",
    "UTC",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
)
BLOCKS = (parse_block("pjm", "ON_PEAK"), parse_block("caiso", "OFF_PEAK"), parse_block("entsoe", "PEAK"))
FIXED = (Frequency.MIN_5, Frequency.MIN_15, Frequency.MIN_30, Frequency.HOUR)
CALENDAR = (Frequency.DAY, Frequency.WEEK, Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR)
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)
_REACH = timedelta(days=17)

starts = st.datetimes(datetime(2024, 2, 20), datetime(2025, 11, 9)).map(
    lambda naive: naive.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)


def local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone))


def calendar_bucket(day: date, freq: Frequency) -> date:
    match freq:
        case Frequency.DAY:
            return day
        case Frequency.WEEK:
            return day - timedelta(days=day.weekday())
        case Frequency.MONTH:
            return day.replace(day=1)
        case Frequency.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case _:
            return day.replace(month=1, day=1)


def is_in_block(instant: datetime, block: Block) -> bool:
    clock = local(instant, block.zone)
    is_holiday = block.holidays is Holidays.NERC and clock.date() in nerc_holidays(clock.year)
    return (7 if is_holiday else clock.weekday()) * 24 + clock.hour in block.slots


def steps_around(stamp: datetime, frequency: Frequency, zone: str) -> Iterator[datetime]:
    """The instants at which a series has values: for ``_REACH``, or 800 calendar steps, before and after one of them."""
    if frequency.step is not None:
        first = stamp - _REACH // frequency.step * frequency.step
        yield from (first + number * frequency.step for number in range(2 * _REACH // frequency.step))
        return
    clock = local(stamp, zone).replace(tzinfo=None)
    for number in range(-800, 801):
        match frequency:
            case Frequency.DAY:
                naive = clock + timedelta(days=number)
            case Frequency.WEEK:
                naive = clock + timedelta(days=7 * number)
            case _:
                months = {Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.YEAR: 12}[frequency] * number
                years, month = divmod(clock.month - 1 + months, 12)
                if not 1900 < clock.year + years < 2100:
                    continue
                naive = clock.replace(year=clock.year + years, month=month + 1)
        yield naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def rows_of(stamps: list[datetime], missing: set[int], withdrawn: set[int]) -> pl.DataFrame:
    rows = [
        (
            1,
            ts,
            math.nan if number in withdrawn else float(number % 7),
            int(Quality.WITHDRAWN) if number in withdrawn else 0,
            KNOWN,
        )
        for number, ts in enumerate(stamps)
        if number not in missing
    ]
    return pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row")


def aggregated(
    frame: pl.DataFrame,
    stamp: datetime,
    native: Frequency,
    own: str,
    freq: Frequency,
    zone: str,
    block: Block | None = None,
    business_days: BusinessDays | None = None,
    agg: Aggregation = Aggregation.MEAN,
    by_hours: bool = False,
    min_coverage: float | None = None,
) -> pl.DataFrame:
    if by_hours:
        result = compose(partials(frame), series_frequency=native, freq=freq, agg=agg, zone=zone, block=block)
    else:
        if block is not None:
            frame = frame.filter(pl.Series([is_in_block(ts, block) for ts in frame["ts"]], dtype=pl.Boolean))
        counted = counted_values(native_steps(native, own, stamp, business_days), freq=freq)
        result = resample(frame, series_frequency=native, freq=freq, agg=agg, zone=zone, by=["series_id"], counted=counted)
    result = result.with_columns(interval_end(pl.col("ts"), freq, zone).alias("end"))
    steps = native_steps(native, own, stamp, business_days)
    return with_coverage(result, steps=steps, freq=freq, zone=zone, block=block, min_coverage=min_coverage)


def gaps(data: st.DataObject, length: int) -> tuple[set[int], set[int]]:
    numbers = st.sets(st.integers(0, max(length - 1, 0)), max_size=5)
    return data.draw(numbers, "missing"), data.draw(numbers, "withdrawn")


@given(
    starts,
    st.sampled_from(FIXED),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from((Frequency.DAY, Frequency.WEEK)),
    st.sampled_from((None, *BLOCKS)),
    st.data(),
)
@settings(max_examples=settings().max_examples // 4)
def test_fixed_steps_are_counted_as_the_clock_shows_them(
    start: datetime, native: Frequency, own: str, zone: str, freq: Frequency, block: Block | None, data: st.DataObject
) -> None:
    assert native.step is not None
    stamps = [start + number * native.step for number in range(9 * timedelta(days=1) // native.step)]
    missing, withdrawn = gaps(data, len(stamps))
    got = aggregated(rows_of(stamps, missing, withdrawn), start, native, own, freq, zone, block)
    expected, count = Counter[date](), Counter[date]()
    for ts in steps_around(start, native, own):
        if block is None or is_in_block(ts, block):
            expected[calendar_bucket(local(ts, zone).date(), freq)] += 1
    for number, ts in enumerate(stamps):
        if number not in missing | withdrawn and (block is None or is_in_block(ts, block)):
            count[calendar_bucket(local(ts, zone).date(), freq)] += 1
    assert [local(ts, zone).date() for ts in got["ts"]] == sorted(count)
    for ts, counted, whole, coverage, quality in got.select("ts", "count", "expected", "coverage", "quality").rows():
        day = local(ts, zone).date()
        assert (counted, whole) == (count[day], expected[day])
        assert coverage == counted / whole
        assert (quality == Quality.PARTIAL) == (counted < whole)
    if composes(native, freq, Aggregation.MEAN):
        try:
            hours = aggregated(rows_of(stamps, missing, withdrawn), start, native, own, freq, zone, block, by_hours=True)
        except CannotCompose:
            return
        columns = ["ts", "count", "expected", "coverage", "quality", "known_at"]
        assert hours.select(columns).equals(got.select(columns))


@given(
    starts,
    st.sampled_from(
        (
            (Frequency.MIN_5, Frequency.MIN_15),
            (Frequency.MIN_10, Frequency.MIN_15),
            (Frequency.MIN_15, Frequency.HOUR),
            (Frequency.MIN_30, Frequency.MIN_30),
            (Frequency.HOUR, Frequency.HOUR),
        )
    ),
    st.sampled_from(ZONES),
    st.sampled_from((None, *BLOCKS)),
    st.data(),
)
@settings(max_examples=settings().max_examples // 4)
def test_steps_up_to_an_hour_count_what_their_clock_puts_in_them(
    start: datetime, steps: tuple[Frequency, Frequency], zone: str, block: Block | None, data: st.DataObject
) -> None:
    native, freq = steps
    assert native.step is not None
    assert freq.step is not None
    # From a change of clocks on Lord Howe Island, which is by half an hour, or from anywhere.
    start = data.draw(st.sampled_from([start, datetime(2025, 4, 5, 10, tzinfo=UTC), datetime(2024, 10, 5, 10, tzinfo=UTC)]))
    stamps = [start + number * native.step for number in range(60)]
    missing, withdrawn = gaps(data, len(stamps))
    got = aggregated(rows_of(stamps, missing, withdrawn), start, native, zone, freq, zone, block)

    def bucket(ts: datetime) -> datetime:
        clock = local(ts, zone)
        past = timedelta(minutes=clock.minute, seconds=clock.second)
        return ts - past % freq.step  # type: ignore[operator]

    inside = [ts for ts in steps_around(start, native, zone) if abs(ts - start) < timedelta(days=4)]
    expected = Counter(bucket(ts) for ts in inside if block is None or is_in_block(ts, block))
    for ts, counted, whole, quality in got.select("ts", "count", "expected", "quality").rows():
        assert whole == expected[ts]
        assert (quality == Quality.PARTIAL) == (counted < whole)


@given(
    st.dates(date(2015, 1, 1), date(2025, 12, 1)),
    st.sampled_from(CALENDAR),
    st.sampled_from(CALENDAR),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from((None, *BusinessDays)),
    st.sampled_from((0, 9)),
    st.data(),
)
@settings(max_examples=settings().max_examples * 2 // 5)
def test_calendar_steps_are_counted_by_their_starts(
    day: date,
    native: Frequency,
    freq: Frequency,
    own: str,
    zone: str,
    business_days: BusinessDays | None,
    hour: int,
    data: st.DataObject,
) -> None:
    if freq.order < native.order:
        native, freq = freq, native
    if native not in (Frequency.DAY, Frequency.WEEK):
        day, hour = calendar_bucket(day, native), 0
    if native is not Frequency.DAY:
        business_days = None
    stamp = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(own)).astimezone(UTC)
    instants = [
        ts for ts in steps_around(stamp, native, own) if is_expected(ts, own, None if freq is native else business_days)
    ]
    expected = Counter(calendar_bucket(local(ts, zone).date(), freq) for ts in instants)
    near = [ts for ts in instants if abs(ts - stamp) < timedelta(days=400)][:40]
    missing, withdrawn = gaps(data, len(near))
    got = aggregated(rows_of(near, missing, withdrawn), stamp, native, own, freq, zone, business_days=business_days)
    for ts, counted, whole, quality in got.select("ts", "count", "expected", "quality").rows():
        assert whole == expected[local(ts, zone).date()]
        assert (quality == Quality.PARTIAL) == (counted < whole)


def is_expected(ts: datetime, zone: str, business_days: BusinessDays | None) -> bool:
    day = local(ts, zone).date()
    return business_days is None or (
        day.isoweekday() < 6 and day not in holidays(business_days, day.year) | holidays(business_days, day.year + 1)
    )


@given(st.sets(st.integers(0, 58), max_size=30), st.sampled_from((Frequency.WEEK, Frequency.MONTH)))
def test_a_value_on_a_holiday_does_not_stand_for_a_missing_one(missing: set[int], freq: Frequency) -> None:
    """All days of November and December, weekends and Thanksgiving included, without some."""
    zone = "America/New_York"
    stamps = [datetime(2025, 11, 1 + n, tzinfo=ZoneInfo(zone)) for n in range(30)]
    stamps += [datetime(2025, 12, 1 + n, tzinfo=ZoneInfo(zone)) for n in range(29)]
    stamps = [ts.astimezone(UTC) for ts in stamps]
    calendar = BusinessDays.NYMEX
    got = aggregated(rows_of(stamps, missing, set()), stamps[0], Frequency.DAY, zone, freq, zone, business_days=calendar)
    present = [ts for n, ts in enumerate(stamps) if n not in missing]
    buckets = sorted({calendar_bucket(local(ts, zone).date(), freq) for ts in present})
    count = Counter(calendar_bucket(local(ts, zone).date(), freq) for ts in present if is_expected(ts, zone, calendar))
    assert [local(ts, zone).date() for ts in got["ts"]] == buckets
    assert got["count"].to_list() == [count[bucket] for bucket in buckets]
    partial = (got["quality"] == int(Quality.PARTIAL)).to_list()
    assert partial == (got["count"] < got["expected"]).to_list()


def test_a_value_on_a_holiday_fills_its_own_day() -> None:
    zone = "America/New_York"
    thanksgiving = datetime(2025, 11, 27, 5, tzinfo=UTC)
    rows = rows_of([thanksgiving], set(), set())
    calendar = BusinessDays.NYMEX
    day = aggregated(rows, thanksgiving, Frequency.DAY, zone, Frequency.DAY, zone, business_days=calendar)
    assert day.select("count", "expected", "coverage").rows() == [(1, 1, 1.0)]
    month = aggregated(rows, thanksgiving, Frequency.DAY, zone, Frequency.MONTH, zone, business_days=calendar)
    assert month.select("value", "count", "expected", "coverage").rows() == [(0.0, 0, 19, 0.0)]


@pytest.mark.parametrize("agg", list(Aggregation))
def test_counts_are_the_same_for_every_aggregation(agg: Aggregation) -> None:
    start = datetime(2025, 11, 2, 4, tzinfo=UTC)
    frame = rows_of([start + number * timedelta(hours=1) for number in range(60)], {3}, {7})
    got = aggregated(frame, start, Frequency.HOUR, "America/New_York", Frequency.DAY, "America/New_York", agg=agg)
    assert got.select("count", "expected").rows() == [(23, 25), (24, 24), (11, 24)]
    assert got["quality"].to_list() == [Quality.PARTIAL, Quality.GOOD, Quality.PARTIAL]


@given(st.floats(0, 1))
def test_a_bucket_below_the_least_coverage_is_withheld_and_shows_its_counts(least: float) -> None:
    start = datetime(2025, 3, 9, 5, tzinfo=UTC)
    frame = rows_of([start + number * timedelta(hours=1) for number in range(70)], set(range(5, 12)), set())
    zone = "America/New_York"
    got = aggregated(frame, start, Frequency.HOUR, zone, Frequency.DAY, zone, min_coverage=least)
    assert got.select("count", "expected").rows() == [(16, 23), (24, 24), (23, 24)]
    for value, coverage in got.select("value", "coverage").rows():
        assert math.isnan(value) == (coverage < least)
