"""Jumps of units, and stale prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.curves.mark_checks import CHECKED_PRICES, FLAGGED, SPAN, check_marks

FIRST = date(2024, 10, 7)
TICKS = pl.DataFrame({"curve": ["a"], "tick": [0.01]})


def sessions(*prices: Sequence[float | None]) -> pl.DataFrame:
    """Return the prices of one curve: a row for each session, the oldest first, and a column for each month."""
    rows = [
        ("a", FIRST + timedelta(days=day), date(2025, month + 1, 1), date(2025, month + 2, 1), price)
        for day, of_day in enumerate(prices)
        for month, price in enumerate(of_day)
    ]
    return pl.DataFrame(rows, schema=CHECKED_PRICES, orient="row")


def findings(*prices: Sequence[float | None]) -> list[tuple[int | None, str]]:
    """Return the month (None: the curve) and the check of each finding."""
    flagged = check_marks(sessions(*prices), TICKS)
    assert flagged.schema == FLAGGED
    return [(None if day is None else day.month, check) for day, check in flagged.select("delivery_start", "check").rows()]


@pytest.mark.parametrize("factor", [10.0, 100.0, 1000.0, 0.1, 0.01])
def test_a_curve_in_another_unit_is_a_jump_of_the_curve_and_of_its_quotes(factor: float) -> None:
    before = [80.0, 81.5, 79.25]
    now = [price * factor * moved for price, moved in zip(before, (1.02, 0.97, 1.01), strict=True)]
    assert findings(before, now) == [(None, "unit_jump"), (1, "unit_jump"), (2, "unit_jump"), (3, "unit_jump")]


def test_one_quote_in_another_unit_is_a_jump_of_that_quote() -> None:
    assert findings([80.0, 81.0, 79.0], [80.5, 8150.0, 78.0]) == [(2, "unit_jump")]
    assert findings([80.0, 81.0, 79.0], [80.5, 0.82, 78.0]) == [(2, "unit_jump")]


def test_a_quote_whose_price_before_was_in_another_unit_is_a_jump_back() -> None:
    assert findings([1.02, 104.0, 89.0, 98.0], [102.0, 104.5, 89.5, 98.25]) == [(1, "unit_jump")]
    assert findings([-1.02, -104.0, -89.0], [-102.0, -104.5, -89.5]) == [(1, "unit_jump")]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([80.0, 1.2, 79.0], [80.5, 12.0, 78.0]),  # from near zero to a price that the curve does not have
        ([80.0, 1.2, 79.0], [80.5, 75.0, 78.0]),  # from near zero to a usual price by no power of ten
        ([80.0, 0.12, 79.0], [80.5, 120.0, 78.0]),  # few ticks say nothing by their ratio
        ([80.0, 81.0, 79.0], [140.0, 150.0, 41.0]),  # large moves
        ([80.0, -4.0, 79.0], [80.5, 40.0, 78.0]),  # the sign has changed
        ([80.0, 4.0, 79.0], [80.5, -40.0, 78.0]),
        ([80.0, 0.12, 79.0], [80.5, 1.2, 78.0]),  # near zero
        ([80.0, 1.2, 79.0], [80.5, 0.12, 78.0]),
        ([80.0, 0.0, 79.0], [80.5, 10.0, 78.0]),
        ([80.0, 10.0, 79.0], [80.5, 0.0, 78.0]),
        ([80.0, None, 79.0], [80.5, 800.0, 78.0]),
    ],
)
def test_no_jump(before: Sequence[float | None], now: Sequence[float | None]) -> None:
    assert findings(before, now) == []


def test_negative_prices_jump_as_positive_ones_do() -> None:
    assert findings([-80.0, 81.0], [-8000.0, 82.0]) == [(1, "unit_jump")]


def test_a_curve_that_repeats_the_session_before_is_stale() -> None:
    assert findings([80.0, 81.0], [79.0, 82.0], [79.0, 82.0]) == [(None, "stale")]
    assert findings([80.0, 81.0], [79.0, 82.0], [79.0, 82.01]) == []


def test_an_override_does_not_hide_that_the_rest_of_a_curve_repeats() -> None:
    frame = sessions([80.0, 81.0, 83.0], [79.0, 82.0, 83.5], [79.5, 82.0, 83.5])
    overridden = frame.filter(pl.col("delivery_start") == date(2025, 1, 1)).select(SPAN).unique()
    assert check_marks(frame, TICKS).is_empty()
    flagged = check_marks(frame, TICKS, overridden=overridden)
    assert flagged.select("delivery_start", "check").rows() == [(None, "stale")]


def test_a_quote_that_stands_while_the_others_move_is_stale() -> None:
    moving = [[80.0 + day, 81.0 - day, 79.0] for day in range(4)]
    assert findings(*moving) == [(3, "stale")]
    assert findings(*moving[:3]) == [], "two moves say little"
    still = [moving[0], moving[1], moving[1], moving[2]]
    assert findings(*still) == [], "the others did not move each time"


def test_only_the_last_session_is_checked_and_one_session_says_nothing() -> None:
    assert findings([80.0], [8000.0], [8100.0]) == []
    assert findings([80.0]) == []
    assert findings() == []


prices = st.lists(st.floats(20, 500).map(lambda price: round(price, 2)), min_size=3, max_size=8)


@given(prices, st.lists(st.floats(0.9, 1.1), min_size=8, max_size=8), st.sampled_from([-3, -2, -1, 1, 2, 3]))
def test_a_change_of_units_is_found_whatever_the_prices(before: list[float], moves: list[float], power: int) -> None:
    now = [price * move * 10.0**power for price, move in zip(before, moves, strict=False)]
    months = [(month + 1, "unit_jump") for month, price in enumerate(now) if price >= 0.2]
    flagged = findings(before, now)
    assert set(months) <= set(flagged)
    assert (None, "unit_jump") in flagged or len(months) < len(before)


@given(prices, st.lists(st.floats(0.3, 3.0), min_size=8, max_size=8))
def test_moves_to_a_third_and_threefold_are_no_change_of_units(before: list[float], moves: list[float]) -> None:
    now = [price * move for price, move in zip(before, moves, strict=False)]
    assert [one for one in findings(before, now) if one[1] == "unit_jump"] == []


@given(prices, st.floats(0.01, 100), st.permutations(range(3)))
def test_findings_do_not_depend_on_the_order_of_rows(before: list[float], factor: float, order: list[int]) -> None:
    frame = sessions(before, [price * factor for price in before], [price * factor * 1.01 for price in before])
    parts = [frame.filter(pl.col("trade_date") == FIRST + timedelta(days=day)) for day in order]
    assert check_marks(pl.concat(parts), TICKS).equals(check_marks(frame, TICKS))
