from datetime import date, datetime

import numpy as np
import pytest

from aurum.core.calendars import parse_block
from aurum.core.curves.calendars import DeliveryCalendar, day_hours, parse_delivery_calendar
from aurum.core.curves.grids import InvalidGrid, Resolution, block_of_grid, make_grid

EU, PEAK = parse_delivery_calendar("eu_power"), parse_block("entsoe", "PEAK")
MARCH = (date(2025, 3, 1), date(2025, 4, 1))


def test_days_of_a_grid_have_their_lengths() -> None:
    grid = make_grid(EU, *MARCH, Resolution.DAY)
    assert len(grid) == 31
    assert grid.hours.tolist() == [24.0] * 29 + [23.0, 24.0]
    assert grid.day.tolist() == list(range(31))
    assert grid.starts[0].item() == datetime(2025, 2, 28, 23)
    assert (grid.starts.dtype, grid.hours.dtype, grid.day.dtype) == (np.dtype("<M8[us]"), np.float64, np.int32)


@pytest.mark.parametrize(("resolution", "cells", "length"), [("PT1H", 743, 1.0), ("PT30M", 1486, 0.5), ("PT15M", 2972, 0.25)])
def test_cells_of_a_grid_follow_each_other_without_a_gap(resolution: str, cells: int, length: float) -> None:
    grid = make_grid(EU, *MARCH, Resolution(resolution))
    assert len(grid) == cells
    assert set(grid.hours.tolist()) == {length}
    assert set(np.diff(grid.starts).astype("timedelta64[m]").astype(int).tolist()) == {round(60 * length)}
    assert np.bincount(grid.day, grid.hours).tolist() == day_hours(EU, *MARCH).tolist()


@pytest.mark.parametrize("resolution", Resolution)
@pytest.mark.parametrize("calendar", ["eu_power", "gb_power", "pjm_power", "miso_tariff_power"])
def test_the_block_of_a_grid_adds_up_to_that_of_its_days(calendar: str, resolution: Resolution) -> None:
    delivery = parse_delivery_calendar(calendar)
    block = parse_block(delivery.blocks or "", "PEAK")
    grid = make_grid(delivery, date(2025, 10, 20), date(2025, 11, 10), resolution)
    by_day = np.bincount(grid.day, block_of_grid(grid, block))
    assert by_day.tolist() == day_hours(delivery, grid.first, grid.end, block).tolist()


def test_without_a_block_all_hours_count() -> None:
    grid = make_grid(EU, *MARCH, Resolution.HOUR)
    assert block_of_grid(grid, None).sum() == 743


def test_peak_of_a_monday() -> None:
    grid = make_grid(EU, date(2025, 3, 3), date(2025, 3, 4), Resolution.HOUR)
    assert block_of_grid(grid, PEAK).tolist() == [0.0] * 8 + [1.0] * 12 + [0.0] * 4


def test_hours_that_straddle_the_hours_of_a_block_count_in_part() -> None:
    utc = DeliveryCalendar("x", "Days of UTC", "UTC")
    block = type(PEAK)("x", "HE06", "Asia/Kolkata", (type(PEAK.windows[0])(hours=(6,)),))
    grid = make_grid(utc, date(2025, 1, 1), date(2025, 1, 2), Resolution.HOUR)
    assert block_of_grid(grid, block).tolist() == [0.5] + [0.0] * 22 + [0.5]
    halves = make_grid(utc, date(2025, 1, 1), date(2025, 1, 2), Resolution.HALF_HOUR)
    assert block_of_grid(halves, block).tolist() == [0.5] + [0.0] * 46 + [0.5]


def test_hours_do_not_divide_a_day_of_half_hours() -> None:
    island = DeliveryCalendar("x", "Lord Howe Island", "Australia/Lord_Howe")
    with pytest.raises(InvalidGrid, match="2025-10-05"):
        make_grid(island, date(2025, 10, 1), date(2025, 10, 9), Resolution.HOUR)
    assert len(make_grid(island, date(2025, 10, 5), date(2025, 10, 6), Resolution.HALF_HOUR)) == 47


def test_hours_after_a_change_of_half_an_hour_are_counted_from_the_day() -> None:
    island = DeliveryCalendar("x", "Lord Howe Island", "Australia/Lord_Howe")
    block = type(PEAK)("x", "HE06", "Australia/Lord_Howe", (type(PEAK.windows[0])(hours=(6,)),))
    grid = make_grid(island, date(2025, 6, 1), date(2025, 6, 3), Resolution.HOUR)
    assert block_of_grid(grid, block).tolist() == ([0.0] * 5 + [1.0] + [0.0] * 18) * 2


@pytest.mark.parametrize("resolution", [Resolution.HOUR, Resolution.QUARTER_HOUR])
def test_a_grid_over_years_has_the_block_of_each_day(resolution: Resolution) -> None:
    delivery, block = parse_delivery_calendar("gb_power"), parse_block("gb", "PEAK")
    grid = make_grid(delivery, date(2023, 12, 25), date(2027, 1, 4), resolution)
    by_day = np.bincount(grid.day, block_of_grid(grid, block))
    assert by_day.tolist() == day_hours(delivery, grid.first, grid.end, block).tolist()


def test_a_grid_of_no_days_is_empty() -> None:
    for resolution in Resolution:
        grid = make_grid(EU, MARCH[0], MARCH[0], resolution)
        assert (len(grid), len(block_of_grid(grid, PEAK))) == (0, 0)
