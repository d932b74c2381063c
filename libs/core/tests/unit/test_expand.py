from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aurum.core.asof import InvalidSpan
from aurum.core.calendars import BLOCK_HOURS, block_hours, block_mask, count_hours, parse_block

YEAR_2025 = date(2025, 1, 1), date(2026, 1, 1)
FALL = date(2025, 11, 2), date(2025, 11, 3)
SPRING = date(2025, 3, 9), date(2025, 3, 10)


def test_pjm_2025_has_255_on_peak_days_of_16_hours() -> None:
    hours = block_hours(parse_block("pjm", "ON_PEAK"), *YEAR_2025)
    assert hours.schema == BLOCK_HOURS
    assert hours["day"].n_unique() == 255
    assert hours.height == 4080


def test_pjm_2025_has_4680_off_peak_hours() -> None:
    assert count_hours(parse_block("pjm", "OFF_PEAK"), *YEAR_2025) == 4680


@pytest.mark.parametrize(
    ("calendar", "block", "days", "hours"),
    [
        ("pjm", "7x24", FALL, 25),
        ("pjm", "OFF_PEAK", FALL, 25),
        ("pjm", "2x16", FALL, 16),
        ("pjm", "7x8", FALL, 9),
        ("pjm", "7x24", SPRING, 23),
        ("pjm", "2x16", SPRING, 16),
        ("pjm", "7x8", SPRING, 7),
        ("pjm", "ON_PEAK", SPRING, 0),
        ("miso_tariff", "7x8", FALL, 8),  # Eastern Standard Time knows no change of clocks
        ("miso_tariff", "7x24", SPRING, 24),
        ("caiso", "1x16", FALL, 16),
        ("caiso", "7x8", SPRING, 7),
        ("entsoe", "BASE", (date(2025, 3, 30), date(2025, 3, 31)), 23),
    ],
)
def test_hours_on_the_days_clocks_change(calendar: str, block: str, days: tuple[date, date], hours: int) -> None:
    assert count_hours(parse_block(calendar, block), *days) == hours


def test_labels_of_the_fall_day_show_hour_2_twice() -> None:
    hours = block_hours(parse_block("pjm", "7x24"), *FALL)
    assert hours["hour_ending"].to_list() == [1, 2, 2, *range(3, 25)]
    assert hours["ts"][1] == datetime(2025, 11, 2, 5, tzinfo=UTC)
    assert hours["day"].unique().to_list() == [FALL[0]]


def test_labels_of_the_spring_day_leave_hour_3_out() -> None:
    assert block_hours(parse_block("pjm", "7x8"), *SPRING)["hour_ending"].to_list() == [1, 2, 4, 5, 6, 7, 24]


def test_holidays_leave_the_weekdays_and_join_the_weekend() -> None:
    thanksgiving = date(2025, 11, 27), date(2025, 11, 28)
    assert count_hours(parse_block("pjm", "5x16"), *thanksgiving) == 0
    assert block_hours(parse_block("pjm", "2x16"), *thanksgiving)["hour_ending"].to_list() == list(range(8, 24))


def test_monday_after_a_sunday_holiday_is_off_peak() -> None:
    assert count_hours(parse_block("ercot", "ON_PEAK"), date(2021, 7, 5), date(2021, 7, 6)) == 0


def test_european_peak_counts_public_holidays() -> None:
    assert count_hours(parse_block("entsoe", "PEAK"), date(2025, 12, 25), date(2025, 12, 26)) == 12


def test_western_peak_counts_saturdays() -> None:
    saturday = date(2025, 6, 7), date(2025, 6, 8)
    assert block_hours(parse_block("caiso", "ON_PEAK"), *saturday)["hour_ending"].to_list() == list(range(7, 23))
    assert count_hours(parse_block("ercot", "ON_PEAK"), *saturday) == 0


def test_miso_has_one_peak_for_futures_and_another_in_its_tariff() -> None:
    summer, winter = (date(2025, 7, 1), date(2025, 7, 2)), (date(2025, 1, 7), date(2025, 1, 8))
    market, tariff = parse_block("miso", "ON_PEAK"), parse_block("miso_tariff", "ON_PEAK")
    assert block_hours(market, *summer)["ts"][0] == datetime(2025, 7, 1, 11, tzinfo=UTC)  # 07:00 EDT
    assert block_hours(tariff, *summer)["ts"][0] == datetime(2025, 7, 1, 11, tzinfo=UTC)  # 06:00 EST
    assert block_hours(market, *winter)["ts"][0] == datetime(2025, 1, 7, 12, tzinfo=UTC)  # 07:00 EST
    assert block_hours(tariff, *winter)["ts"][0] == datetime(2025, 1, 7, 11, tzinfo=UTC)


def test_empty_range_has_no_hours_and_a_reversed_one_is_refused() -> None:
    block = parse_block("pjm", "ON_PEAK")
    assert block_hours(block, FALL[0], FALL[0]).schema == BLOCK_HOURS
    assert count_hours(block, FALL[0], FALL[0]) == 0
    with pytest.raises(InvalidSpan) as caught:
        block_hours(block, FALL[1], FALL[0])
    assert caught.value.facts == {"start": "2025-11-03", "end": "2025-11-02"}


def test_mask_takes_series_and_expressions_alike() -> None:
    block = parse_block("pjm", "ON_PEAK")
    ts = pl.datetime_range(datetime(2025, 7, 1, 4, tzinfo=UTC), datetime(2025, 7, 2, 3, tzinfo=UTC), "1h", eager=True).alias(
        "ts"
    )
    mask = block_mask(ts, block)
    assert mask.name == "ts"
    assert mask.dtype == pl.Boolean
    assert mask.to_list() == ts.to_frame().select(block_mask(pl.col("ts"), block)).to_series().to_list()
    assert ts.filter(mask).to_list() == block_hours(block, date(2025, 7, 1), date(2025, 7, 2))["ts"].to_list()


def test_five_minute_intervals_belong_to_the_block_of_their_hour() -> None:
    midnight = datetime(2025, 7, 1, 4, tzinfo=UTC)
    ts = pl.datetime_range(midnight, midnight + timedelta(days=1), "5m", closed="left", eager=True)
    assert block_mask(ts, parse_block("pjm", "ON_PEAK")).sum() == 16 * 12


@pytest.mark.parametrize("name", ["ON_PEAK", "7x24"])
def test_mask_of_no_instant_is_null(name: str) -> None:
    ts = pl.Series([None], dtype=pl.Datetime("us", "UTC"))
    assert block_mask(ts, parse_block("pjm", name)).to_list() == [None]
