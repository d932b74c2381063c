from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from aurum.core.calendars import BusinessDays, holidays, is_business_day, stored_business_days
from aurum.core.calendars.business_days import easter_sunday


@pytest.mark.parametrize(
    ("year", "easter"),
    [
        (1961, date(1961, 4, 2)),
        (2000, date(2000, 4, 23)),
        (2008, date(2008, 3, 23)),
        (2025, date(2025, 4, 20)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter_is_the_sunday_of_the_church(year: int, easter: date) -> None:
    assert easter_sunday(year) == easter


@pytest.mark.parametrize(
    ("calendar", "closed", "is_open"),
    [
        (
            BusinessDays.TARGET,
            ["2025-04-18", "2025-04-21", "2025-05-01", "2025-12-26", "2001-12-31"],
            ["1999-05-03", "2025-07-04"],
        ),
        (
            BusinessDays.NYMEX,
            ["2025-04-18", "2021-12-24", "2022-06-20", "2026-07-03"],
            ["2025-10-13", "2025-11-11", "2021-12-31"],
        ),
        (BusinessDays.US_FEDERAL, ["2025-10-13", "2025-11-11", "2025-06-19", "2023-01-02"], ["2025-04-18", "2021-12-24"]),
        (BusinessDays.US_TREASURY, ["2024-03-29", "2025-10-13"], ["2023-04-07", "2026-04-03"]),
        (
            BusinessDays.ENGLAND,
            ["2025-08-25", "2025-12-26", "2021-12-27", "2021-12-28", "2022-01-03"],
            ["2025-07-04", "2021-12-24"],
        ),
        (
            BusinessDays.ENGLAND,
            [
                *("1995-05-08", "1999-12-31", "2002-06-03", "2002-06-04", "2011-04-29", "2012-06-04", "2012-06-05"),
                *("2020-05-08", "2022-06-02", "2022-06-03", "2022-09-19", "2023-05-01", "2023-05-08", "2023-05-29"),
            ],
            ["1995-05-01", "2002-05-27", "2012-05-28", "2020-05-04", "2022-05-30", "2025-05-08"],
        ),
        (BusinessDays.NYMEX, ["2004-06-11"], ["2001-09-11", "2012-10-29", "2018-12-05", "2025-01-09"]),
        (BusinessDays.NERC, ["2025-07-04", "2025-11-27"], ["2025-04-18", "2025-11-11"]),
    ],
)
def test_calendars_close_on_their_holidays_and_on_no_others(
    calendar: BusinessDays, closed: list[str], is_open: list[str]
) -> None:
    days = pl.Series([date.fromisoformat(day) for day in (*closed, *is_open)])
    assert is_business_day(days, calendar).to_list() == [False] * len(closed) + [True] * len(is_open)


@pytest.mark.parametrize("calendar", list(BusinessDays))
def test_no_weekend_is_a_business_day(calendar: BusinessDays) -> None:
    days = pl.date_range(date(2019, 1, 1), date(2026, 12, 31), eager=True)
    are_open = is_business_day(days, calendar)
    assert not days.filter(are_open).dt.weekday().is_in([6, 7]).any()
    weekdays = [day for day in days.to_list() if day.isoweekday() < 6]
    closed = {day for day in weekdays if day in holidays(calendar, day.year) | holidays(calendar, day.year + 1)}
    assert are_open.sum() == len(weekdays) - len(closed)
    assert 4 * 8 <= len(closed) <= 12 * 8


def test_no_days_are_no_business_days() -> None:
    assert is_business_day(pl.Series([], dtype=pl.Date), BusinessDays.NYMEX).to_list() == []


def test_a_leap_year_of_the_ecb_has_256_rates() -> None:
    days = pl.Series([date(2024, 1, 1) + timedelta(days=number) for number in range(366)])
    assert is_business_day(days, BusinessDays.TARGET).sum() == 256


def test_a_calendar_of_a_newer_release_counts_as_every_day() -> None:
    assert stored_business_days("TARGET") is BusinessDays.TARGET
    assert stored_business_days("MOON") is None
    assert stored_business_days(None) is None
