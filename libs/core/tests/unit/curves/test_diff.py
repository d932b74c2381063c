from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from aurum.core.curves.diff import DiffOrder, diff_quotes

SCHEMA = {"curve": pl.String, "delivery_start": pl.Date, "delivery_end": pl.Date, "price": pl.Float64}
MONTHS = [date(2025, month, 1) for month in range(1, 13)]


def frame(*rows: tuple[str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame([(curve, MONTHS[m], MONTHS[m + 1], price) for curve, m, price in rows], SCHEMA, orient="row")


def test_moves_by_size_then_delivery_and_without_a_move_last() -> None:
    a = frame(("x", 0, 80.2), ("x", 1, 81.46), ("x", 2, None), ("x", 3, 10.0), ("x", 4, 50.0), ("y", 1, 1.0))
    b = frame(("x", 0, 78.6), ("x", 1, 79.86), ("x", 2, None), ("x", 5, 7.0), ("x", 4, 52.5), ("y", 1, 1.0))
    rows = diff_quotes(a, b)
    assert rows.select("curve", pl.col("delivery_start").dt.month(), "move", "status").rows() == [
        ("x", 5, 2.5, "both"),
        ("x", 1, -1.6, "both"),
        ("x", 2, -1.6, "both"),
        ("y", 2, 0.0, "both"),
        ("x", 3, None, "unpriced"),
        ("x", 4, None, "expired"),
        ("x", 6, None, "listed"),
    ]


def test_order_by_delivery_and_by_curve() -> None:
    a, b = frame(("y", 0, 1.0), ("x", 1, 1.0)), frame(("y", 0, 2.0), ("x", 1, 4.0), ("x", 0, 1.0))
    by_delivery = diff_quotes(a, b, order=DiffOrder.DELIVERY)
    assert by_delivery.select("curve", pl.col("delivery_start").dt.month()).rows() == [("x", 1), ("y", 1), ("x", 2)]
    by_curve = diff_quotes(a, b, order=DiffOrder.CURVE)
    assert by_curve["curve"].to_list() == ["x", "x", "y"]


def test_a_price_that_went_is_unpriced_and_not_expired() -> None:
    rows = diff_quotes(frame(("x", 0, 5.0)), frame(("x", 0, None)))
    assert rows.select("a", "b", "move", "relative", "status").row(0) == (5.0, None, None, None, "unpriced")


def test_relative_move_has_the_sign_of_the_move_below_zero_and_none_at_zero() -> None:
    rows = diff_quotes(frame(("x", 0, -4.0), ("x", 1, 0.0)), frame(("x", 0, -5.0), ("x", 1, 1.0)), order=DiffOrder.DELIVERY)
    assert rows["relative"].to_list() == [-0.25, None]


def test_two_empty_frames_have_no_difference() -> None:
    assert diff_quotes(frame(), frame()).is_empty()


@pytest.mark.parametrize("kind", ["M", "Q"])
def test_diff_of_settlements(settlements: Callable[[str], pl.DataFrame], oracle: Callable[[str], Any], kind: str) -> None:
    quotes = settlements(kind).with_columns(curve=pl.lit("power:DE:base:EEX"))
    a, b = (quotes.filter(pl.col("trade_date") == date(2024, 10, day)) for day in (11, 14))
    expected = oracle("F")[f"F6 diff {kind} 2024-10-11->2024-10-14"]
    rows = diff_quotes(a, b).head(len(expected))
    assert rows["delivery_start"].cast(pl.String).to_list() == [row["Begin"] for row in expected]
    for name, key in (("a", "a"), ("b", "b"), ("move", "d"), ("relative", "pct")):
        numbers = [None if row[key] == "None" else pytest.approx(float(row[key]), rel=1e-9) for row in expected]
        assert rows[name].round(8).to_list() == numbers
