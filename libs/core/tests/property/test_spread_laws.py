"""Laws of spreads over prices of any sign, weights and sides."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.curves.spreads import Alignment, LegPrices, SpreadSide, december_weights, spread

PRICES = st.floats(-1e4, 1e4)
WEIGHTS = st.floats(-50, 50)
QUOTES = st.tuples(PRICES, st.floats(0, 100), st.floats(0, 100)).map(lambda one: (one[0] - one[1], one[0], one[0] + one[2]))
"""Bid, settlement and ask, in this order by size."""


def value_of(*legs: tuple[float, float], factor: float = 1.0) -> float:
    """Return the spread of legs of a weight and a price."""
    columns = [LegPrices(weight, 1.0, factor, np.array([price]), np.ones(1)) for weight, price in legs]
    return float(spread(columns).value[0])


@given(PRICES, PRICES)
def test_a_difference_of_two_legs_is_antisymmetric(near: float, far: float) -> None:
    assert value_of((1.0, near), (-1.0, far)) == -value_of((1.0, far), (-1.0, near))
    assert value_of((1.0, near), (-1.0, near)) == 0.0


@given(st.lists(st.tuples(WEIGHTS, PRICES), min_size=1, max_size=6), st.floats(-10, 10))
def test_a_spread_scales_with_its_weights_and_with_its_prices(legs: list[tuple[float, float]], scale: float) -> None:
    size = sum(abs(weight * price) for weight, price in legs) * abs(scale) + 1e-9
    expected = pytest.approx(scale * value_of(*legs), abs=1e-12 * size + 1e-12)
    assert value_of(*((weight * scale, price) for weight, price in legs)) == expected
    assert value_of(*((weight, price * scale) for weight, price in legs)) == expected
    assert value_of(*legs, factor=scale) == expected


@given(st.lists(st.tuples(WEIGHTS, PRICES), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_legs_does_not_matter(legs: list[tuple[float, float]], random: object) -> None:
    shuffled = list(legs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    size = sum(abs(weight * price) for weight, price in legs)
    assert value_of(*shuffled) == pytest.approx(value_of(*legs), abs=1e-12 * size + 1e-12)


@given(st.lists(st.tuples(WEIGHTS, QUOTES), min_size=1, max_size=6))
def test_bid_settlement_mid_and_ask_are_ordered_where_those_of_the_legs_are(
    legs: list[tuple[float, tuple[float, float, float]]],
) -> None:
    def at(side: SpreadSide) -> float:
        def price(weight: float, quote: tuple[float, float, float]) -> float:
            bid, settle, ask = quote
            sides = {SpreadSide.BID: bid, SpreadSide.SETTLE: settle, SpreadSide.ASK: ask, SpreadSide.MID: (bid + ask) / 2}
            return sides[side.of_leg(weight)]

        return value_of(*((weight, price(weight, quote)) for weight, quote in legs))

    slack = 1e-9 * (1 + sum(abs(weight) * max(map(abs, quote)) for weight, quote in legs))
    assert at(SpreadSide.BID) <= at(SpreadSide.SETTLE) + slack
    assert at(SpreadSide.SETTLE) <= at(SpreadSide.ASK) + slack
    assert at(SpreadSide.MID) == pytest.approx((at(SpreadSide.BID) + at(SpreadSide.ASK)) / 2, abs=slack)


@given(
    st.dates(date(2000, 1, 1), date(2050, 1, 1)),
    st.integers(1, 2000),
    st.sampled_from([Alignment.FLAT_DECEMBER, Alignment.INTERPOLATE]),
)
def test_weights_of_december_contracts_sum_to_one_and_none_is_negative(first: date, days: int, alignment: Alignment) -> None:
    weights = december_weights(first, first + timedelta(days=days), alignment)
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(weight > 0 for weight in weights.values())


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 800), st.integers(1, 800))
def test_a_price_of_allowances_of_two_spans_is_that_of_both_by_days(first: date, days: int, more: int) -> None:
    middle, end = first + timedelta(days=days), first + timedelta(days=days + more)
    for alignment in (Alignment.FLAT_DECEMBER, Alignment.INTERPOLATE):
        whole = december_weights(first, end, alignment)
        left, right = december_weights(first, middle, alignment), december_weights(middle, end, alignment)
        for year, weight in whole.items():
            both = left.get(year, 0.0) * days + right.get(year, 0.0) * more
            assert both / (days + more) == pytest.approx(weight, abs=1e-12)
