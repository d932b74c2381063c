"""Laws of derived curves: inverses, linearity, and a basis that is the outright price less its hub."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.curves.basis import PERIOD, SIDES
from aurum.core.curves.derived import CurveInput, evaluate
from aurum.core.curves.discount import discount_curve
from aurum.core.curves.expressions import Basis, Combine, Expression, Quoted, Roll, Scale, Shift, walk
from aurum.core.curves.period_labels import add_months

A, B, C = "power:A:base:X", "power:B:base:X", "power:C:base:X"
DAYS = [date(2024, 10, 14), date(2024, 10, 15)]
PRICES = st.none() | st.floats(-500, 500).map(lambda value: round(value, 2))
NUMBERS = st.floats(-50, 50).map(lambda value: round(value, 2))


@st.composite
def curves(draw: st.DrawFn) -> pl.DataFrame:
    """Draw quotes of months and quarters on two trade dates; some lack prices."""
    spans = draw(st.lists(st.tuples(st.integers(0, 14), st.sampled_from([1, 3, 12])), min_size=1, max_size=8, unique=True))
    rows: list[Any] = []
    for day in DAYS:
        for first, months in spans:
            start = add_months(date(2025, 1, 1), first)
            if draw(st.booleans()) or day == DAYS[0]:
                rows.append((day, start, add_months(start, months), draw(PRICES), draw(PRICES), draw(PRICES)))
    schema = {**dict.fromkeys(PERIOD, pl.Date), **dict.fromkeys(SIDES, pl.Float64)}
    return pl.DataFrame(rows, schema, orient="row")


def days_between(first: date, end: date) -> float:
    return float((end - first).days)


def derive(expression: Expression, **frames: pl.DataFrame) -> pl.DataFrame:
    names = {"a": A, "b": B, "c": C}
    inputs = {names[name]: CurveInput(frame, days_between) for name, frame in frames.items()}
    return evaluate(expression, inputs, units={}, factors={}, ticks=dict.fromkeys(walk(expression), 0.01)).quotes


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(*PERIOD, *SIDES).sort(PERIOD)


@given(curves(), NUMBERS)
def test_a_shift_back_and_forth_changes_nothing(a: pl.DataFrame, by: float) -> None:
    back = derive(Shift(Shift(Quoted(A), by), -by), a=a)
    assert_frame_equal(plain(back), plain(a), check_exact=False, abs_tol=1e-9)


@given(curves(), NUMBERS.filter(lambda by: abs(by) > 0.01))
def test_a_scale_and_its_inverse_change_nothing_not_even_the_sides(a: pl.DataFrame, by: float) -> None:
    back = derive(Scale(Scale(Quoted(A), by), 1 / by), a=a)
    assert_frame_equal(plain(back), plain(a), check_exact=False, abs_tol=1e-9)


@given(curves(), st.integers(-15, 15))
def test_a_roll_back_and_forth_gives_each_price_that_it_gives_at_all(a: pl.DataFrame, months: int) -> None:
    rolled = derive(Roll(Roll(Quoted(A), months), -months), a=a).filter(pl.col("settle").is_not_null())
    quoted = rolled.join(a, on=list(PERIOD), how="inner", suffix="_quoted")
    exact = derive(Roll(Quoted(A), -months), a=a).select(PERIOD)
    assert rolled.height <= a.height
    for row in quoted.join(exact, on=list(PERIOD), how="semi").rows(named=True):
        later = a.filter(
            (pl.col("trade_date") == row["trade_date"])
            & (pl.col("delivery_start") == add_months(row["delivery_start"], -months))
            & (pl.col("delivery_end") == add_months(row["delivery_end"], -months))
        )
        # A period that is not quoted itself takes the strip of finer ones, which need not be the quote.
        if not later.is_empty():
            assert row["settle"] == row["settle_quoted"]


@given(curves(), curves(), NUMBERS)
def test_a_combination_is_linear(a: pl.DataFrame, b: pl.DataFrame, k: float) -> None:
    whole = derive(Scale(Combine(Quoted(A), Quoted(B), 1.0), k), a=a, b=b)
    parts = derive(Combine(Scale(Quoted(A), k), Scale(Quoted(B), k)), a=a, b=b)
    assert_frame_equal(plain(whole), plain(parts), check_exact=False, abs_tol=1e-9)
    scaled = derive(Combine(Quoted(A), Scale(Quoted(B), k), 1.0), a=a, b=b)
    factored = derive(Combine(Quoted(A), Quoted(B), k), a=a, b=b)
    assert_frame_equal(plain(scaled), plain(factored), check_exact=False, abs_tol=1e-9)


@given(curves())
def test_a_curve_less_itself_is_zero_between_its_sides(a: pl.DataFrame) -> None:
    nothing = derive(Combine(Quoted(A), Quoted(A)), a=a)
    assert set(nothing["settle"].drop_nulls()) <= {0.0}
    assert nothing["settle"].null_count() == a["settle"].null_count()
    assert nothing["bid"].to_list() == [None if one is None else -one for one in nothing["ask"].to_list()]


@given(curves(), curves())
def test_hub_plus_basis_is_the_outright_price_that_the_basis_was_taken_from(hub: pl.DataFrame, outright: pl.DataFrame) -> None:
    basis = derive(Combine(Quoted(C), Quoted(A)), c=outright, a=hub)
    again = derive(Basis(Quoted(A), Quoted(B)), a=hub, b=basis)
    both = again.join(outright, on=list(PERIOD), how="inner", suffix="_outright").drop_nulls(["settle", "settle_outright"])
    exact = both.join(hub.drop_nulls("settle"), on=list(PERIOD), how="semi")
    assert exact["settle"].to_list() == [
        (one if abs(one - other) > 1e-9 else other)
        for one, other in zip(exact["settle_outright"], exact["settle"], strict=True)
    ]
    stands = derive(Basis(Quoted(A), Quoted(B), Quoted(C)), a=hub, b=basis, c=outright)
    beside = outright.drop_nulls("settle").join(stands, on=list(PERIOD), how="left", suffix="_stands")
    assert beside["settle"].to_list() == beside["settle_stands"].to_list()


@given(curves(), curves(), NUMBERS)
def test_the_periods_are_those_of_the_first_operand(a: pl.DataFrame, b: pl.DataFrame, k: float) -> None:
    for expression in (Combine(Quoted(A), Quoted(B), k), Roll(Quoted(A), 3), Basis(Quoted(A), Quoted(B))):
        derived = derive(expression, a=a, b=b)
        assert_frame_equal(derived.select(PERIOD), a.select(PERIOD).sort(PERIOD))
        assert (derived["settle"].is_null() == derived["reason"].is_not_null()).all()


@given(st.dictionaries(st.integers(1, 4000), st.floats(-0.05, 0.2), min_size=1, max_size=12), st.integers(0, 4000))
def test_forward_factors_multiply_and_rates_read_back(rates: dict[int, float], day: int) -> None:
    today = DAYS[0]
    ends = [today + timedelta(days=number + 1) for number in rates]
    curve = discount_curve(pl.DataFrame({"delivery_end": ends, "settle": list(rates.values())}), today)
    dates = [today, *(today + timedelta(days=number) for number in rates), today + timedelta(days=day)]
    factors = curve.factors(dates, extrapolate=True)
    assert factors[0] == 1.0
    zero = curve.zero_rates(dates, extrapolate=True)
    for number, rate in enumerate(rates.values(), start=1):
        assert abs(zero[number] - rate) < 1e-9
    days = (dates[-1] - today).days
    assert abs((1 + zero[-1]) ** (-days / 365) - factors[-1]) < 1e-9 * max(1.0, factors[-1])
