"""Paths keep gaps, and a thinned line keeps the lowest and highest value of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.charts import Line, Steps
from aurum.charts.bands import DENSE, band_of
from aurum.charts.layers import by_cover, uncovered, visible_pieces
from aurum.charts.paths import lone_points, path_of, step_path

S = 1_000_000


def array(*values: int) -> np.ndarray:
    return np.array(values, np.int64) * S


def test_steps_that_adjoin_are_joined_and_others_are_apart() -> None:
    x, y = step_path(Steps("", array(0, 1, 5), array(1, 2, 6), np.array([1.0, 2.0, 3.0])))
    np.testing.assert_array_equal(x, [0, 1, 1, 2, np.nan, 5, 6])
    np.testing.assert_array_equal(y, [1, 1, 2, 2, np.nan, 3, 3])


def test_a_missing_value_is_a_gap() -> None:
    line = Line("", array(0, 1, 2), None, np.array([1.0, np.nan, 3.0]))
    x, y = path_of(line, 100)
    assert np.isnan(y).sum() >= 1
    np.testing.assert_array_equal(lone_points((x, y)), [[0, 2], [1, 3]])


def test_points_far_apart_are_not_joined() -> None:
    x, _ = path_of(Line("", array(0, 1, 9), None, np.array([1.0, 2.0, 3.0]), breaks_after=5 * S), 100)
    np.testing.assert_array_equal(x, [0, 1, np.nan, 9])


@given(st.integers(0, 2**32 - 1), st.integers(2, 50))
def test_a_thinned_line_keeps_the_extremes_of_each_pixel_and_the_order_of_time(seed: int, pixels: int) -> None:
    random = np.random.default_rng(seed)
    count = 40 * pixels
    values = random.normal(size=count)
    values[random.random(count) < 0.2] = np.nan
    starts = np.arange(count, dtype=np.int64) * S
    x, y = path_of(Line("", starts, None, values), pixels)
    shown = ~np.isnan(y)
    assert len(x) <= 5 * pixels
    assert (np.diff(x[shown]) > 0).all()
    assert np.nanmin(values) == y[shown].min()
    assert np.nanmax(values) == y[shown].max()
    place = (x[shown]).astype(int)
    np.testing.assert_array_equal(values[place], y[shown])


def test_a_long_gap_stays_a_gap_when_a_line_is_thinned() -> None:
    values = np.ones(10_000)
    values[4_000:6_000] = np.nan
    starts = np.arange(10_000, dtype=np.int64) * S
    _, y = path_of(Line("", starts, starts + S, values), 100)
    assert np.isnan(y).sum() == 1


def test_a_coarser_quote_is_strong_only_where_no_finer_one_overlaps_it() -> None:
    months = Steps("months", array(0, 1, 2), array(1, 2, 3), np.array([1.0, np.nan, 3.0]))
    quarters = Steps("quarters", array(0, 3), array(3, 6), np.array([2.0, 4.0]))
    years = Steps("years", array(0, 12), array(12, 24), np.array([5.0, 6.0]))
    strong = uncovered([months, quarters, years])
    assert [one.starts.tolist() for one in strong] == [array(0, 2).tolist(), array(3).tolist(), array(12).tolist()]
    behind = [covered for _, covered in by_cover([months, quarters, years])]
    assert [one.starts.tolist() for one in behind] == [[], array(0).tolist(), array(0).tolist()]


def hours(count: int) -> Line:
    starts = 1_704_063_600 * S + 3_600 * S * np.arange(count, dtype=np.int64)  # midnight of 1 January 2024 in Berlin
    return Line("", starts, starts + 3_600 * S, np.random.default_rng(1).normal(size=count))


def test_a_year_of_hours_is_the_mean_of_each_day_between_its_lowest_and_highest() -> None:
    line = hours(366 * 24)
    band = band_of(line, 900, "Europe/Berlin")
    assert band is not None
    assert band.bucket == "day"
    changed = [0, 31 * 24, (31 + 29 + 31) * 24 - 1]  # the third: the day after clocks went forward
    days = [0, 31, 31 + 29 + 31]
    for first, day in zip(changed, days, strict=True):
        of_day = line.values[first : first + 24]
        assert band.mean[0][2 * day] == line.starts[first] / S
        np.testing.assert_allclose(band.mean[1][2 * day], of_day.mean())
        assert (band.low[2 * day], band.high[2 * day]) == (of_day.min(), of_day.max())
    assert len(band.low) == len(band.high) == len(band.mean[0]) == 2 * 366


@pytest.mark.parametrize(("years", "bucket"), [(1, "day"), (6, "week"), (40, "month")])
def test_the_buckets_of_a_band_are_few_enough_for_its_pixels(years: int, bucket: str) -> None:
    band = band_of(hours(years * 8_766), 800, "America/New_York")
    assert band is not None
    assert band.bucket == bucket
    assert len(band.low) / 2 <= DENSE * 800


def test_a_band_has_gaps_and_a_line_of_few_values_is_none() -> None:
    line = hours(366 * 24)
    line.values[24 * 40 : 24 * 90] = np.nan
    band = band_of(line, 900, "Europe/Berlin")
    assert band is not None
    assert np.isnan(band.mean[1]).sum() == 1
    assert band_of(hours(31 * 24), 900, "Europe/Berlin") is None
    instants = hours(31 * 24)
    assert band_of(Line("", instants.starts, None, instants.values), 100, "UTC") is not None


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_overlaps_are_found_among_overlapping_finer_quotes(order: list[int]) -> None:
    finer = Steps("", array(0, 4)[order], array(2, 6)[order], np.array([1.0, 2.0]))
    coarse = Steps("", array(2, 1, 6, 3), array(4, 5, 9, 5), np.ones(4))
    assert uncovered([finer, coarse])[1].starts.tolist() == array(2, 6).tolist()


def test_a_coarser_step_is_visible_where_finer_ones_leave_room() -> None:
    weeks = Steps("weeks", array(0, 2, 6), array(2, 3, 7), np.array([1.0, 2.0, np.nan]))
    months = Steps("months", array(0, 4), array(4, 8), np.array([5.0, 6.0]))
    quarter = Steps("quarter", array(0), array(12), np.array([7.0]))
    shown = visible_pieces([weeks, months, quarter])
    spans = [list(zip(one.starts // S, one.ends // S, one.values, strict=True)) for one in shown]
    assert spans == [[(0, 2, 1.0), (2, 3, 2.0)], [(3, 4, 5.0), (4, 8, 6.0)], [(8, 12, 7.0)]]
