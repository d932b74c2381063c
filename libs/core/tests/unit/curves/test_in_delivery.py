from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from aurum.core.curves.in_delivery import price_of_rest
from aurum.core.errors import Invalid

Hours = Callable[[date, date], float]


def test_realised_hours_are_subtracted_from_a_month() -> None:
    assert price_of_rest(50.0, 744, 40.0 * 120, 120) == pytest.approx((50 * 744 - 40 * 120) / 624, rel=1e-12)


def test_a_quote_whose_hours_are_all_realised_has_no_rest() -> None:
    with pytest.raises(Invalid, match="leave none"):
        price_of_rest(50.0, 24, 1200.0, 24)


def test_final_settlement_of_a_month_is_the_mean_of_its_hours(
    settlements: Callable[[str], pl.DataFrame], day_ahead: pl.DataFrame, oracle: Callable[[str], Any], hours: Hours
) -> None:
    months = settlements("M").filter(pl.col("delivery_end") <= date(2024, 6, 1), pl.col("price").is_not_null())
    last = months.group_by("delivery_start", "delivery_end").agg(pl.col("price").sort_by("trade_date").last())
    checked = 0
    for first, end, price in last.sort("delivery_start").iter_rows():
        spot = day_ahead.filter(pl.col("local") >= first, pl.col("local") < end)
        if first.month == 3:  # the file invents a 02:00 on the last Sunday, which has none
            sunday = date(first.year, 3, 31) - timedelta(days=date(first.year, 3, 31).isoweekday() % 7)
            spot = spot.filter(pl.col("local") != datetime(sunday.year, 3, sunday.day, 2))
        if len(spot) == hours(first, end):
            checked += 1
            assert round(spot["price"].mean(), 2) == price
    assert checked == oracle("B3")["months"]
