from datetime import date

import polars as pl
import pytest

from aurum.core.calendars import is_nerc_holiday, nerc_holidays


def test_the_published_list_of_2010() -> None:
    """NERC Resources Subcommittee, "Additional Off-peak Days", 2010-2015: the Fourth of July was a Sunday."""
    assert nerc_holidays(2010) == (
        date(2010, 1, 1),
        date(2010, 5, 31),
        date(2010, 7, 5),
        date(2010, 9, 6),
        date(2010, 11, 25),
        date(2010, 12, 25),
    )


@pytest.mark.parametrize(
    ("holiday", "observed"),
    [
        (date(2017, 1, 1), date(2017, 1, 2)),
        (date(2021, 7, 4), date(2021, 7, 5)),
        (date(2022, 12, 25), date(2022, 12, 26)),
    ],
)
def test_sunday_is_observed_on_monday(holiday: date, observed: date) -> None:
    assert holiday.strftime("%a") == "Sun"
    assert observed in nerc_holidays(holiday.year)
    assert holiday not in nerc_holidays(holiday.year)


@pytest.mark.parametrize("holiday", [date(2011, 1, 1), date(2026, 7, 4), date(2021, 12, 25)])
def test_saturday_stays(holiday: date) -> None:
    assert holiday.strftime("%a") == "Sat"
    assert holiday in nerc_holidays(holiday.year)


def test_memorial_day_is_the_last_monday_of_may_also_when_there_are_five() -> None:
    assert nerc_holidays(2027)[1] == date(2027, 5, 31)
    assert nerc_holidays(2026)[1] == date(2026, 5, 25)


def test_thanksgiving_is_the_fourth_thursday_not_the_last() -> None:
    assert nerc_holidays(2023)[4] == date(2023, 11, 23)  # the 30th is a Thursday too


def test_six_days_a_year_in_order_and_the_same_by_column() -> None:
    days = pl.date_range(date(1900, 1, 1), date(2199, 12, 31), eager=True)
    listed = [day for year in range(1900, 2200) for day in nerc_holidays(year)]
    assert len(listed) == 6 * 300
    assert listed == sorted(listed)
    assert days.to_frame("day").filter(is_nerc_holiday(pl.col("day")))["day"].to_list() == listed
