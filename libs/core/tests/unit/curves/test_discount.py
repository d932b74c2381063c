"""Discount factors and zero rates beside numbers made by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from aurum.core.curves.discount import BeyondRates, DiscountCurve, InvalidRates, discount_curve

TODAY = date(2025, 1, 7)


def rates(*rows: tuple[date, float | None]) -> pl.DataFrame:
    """Return quotes of one-day periods."""
    days = [maturity + timedelta(days=1) for maturity, _ in rows]
    return pl.DataFrame(
        {"delivery_end": days, "settle": [rate for _, rate in rows]},
        schema={"delivery_end": pl.Date, "settle": pl.Float64},
    )


@pytest.fixture
def curve() -> DiscountCurve:
    return discount_curve(rates((date(2026, 1, 7), 0.03), (date(2027, 1, 7), 0.04), (date(2025, 7, 7), 0.02)), TODAY)


def test_factors_at_the_maturities_are_those_of_their_rates(curve: DiscountCurve) -> None:
    factors = curve.factors([TODAY, date(2025, 7, 7), date(2026, 1, 7), date(2027, 1, 7)])
    assert factors == pytest.approx([1.0, 1.02 ** (-181 / 365), 1 / 1.03, 1.04**-2], rel=1e-15)
    assert curve.zero_rates([date(2025, 7, 7), date(2027, 1, 7)]) == pytest.approx([0.02, 0.04], rel=1e-12)


def test_the_logarithm_of_the_factor_is_linear_between_maturities(curve: DiscountCurve) -> None:
    day = date(2026, 7, 8)
    share = (day - date(2026, 1, 7)).days / 365
    by_hand = math.exp((1 - share) * math.log(1 / 1.03) + share * math.log(1.04**-2))
    assert curve.factors([day])[0] == pytest.approx(by_hand, rel=1e-14)
    assert curve.zero_rates([day])[0] == pytest.approx(by_hand ** (-365 / 547) - 1, rel=1e-12)


def test_the_first_rate_holds_from_the_trade_date_on(curve: DiscountCurve) -> None:
    days = [TODAY, TODAY + timedelta(days=1), date(2025, 4, 1)]
    assert curve.zero_rates(days) == pytest.approx([0.02] * 3, rel=1e-12)


def test_dates_beyond_the_last_maturity_are_refused_unless_its_rate_shall_hold(curve: DiscountCurve) -> None:
    late = date(2029, 1, 6)
    with pytest.raises(BeyondRates, match="after the last maturity 2027-01-07"):
        curve.factors([late])
    assert curve.factors([late], extrapolate=True)[0] == pytest.approx(1.04**-4, rel=1e-12)
    assert curve.zero_rates([late], extrapolate=True)[0] == pytest.approx(0.04, rel=1e-12)
    with pytest.raises(BeyondRates, match="before the trade date"):
        curve.factors([TODAY - timedelta(days=1)], extrapolate=True)


def test_percent_and_ratio_say_the_same() -> None:
    day = date(2026, 1, 7)
    ratio = discount_curve(rates((day, 0.0231)), TODAY)
    percent = discount_curve(rates((day, 2.31)), TODAY, scale=0.01)
    np.testing.assert_allclose(percent.factors([day]), ratio.factors([day]), rtol=1e-15)


def test_a_rate_of_a_month_is_that_of_its_last_day() -> None:
    month = pl.DataFrame({"delivery_end": [date(2026, 2, 1)], "settle": [0.03]})
    assert discount_curve(month, TODAY).last == date(2026, 1, 31)


def test_negative_rates_discount_with_factors_above_one() -> None:
    assert discount_curve(rates((date(2026, 1, 7), -0.005)), TODAY).factors([date(2026, 1, 7)])[0] > 1


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(date(2026, 1, 7), None)], "no rate"),
        ([(TODAY, 0.02), (date(2024, 1, 1), 0.02)], "no rate"),
        ([(date(2026, 1, 7), 0.03), (date(2026, 1, 7), 0.031)], "contradict each other at the maturity 2026-01-07"),
        ([(date(2026, 1, 7), -1.0)], "loses everything"),
    ],
)
def test_rates_that_make_no_curve(rows: list[tuple[date, float | None]], why: str) -> None:
    with pytest.raises(InvalidRates, match=why):
        discount_curve(rates(*rows), TODAY)


def test_a_rate_that_two_periods_repeat_counts_once() -> None:
    day = date(2026, 1, 7)
    assert len(discount_curve(rates((day, 0.03), (day, 0.03)), TODAY).days) == 1
