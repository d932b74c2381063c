"""The front period of each trade date."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from aurum.core.curves.front import front_prices

MONDAY = date(2024, 10, 14)


def quotes(*rows: tuple[int, date, date, date, float | None]) -> pl.DataFrame:
    names = ["curve_id", "trade_date", "delivery_start", "delivery_end", "price"]
    schema = dict(zip(names, [pl.Int32, pl.Date, pl.Date, pl.Date, pl.Float64], strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def month(number: int) -> tuple[date, date]:
    return date(2024, number, 1), date(2024, number + 1, 1)


def test_the_front_month_changes_when_its_delivery_begins() -> None:
    last = date(2024, 10, 31)
    frame = quotes(
        (1, last, *month(10), 1.0), (1, last, *month(11), 2.0), (1, date(2024, 11, 1), *month(11), 3.0),
        (1, date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1), 4.0),
    )  # fmt: skip
    assert front_prices(frame, most=30)["price"].to_list() == [2.0, 4.0]


def test_a_month_comes_before_nearer_days_and_weeks_and_unpriced_ones_are_passed_over() -> None:
    day = MONDAY + timedelta(days=1)
    frame = quotes((1, MONDAY, day, day + timedelta(days=1), 9.0), (1, MONDAY, *month(11), None), (1, MONDAY, *month(10), 7.0))
    assert front_prices(frame, most=30)["price"].to_list() == [9.0]
    assert front_prices(pl.concat([frame, quotes((1, MONDAY, date(2024, 12, 1), date(2025, 1, 1), 8.0))]), most=30)[
        "price"
    ].to_list() == [8.0]


def test_a_curve_without_months_has_the_nearest_period_the_shortest_of_several() -> None:
    start = date(2025, 1, 1)
    frame = quotes((2, MONDAY, start, date(2026, 1, 1), 1.0), (2, MONDAY, start, date(2025, 4, 1), 2.0))
    assert front_prices(frame, most=30).rows() == [(2, MONDAY, 2.0)]


def test_a_trade_date_without_the_tenor_is_left_out_and_no_other_contract_takes_its_place() -> None:
    january, friday = (date(2025, 1, 1), date(2025, 2, 1)), MONDAY - timedelta(days=3)
    frame = quotes((1, friday, *january, 99.95), (1, MONDAY, *month(11), 90.84), (1, MONDAY, *january, 102.0))
    assert front_prices(frame, most=30).rows() == [(1, MONDAY, 90.84)]


def test_the_tenor_is_that_of_most_trade_dates() -> None:
    december, friday = (date(2024, 12, 1), date(2025, 1, 1)), MONDAY - timedelta(days=3)
    oil = quotes(
        (1, friday, *december, 79.0), (1, MONDAY, *december, 77.5), (1, date(2024, 9, 30), *month(11), 71.8),
        (1, date(2024, 9, 27), *month(10), 71.6), (1, date(2024, 9, 27), *month(11), 71.5),
    )  # fmt: skip
    assert front_prices(oil, most=30)["price"].to_list() == [71.5, 71.8, 79.0, 77.5]


def test_quarters_and_seasons_have_a_tenor_too() -> None:
    friday, first, second = (
        MONDAY - timedelta(days=3),
        (date(2025, 1, 1), date(2025, 4, 1)),
        (date(2025, 4, 1), date(2025, 7, 1)),
    )
    winter, summer = (date(2024, 10, 1), date(2025, 4, 1)), (date(2025, 4, 1), date(2025, 10, 1))
    frame = quotes(
        (1, friday, *second, 80.0), (1, MONDAY, *first, 95.0), (1, MONDAY, *second, 81.0),
        (2, date(2024, 9, 30), *winter, 41.0), (2, MONDAY, *winter, 42.0), (2, MONDAY, *summer, 35.0),
        (2, friday, *summer, 34.0),
    )  # fmt: skip
    assert front_prices(frame, most=30).rows() == [
        (1, MONDAY, 95.0), (2, date(2024, 9, 30), 41.0), (2, friday, 34.0), (2, MONDAY, 35.0),
    ]  # fmt: skip


def test_only_the_newest_trade_dates_of_each_curve_count() -> None:
    days = [MONDAY - timedelta(days=number) for number in range(5)]
    frame = quotes(*((curve, day, *month(11), float(day.day)) for curve in (1, 2) for day in days[curve - 1 :]))
    assert front_prices(frame, most=2).rows() == [
        (1, days[1], 13.0), (1, days[0], 14.0), (2, days[2], 12.0), (2, days[1], 13.0),
    ]  # fmt: skip
