from datetime import UTC, date, datetime

import polars as pl
import pytest

from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds, day_start, first_instant, hours_in_day, intervals_in_day, local_day

NEW_YORK = "America/New_York"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_fall_back_day_has_25_hours() -> None:
    assert day_bounds(date(2025, 11, 2), NEW_YORK) == (utc(2025, 11, 2, 4), utc(2025, 11, 3, 5))
    assert hours_in_day(date(2025, 11, 2), NEW_YORK) == 25


def test_spring_forward_day_has_23_hours() -> None:
    assert day_bounds(date(2025, 3, 9), NEW_YORK) == (utc(2025, 3, 9, 5), utc(2025, 3, 10, 4))
    assert hours_in_day(date(2025, 3, 9), NEW_YORK) == 23


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "UTC", "Etc/GMT-10"])
def test_clocks_that_never_change_have_24_hours_on_every_day(zone: str) -> None:
    assert {hours_in_day(date(2025, month, 2), zone) for month in range(1, 13)} == {24}


def test_market_days_in_eastern_standard_time_begin_at_five_utc() -> None:
    assert day_start(date(2025, 7, 1), "Etc/GMT+5") == utc(2025, 7, 1, 5)


def test_half_hour_change_makes_a_day_of_24_and_a_half_hours() -> None:
    assert hours_in_day(date(2025, 4, 6), "Australia/Lord_Howe") == 24.5


def test_day_without_midnight_begins_at_the_change() -> None:
    assert day_start(date(2024, 4, 26), "Africa/Cairo") == utc(2024, 4, 25, 22)  # 01:00 on the clock
    assert hours_in_day(date(2024, 4, 26), "Africa/Cairo") == 23


def test_day_with_two_midnights_begins_at_the_first() -> None:
    assert day_start(date(2024, 11, 3), "America/Havana") == utc(2024, 11, 3, 4)
    assert hours_in_day(date(2024, 11, 3), "America/Havana") == 25


@pytest.mark.parametrize(
    ("frequency", "count"),
    [(Frequency.MIN_5, 300), (Frequency.MIN_15, 100), (Frequency.HOUR, 25), (Frequency.DAY, None)],
)
def test_intervals_of_the_fall_day(frequency: Frequency, count: int | None) -> None:
    assert intervals_in_day(date(2025, 11, 2), NEW_YORK, frequency) == count


def test_irregular_series_have_no_count_of_intervals() -> None:
    assert intervals_in_day(date(2025, 1, 1), NEW_YORK, Frequency.IRREGULAR) is None


def test_local_day_turns_at_local_midnight() -> None:
    ts = pl.Series([utc(2025, 7, 1, 3, 59), utc(2025, 7, 1, 4)])
    assert pl.select(local_day(pl.lit(ts), NEW_YORK)).to_series().to_list() == [date(2025, 6, 30), date(2025, 7, 1)]


def test_first_instant_of_ordinary_repeated_and_skipped_midnights() -> None:
    cases = [
        (NEW_YORK, datetime.fromisoformat("2025-07-01"), utc(2025, 7, 1, 4)),
        ("America/Havana", datetime.fromisoformat("2024-11-03"), utc(2024, 11, 3, 4)),
        ("Africa/Cairo", datetime.fromisoformat("2024-04-26"), utc(2024, 4, 25, 22)),
    ]
    for zone, naive, expected in cases:
        assert pl.select(first_instant(pl.lit(naive), zone)).item() == expected
