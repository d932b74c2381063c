"""Ticks of axes follow the local clock, on days on which it changes as well."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from aurum.charts.ticks import bucket_edges, number_labels, number_scale, time_ticks

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(("day", "hours"), [("2024-10-27", 25), ("2024-03-31", 23), ("2024-06-01", 24)])
def test_a_day_has_as_many_hours_as_its_clock_shows(day: str, hours: int) -> None:
    start, end = at(day), at((datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat())
    ticks = time_ticks(start, end, "Europe/Berlin", most=30)
    assert len(ticks) == hours + 1
    assert {later.at - earlier.at for earlier, later in pairwise(ticks)} == {3_600.0}


def test_the_hour_that_comes_twice_has_the_abbreviations_of_both_of_its_times() -> None:
    ticks = time_ticks(at("2024-10-27"), at("2024-10-28"), "Europe/Berlin", most=30)
    assert [(one.label, one.below) for one in ticks[1:5]] == [("01:00", ""), ("02:00", "CEST"), ("02:00", "CET"), ("03:00", "")]


@pytest.mark.parametrize(("most", "step"), [(20, 2), (13, 2), (9, 3)])
@pytest.mark.parametrize(
    ("zone", "day", "second"),
    [("America/New_York", "2023-11-05", ("01:00", "EST")), ("Europe/Berlin", "2024-10-27", ("02:00", "CET"))],
)
def test_the_second_of_two_equal_hours_has_a_tick_at_steps_of_some_hours_with_room_beside_it(
    most: int, step: int, zone: str, day: str, second: tuple[str, str]
) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()
    end = start + 25 * 3_600
    ticks = time_ticks(start, end, zone, most=most)
    assert second in [(one.label, one.below) for one in ticks]
    assert {one.label for one in ticks} >= {f"{hour:02d}:00" for hour in range(6, 24, step) if hour % step == 0}
    labelled = [one.at for one in ticks if one.label]
    assert min(later - earlier for earlier, later in pairwise(labelled)) >= 0.6 * (end - start) / most
    assert {(one.at - start) // 3_600 for one in ticks} >= {0, 24 + 1}


def test_days_have_ticks_of_their_own_and_never_hours() -> None:
    friday, monday = at("2024-10-11"), at("2024-10-14")
    ticks = time_ticks(friday, monday, "Europe/Berlin", most=14, days=[friday, monday, friday])
    assert [(one.at, one.label, one.below) for one in ticks] == [(friday, "11 Oct", "2024"), (monday, "14 Oct", "")]


def test_days_too_many_for_a_tick_each_have_none_at_weekends() -> None:
    days = [at(f"2024-10-{day:02d}") for day in range(1, 22) if date(2024, 10, day).weekday() < 5]
    ticks = time_ticks(days[0], days[-1], "Europe/Berlin", most=11, days=days)
    assert 4 < len(ticks) <= 11
    assert {one.at for one in ticks} <= set(days)


@pytest.mark.parametrize(("bucket", "count"), [("hour", 25), ("day", 1), ("week", 1), ("month", 1)])
def test_the_buckets_of_a_day_of_25_hours_cover_it(bucket: str, count: int) -> None:
    start, end = at("2024-10-27"), at("2024-10-28") - 1
    edges = bucket_edges(bucket, start, end, BERLIN)
    assert edges[0] <= start < end < edges[-1]
    assert len(edges) == count + 1


def test_steps_of_hours_keep_to_the_clock_after_it_changes() -> None:
    ticks = time_ticks(at("2024-10-26"), at("2024-10-29"), "Europe/Berlin", most=13)
    assert {one.label for one in ticks} == {"00:00", "06:00", "12:00", "18:00"}
    assert [one.below for one in ticks if one.below] == ["26 Oct 2024", "27 Oct 2024", "28 Oct 2024", "29 Oct 2024"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("days", [0.1, 0.5, 2, 9, 40, 200, 800, 4_000, 30_000])
def test_a_span_of_any_length_has_a_few_ticks_within_it(days: float, zone: str) -> None:
    start = at("2024-02-03")
    end = start + days * 86_400
    ticks = time_ticks(start, end, zone, most=12)
    assert 1 <= len(ticks) <= 14
    assert all(start <= one.at <= end for one in ticks)
    assert sorted(one.at for one in ticks) == [one.at for one in ticks]


def test_the_year_stands_below_the_first_month_of_each() -> None:
    ticks = time_ticks(at("2024-10-01"), at("2025-05-01"), "Europe/Berlin", most=12)
    assert [(one.label, one.below) for one in ticks][:5] == [
        ("Oct", "2024"),
        ("Nov", ""),
        ("Dec", ""),
        ("Jan", "2025"),
        ("Feb", ""),
    ]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.9), (59, 61), (1e-7, 3e-7), (-1e9, 1e9), (5, 5), (0, 0), (-2, -2)])
@pytest.mark.parametrize("most", [3, 4, 7, 12])
def test_an_axis_of_numbers_ends_a_little_beyond_them_however_few_it_labels(low: float, high: float, most: int) -> None:
    scale = number_scale(low, high, most=most)
    assert scale.low <= low <= high <= scale.high
    assert scale.low < scale.high
    assert scale.high - scale.low <= 1.2 * (high - low) or high == low
    assert (scale.low, scale.high) == (number_scale(low, high, most=9).low, number_scale(low, high, most=9).high)
    assert 2 <= len(scale.ticks) <= most + 1
    assert all(scale.low - 1e-12 <= one <= scale.high + 1e-12 for one in scale.ticks)
    assert len(set(number_labels(scale.ticks))) == len(scale.ticks)


def test_an_axis_that_ends_at_zero_stays_there() -> None:
    assert number_scale(0.0, 5.0, most=5).low == 0.0
    assert number_scale(-5.0, 0.0, most=5).high == 0.0


def test_labels_have_the_decimals_that_their_step_needs() -> None:
    assert list(number_labels([0, 2.5, 5])) == ["0.0", "2.5", "5.0"]
    assert list(number_labels([-1_000, 0, 1_000])) == ["\N{MINUS SIGN}1,000", "0", "1,000"]
    assert list(number_labels([0.1, 0.125])) == ["0.100", "0.125"]
