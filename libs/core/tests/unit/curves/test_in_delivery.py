from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.in_delivery import (
    InDelivery,
    Realised,
    RealisedMissing,
    forward_quotes,
    price_of_rest,
    realised_by_day,
)
from aurum.core.curves.overlaps import Quote
from aurum.core.errors import Invalid

Hours = Callable[[date, date], float]
JAN, FEB, MAR = date(2021, 1, 1), date(2021, 2, 1), date(2021, 3, 1)
QUOTES = [
    Quote(JAN, FEB, 50.0, "Jan-21"),
    Quote(FEB, MAR, 48.0, "Feb-21"),
    Quote(date(2021, 1, 4), date(2021, 1, 11), 51.0, "W01-21"),
    Quote(date(2020, 12, 28), date(2021, 1, 4), 40.0, "W53-20"),
]


def realised(days: int = 10, price: float = 40.0) -> Realised:
    return Realised(JAN, np.full(days, price * 24), np.full(days, 24.0))


def test_quotes_in_delivery_and_delivered_ones_are_excluded() -> None:
    forward = forward_quotes(QUOTES, date(2021, 1, 5))
    assert (forward.ahead, forward.netted, forward.excluded) == ((1,), (), (0, 2, 3))
    assert forward_quotes(QUOTES, date(2021, 1, 31)).ahead == (1,)
    assert forward_quotes(QUOTES, FEB).ahead == ()


def test_realised_days_are_subtracted(hours: Hours) -> None:
    forward = forward_quotes(QUOTES, date(2021, 1, 5), how=InDelivery.NET_REALISED, weight=hours, realised=realised())
    month, week = forward.netted
    assert (month.rest.first, month.rest.end, month.rest.label) == (date(2021, 1, 6), FEB, "Jan-21")
    assert month.rest.price == pytest.approx((50 * 744 - 40 * 120) / 624, rel=1e-12)
    assert (month.realised_hours, month.realised) == (120, 40.0)
    assert week.rest.price == pytest.approx((51 * 168 - 40 * 48) / 120, rel=1e-12)
    assert forward.excluded == (3,)


def test_a_later_cut_uses_the_auction_of_tomorrow(hours: Hours) -> None:
    forward = forward_quotes(
        QUOTES[:1], JAN, how=InDelivery.NET_REALISED, weight=hours, realised=realised(), until=date(2021, 1, 3)
    )
    assert forward.netted[0].rest.price == pytest.approx((50 * 744 - 40 * 48) / 696, rel=1e-12)


def test_a_month_on_its_last_day_has_nothing_left(hours: Hours) -> None:
    forward = forward_quotes(QUOTES[:1], date(2021, 1, 31), how=InDelivery.NET_REALISED, weight=hours, realised=realised(31))
    assert (forward.netted, forward.excluded) == ((), (0,))


def test_a_missing_realised_hour_is_refused_with_its_facts(hours: Hours) -> None:
    known = realised()
    known.hours[2] = 23.0
    with pytest.raises(RealisedMissing) as raised:
        forward_quotes(QUOTES, date(2021, 1, 5), how=InDelivery.NET_REALISED, weight=hours, realised=known)
    assert raised.value.facts == {"quote": "Jan-21", "missing_hours": 1.0, "first": "2021-01-01", "until": "2021-01-06"}
    with pytest.raises(RealisedMissing):
        forward_quotes(QUOTES[2:], date(2021, 1, 5), how=InDelivery.NET_REALISED, weight=hours, realised=realised(4))
    with pytest.raises(Invalid, match="needs the hours"):
        forward_quotes(QUOTES, date(2021, 1, 5), how=InDelivery.NET_REALISED)
    with pytest.raises(Invalid, match="leave none"):
        price_of_rest(50.0, 24, 1200.0, 24)


def test_realised_prices_by_day_leave_missing_hours_out() -> None:
    values = np.array([10.0, 20.0, np.nan, 40.0])
    known = realised_by_day([0, 0, 1, 1], values, np.array([1.0, 2.0, 1.0, 1.0]), 3, JAN)
    assert known.amounts.tolist() == [50.0, 40.0, 0.0]
    assert known.hours.tolist() == [3.0, 1.0, 0.0]


def test_january_2021_less_its_realised_hours(
    settlements: Callable[[str], pl.DataFrame], day_ahead: pl.DataFrame, hours: Hours
) -> None:
    """The rest of the month agrees with the weeks that are left, within the rounding of their prices."""
    on = date(2021, 1, 5)
    rows = settlements("MW").filter(pl.col("trade_date") == on, pl.col("delivery_start") >= JAN, pl.col("delivery_end") <= FEB)
    quotes = [
        Quote(first, end, price) for first, end, price in rows.select("delivery_start", "delivery_end", "price").iter_rows()
    ]
    spot = day_ahead.filter(pl.col("local").is_between(datetime(2021, 1, 1), datetime(2021, 1, 4), closed="left"))
    known = realised_by_day(
        spot.select(day=pl.col("local").dt.day() - 1)["day"].to_list(), spot["price"].to_numpy(), np.ones(len(spot)), 3, JAN
    )
    forward = forward_quotes(
        quotes, date(2021, 1, 3), how=InDelivery.NET_REALISED, weight=hours, realised=known, until=date(2021, 1, 4)
    )
    (month,) = [each for each in forward.netted if each.rest.end == FEB and quotes[each.index].first == JAN]
    assert month.realised == pytest.approx(45.861111, abs=1e-6)
    weeks = [quote.price for quote in quotes if quote.end - quote.first == timedelta(days=7)]
    assert month.rest.price == pytest.approx(np.mean(weeks), abs=0.02)


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
