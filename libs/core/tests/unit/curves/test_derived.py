"""Derived curves: arithmetic of settlements, bids and asks, strips of finer quotes, basis and outright quotes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from aurum.core.curves.basis import Agreement
from aurum.core.curves.derived import CurveInput, DerivedQuotes, MissingFactor, evaluate
from aurum.core.curves.expressions import Basis, Combine, Convert, Expression, Quoted, Roll, Scale, Shift, walk
from aurum.core.units import parse_unit

A, B, C = "power:A:base:X", "power:B:base:X", "power:C:base:X"
DAY, NEXT = date(2024, 10, 14), date(2024, 10, 15)
Price = float | None
Prices = tuple[Price, Price, Price]


def month(number: int) -> date:
    return date(2025 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def quotes(*rows: tuple[int, int, Price, Price, Price], day: date = DAY) -> pl.DataFrame:
    """Return quotes of (first month of 2025, months, settle, bid, ask)."""
    named = [(day, month(first), month(first + count), *prices) for first, count, *prices in rows]
    schema = dict.fromkeys(("trade_date", "delivery_start", "delivery_end"), pl.Date)
    return pl.DataFrame(named, {**schema, **dict.fromkeys(("settle", "bid", "ask"), pl.Float64)}, orient="row")


@pytest.fixture
def derive(hours: Callable[[date, date], float]) -> Callable[..., DerivedQuotes]:
    def run(expression: Expression, factors: Any = None, **curves: pl.DataFrame) -> DerivedQuotes:
        inputs = {{"a": A, "b": B, "c": C}[name]: CurveInput(frame, hours) for name, frame in curves.items()}
        units = {expression: parse_unit("EUR/MWh")}
        return evaluate(expression, inputs, units=units, factors=factors or {}, ticks=dict.fromkeys(walk(expression), 0.01))

    return run


def prices(derived: DerivedQuotes) -> list[Any]:
    return [(*row[:2], *(None if one is None else round(one, 9) for one in row[2:])) for row in _rows(derived)]


def _rows(derived: DerivedQuotes) -> list[Any]:
    frame = derived.quotes.select(pl.col("delivery_start").dt.month(), (pl.col("delivery_end")), "settle", "bid", "ask")
    return frame.with_columns(pl.col("delivery_end").dt.month()).rows()


def test_shift_and_scale_change_every_side(derive: Callable[..., DerivedQuotes]) -> None:
    a = quotes((1, 1, 100.0, 99.5, None), (2, 1, None, None, 90.0))
    assert prices(derive(Shift(Quoted(A), 1.5), a=a)) == [(1, 2, 101.5, 101.0, None), (2, 3, None, None, 91.5)]
    assert prices(derive(Shift(Quoted(A), 1.0, "EURc/kWh"), a=a))[0] == (1, 2, 110.0, 109.5, None)
    assert prices(derive(Scale(Quoted(A), 2.0), a=a))[0] == (1, 2, 200.0, 199.0, None)


def test_a_negative_factor_turns_bids_into_asks(derive: Callable[..., DerivedQuotes]) -> None:
    a, b = quotes((1, 1, 100.0, 99.0, 101.0)), quotes((1, 1, 30.0, 29.5, 30.5))
    assert prices(derive(Scale(Quoted(A), -1.0), a=a)) == [(1, 2, -100.0, -101.0, -99.0)]
    assert prices(derive(Combine(Quoted(A), Quoted(B), 2.0), a=a, b=b)) == [(1, 2, 40.0, 38.0, 42.0)]
    assert prices(derive(Combine(Quoted(A), Quoted(B), -2.0), a=a, b=b)) == [(1, 2, 160.0, 158.0, 162.0)]


def test_a_period_that_only_finer_quotes_tile_is_their_strip(
    derive: Callable[..., DerivedQuotes], hours: Callable[[date, date], float]
) -> None:
    a = quotes((1, 3, 98.0, 97.0, 99.0))
    b = quotes((1, 1, 30.0, 29.0, 31.0), (2, 1, 33.0, 32.0, None), (3, 1, 36.0, 35.0, 37.0))
    derived = derive(Combine(Quoted(A), Quoted(B)), a=a, b=b)
    weights = [hours(month(number), month(number + 1)) for number in (1, 2, 3)]
    strip = sum(weight * price for weight, price in zip(weights, (30.0, 33.0, 36.0), strict=True)) / sum(weights)
    (row,) = derived.quotes.rows(named=True)
    assert row["settle"] == pytest.approx(98.0 - strip, rel=1e-12)
    assert row["bid"] is None, "one ask of the three is missing, so there is no ask of the strip"
    assert row["ask"] == pytest.approx(99.0 - (strip - 1.0), rel=1e-12)
    assert derived.reasons == {}


def test_a_period_that_finer_quotes_do_not_tile_has_no_price_but_a_reason(derive: Callable[..., DerivedQuotes]) -> None:
    a = quotes((1, 3, 98.0, None, None), (4, 1, 90.0, None, None), (5, 1, None, None, None))
    b = quotes((1, 1, 30.0, None, None), (2, 1, 33.0, None, None), (4, 1, None, None, None), (5, 1, 20.0, None, None))
    derived = derive(Combine(Quoted(A), Quoted(B)), a=a, b=b)
    assert derived.quotes["settle"].to_list() == [None, None, None]
    assert derived.reasons == {
        f"{A} lists the period without a settlement": 1,
        f"{B} has no quote of the period, and finer ones do not tile it": 1,
        f"{B} lists the period without a settlement": 1,
    }


def test_strips_are_made_of_their_own_trade_date(derive: Callable[..., DerivedQuotes]) -> None:
    a = pl.concat([quotes((1, 2, 98.0, None, None), day=day) for day in (DAY, NEXT)])
    b = pl.concat([quotes((1, 1, 30.0, None, None)), quotes((1, 1, 40.0, None, None), (2, 1, 40.0, None, None), day=NEXT)])
    derived = derive(Combine(Quoted(A), Quoted(B)), a=a, b=b)
    assert derived.quotes.select("trade_date", "settle").rows() == [(DAY, None), (NEXT, 58.0)]


def test_a_roll_takes_the_price_of_the_later_period(derive: Callable[..., DerivedQuotes]) -> None:
    a = quotes((1, 1, 100.0, 99.0, 101.0), (2, 1, 90.0, 89.0, 91.0), (1, 12, 80.0, None, None), (13, 12, 70.0, None, None))
    derived = derive(Roll(Quoted(A), 12), a=a)
    assert dict(zip([row[:2] for row in _rows(derived)], derived.quotes["settle"], strict=True))[1, 2] is None
    assert derived.quotes.filter(pl.col("delivery_end") == month(13))["settle"].to_list() == [70.0]
    month_later = derive(Roll(Quoted(A), 1), a=a.head(2))
    assert prices(month_later) == [(1, 2, 90.0, 89.0, 91.0), (2, 3, None, None, None)]


def test_a_roll_onto_a_quarter_that_only_months_quote(derive: Callable[..., DerivedQuotes]) -> None:
    a = quotes((1, 3, 100.0, None, None), *((number, 1, 60.0, None, None) for number in (4, 5, 6)))
    rolled = derive(Roll(Quoted(A), 3), a=a).quotes.filter(pl.col("delivery_end") == month(4))
    assert rolled["settle"].to_list() == [60.0]


def test_days_and_weeks_do_not_roll(derive: Callable[..., DerivedQuotes]) -> None:
    week = pl.DataFrame(
        {"trade_date": [DAY], "delivery_start": [date(2024, 10, 21)], "delivery_end": [date(2024, 10, 28)], "settle": [80.0]}
    ).with_columns(bid=pl.lit(None, pl.Float64), ask=pl.lit(None, pl.Float64))
    derived = derive(Roll(Quoted(A), 1), a=week)
    assert derived.quotes["settle"].to_list() == [None]
    assert derived.reasons == {"only periods of whole months can be rolled by months": 1}


def test_a_basis_curve_is_the_hub_and_its_basis_with_outright_quotes_in_front(derive: Callable[..., DerivedQuotes]) -> None:
    hub = quotes((1, 1, 100.0, 99.0, 101.0), (2, 1, 90.0, None, None), (3, 1, 80.0, None, None), (4, 1, 70.0, 69.0, 71.0))
    basis = quotes((1, 1, -3.0, -3.5, -2.5), (2, 1, -2.0, None, None), (3, 1, -1.0, None, None))
    outright = quotes((1, 1, 97.0, 96.5, 97.5), (2, 1, 88.005, None, None), (3, 1, 78.0, None, None), (5, 1, 60.0, None, None))
    plain = derive(Basis(Quoted(A), Quoted(B)), a=hub, b=basis)
    assert prices(plain)[0] == (1, 2, 97.0, 95.5, 98.5)
    derived = derive(Basis(Quoted(A), Quoted(B), Quoted(C)), a=hub, b=basis, c=outright)
    assert derived.quotes["settle"].to_list() == [97.0, 88.005, 78.0, None, 60.0]
    assert prices(derived)[0] == (1, 2, 97.0, 96.5, 97.5)
    assert derived.reconciled["agreement"].to_list() == [Agreement.EQUAL, Agreement.ROUNDING, Agreement.CONTRADICTION]
    assert derived.reconciled["difference"].to_list() == pytest.approx([0.0, 0.005, -1.0])
    assert derived.reasons == {f"{B} has no quote of the period, and finer ones do not tile it": 1}


def test_a_row_of_a_basis_curve_has_its_prices_from_one_of_the_two(derive: Callable[..., DerivedQuotes]) -> None:
    hub = quotes((1, 1, 100.0, 99.0, 101.0), (2, 1, 90.0, None, None), (3, 1, 80.0, 79.0, 81.0))
    basis = quotes((1, 1, 0.0, 0.0, 0.0), (2, 1, 0.0, None, None), (3, 1, 0.0, 0.0, 0.0))
    # A bid above the ask of the other, beside it; a settlement without sides; and sides of a period that nothing implies.
    outright = quotes((1, 1, None, 102.0, None), (2, 1, 90.0, 89.0, None), (4, 1, None, 60.0, 62.0))
    derived = derive(Basis(Quoted(A), Quoted(B), Quoted(C)), a=hub, b=basis, c=outright)
    assert prices(derived) == [
        (1, 2, 100.0, 99.0, 101.0),
        (2, 3, 90.0, 89.0, None),
        (3, 4, 80.0, 79.0, 81.0),
        (4, 5, None, 60.0, 62.0),
    ]
    priced = derived.quotes.drop_nulls(["bid", "ask"])
    assert (priced["bid"] <= priced["ask"]).all()


def test_a_conversion_uses_the_rate_of_each_trade_date_and_names_one_without(derive: Callable[..., DerivedQuotes]) -> None:
    a = pl.concat([quotes((1, 1, 100.0, None, None), day=day) for day in (DAY, NEXT)])
    convert = Convert(Quoted(A), currency="USD")
    factors = pl.DataFrame({"trade_date": [DAY, NEXT], "factor": [1.1, 1.2]})
    assert derive(convert, {convert: factors}, a=a).quotes["settle"].to_list() == pytest.approx([110.0, 120.0])
    with pytest.raises(MissingFactor, match=f"{A} on {NEXT} has no exchange rate"):
        derive(convert, {convert: factors.head(1)}, a=a)
