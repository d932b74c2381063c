"""The series that moved most: means of two days, complete series only, ties by key."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from aurum.core.calendars import parse_block
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.frequency import Frequency
from aurum.core.markettime import MARKETS
from aurum.core.series.movers import COMPARED, EXPECTED, MOVERS, compare, expected_intervals, hours_of_day, incomplete, rank
from aurum.core.series.partials import BUCKET, partials

NEW_YORK = "America/New_York"
DAY = datetime(2025, 11, 4, 5, tzinfo=UTC)


def day_of(*values: tuple[int, float, int]) -> pl.DataFrame:
    """Return the hours of one day from (series, value, quality), hour after hour for each series."""
    seen: dict[int, int] = {}
    rows = [
        (series_id, DAY + (seen.setdefault(series_id, 0)) * BUCKET, value, quality, DAY)
        for series_id, value, quality in values
        if not seen.update({series_id: seen.get(series_id, -1) + 1})
    ]
    return partials(pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row"))


def expecting(*rows: tuple[int, str, int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=EXPECTED, orient="row")


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 9), 23), (date(2025, 11, 2), 25), (date(2025, 11, 3), 24)])
def test_a_day_has_23_24_or_25_hours(day: date, hours: int) -> None:
    starts = hours_of_day(day, NEW_YORK)
    assert len(starts) == hours
    assert starts.is_sorted()
    assert {ts.astimezone(ZoneInfo(NEW_YORK)).date() for ts in starts} == {day}


def test_both_hours_that_end_at_two_belong_to_one_block_on_the_fall_day() -> None:
    night, day = (parse_block("nyiso", name) for name in ("7x8", "7x16"))
    fall = date(2025, 11, 2)
    assert [len(hours_of_day(fall, NEW_YORK, block)) for block in (night, day)] == [9, 16]


def test_a_block_may_have_no_hour_on_a_day() -> None:
    assert hours_of_day(date(2025, 11, 1), NEW_YORK, parse_block("nyiso", "ON_PEAK")).is_empty()


def test_days_of_every_market_are_whole_hours() -> None:
    for market in MARKETS.values():
        for month in range(1, 13):
            assert all(ts.minute == ts.second == 0 for ts in hours_of_day(date(2025, month, 1), market.zone)), market


@pytest.mark.parametrize(
    ("frequency", "whole", "in_block"),
    [("5min", 300, 300), ("15min", 100, 100), ("1h", 25, 25), ("1d", 1, None), ("1w", None, None), ("irregular", None, None)],
)
def test_expected_intervals_are_those_of_the_step(frequency: str, whole: int | None, in_block: int | None) -> None:
    assert expected_intervals(Frequency(frequency), 25) == whole
    assert expected_intervals(Frequency(frequency), 25, parse_block("nyiso", "7x24")) == in_block


def test_means_are_over_intervals_and_not_over_hours() -> None:
    rows = [(1, DAY + n * timedelta(minutes=15), value, 0, DAY) for n, value in enumerate([1.0, 1.0, 1.0, 1.0, 7.0])]
    hours = partials(pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row"))
    compared = compare(expecting((1, "a", 5, 5)), hours, hours)
    assert compared.schema == COMPARED
    assert compared.select("present_before", "before", "after").row(0) == (5, 2.2, 2.2)


def test_the_greatest_change_comes_first_and_equal_ones_by_key() -> None:
    before = day_of((1, 10.0, 0), (2, 40.0, 0), (3, 0.0, 0), (4, -5.0, 0))
    after = day_of((1, 12.0, 0), (2, 10.0, 0), (3, 30.0, 0), (4, -3.0, 0))
    series = expecting((1, "d", 1, 1), (2, "c", 1, 1), (3, "b", 1, 1), (4, "a", 1, 1))
    movers = rank(compare(series, before, after), most=3)
    assert movers.schema == MOVERS
    assert movers.rows() == [
        (3, "b", 0.0, 30.0, 30.0, None),
        (2, "c", 40.0, 10.0, -30.0, -0.75),
        (4, "a", -5.0, -3.0, 2.0, 0.4),
    ]
    assert rank(compare(series, before, after), most=9)["key"].to_list() == ["b", "c", "a", "d"]


def test_changes_that_differ_by_rounding_alone_are_equal() -> None:
    before = day_of(*((1, 41.7, 0),) * 3, *((2, 0.7, 0),) * 3)
    after = day_of(*((1, 42.7, 0),) * 3, *((2, 1.7, 0),) * 3)
    ranked = rank(compare(expecting((1, "b", 3, 3), (2, "a", 3, 3)), before, after), most=2)
    assert ranked["change"].n_unique() == 2
    assert ranked["key"].to_list() == ["a", "b"]


def test_a_series_that_lacks_an_interval_on_either_day_is_apart() -> None:
    nan = float("nan")
    whole = day_of(*((number, 1.0, 0) for number in range(1, 7) for _ in range(2)))
    gaps = day_of((1, 9.0, 0), (1, 9.0, 0), (2, 9.0, 0), (3, nan, 9), (3, 9.0, 0), (4, nan, 0), (4, 9.0, 0), (5, 1e300, 0))
    series = expecting(*((number, f"k{9 - number}", 2, 2) for number in range(1, 6)), (6, "k0", None, None))
    compared = compare(series, whole, gaps)
    assert rank(compared, most=9)["series_id"].to_list() == [1]
    apart = incomplete(compared)
    assert apart.select("key", "present_before", "present_after").rows() == [
        ("k0", 2, 0), ("k4", 2, 0), ("k5", 2, 1), ("k6", 2, 1), ("k7", 2, 1),
    ]  # fmt: skip
    assert rank(compare(series, gaps, whole), most=9)["series_id"].to_list() == [1]


def test_without_series_there_is_nothing_to_compare() -> None:
    compared = compare(expecting(), day_of(), day_of())
    assert (rank(compared, most=5).height, incomplete(compared).height) == (0, 0)
