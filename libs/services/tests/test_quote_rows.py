"""Rows of quotes that a tenant sends: all of them are used, or none, and every bad cell is named with its line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from aurum.core.curves.calendars import parse_delivery_calendar
from aurum.core.curves.quotes import FILE_QUOTES
from aurum.core.curves.seasons import parse_season_family
from aurum.core.errors import Invalid
from aurum.services.curves.reference import Terms
from aurum.services.curves.rows import QuotedProduct, checked_quotes, csv_quote_rows
from aurum.services.private import BadRows

NOW = datetime(2025, 1, 8, 12, tzinfo=UTC)
DESK = "power:DE:base:DESK"
PRODUCTS = {
    DESK: QuotedProduct(Terms(parse_delivery_calendar("eu_power"), None, parse_season_family("europe"))),
    "gas:TTF:base:OTHER": QuotedProduct(None, "is not a product of yours"),
}


def rows(*lines: str, header: str = "trade_date,product,period,settle,bid,ask") -> pl.DataFrame:
    return csv_quote_rows("\n".join([header, *lines]).encode())


def refusals(*lines: str, header: str = "trade_date,product,period,settle,bid,ask") -> list[tuple[str, str]]:
    with pytest.raises(BadRows) as raised:
        checked_quotes(rows(*lines, header=header), PRODUCTS, now=NOW)
    return [(one["field"], one["message"]) for one in raised.value.facts["errors"]]  # type: ignore[attr-defined]


def test_a_row_states_the_whole_quote_of_a_period() -> None:
    quotes = checked_quotes(
        rows(f"2025-01-07,{DESK},Q1-25,92.15,92.1,92.2", f"2025-01-07,{DESK},2025-02-01..2025-02-08,,,"), PRODUCTS, now=NOW
    )
    assert quotes.schema == FILE_QUOTES
    first, second = quotes.to_dicts()
    assert (first["delivery_start"], first["delivery_end"]) == (date(2025, 1, 1), date(2025, 4, 1))
    assert (first["trade_date"], first["settle"], first["bid"], first["ask"]) == (date(2025, 1, 7), 92.15, 92.1, 92.2)
    assert first["volume_mwh"] is None
    assert first["known_at"] is None
    assert second["settle"] is None, "listed, and without a price"
    assert second["delivery_end"] == date(2025, 2, 8)


def test_the_rest_of_a_month_is_read_by_its_trade_date() -> None:
    quotes = checked_quotes(rows(f"2025-01-07,{DESK},BOM,1,,", f"2025-01-06,{DESK},BOM,2,,"), PRODUCTS, now=NOW)
    assert quotes["delivery_start"].to_list() == [date(2025, 1, 8), date(2025, 1, 7)]
    assert set(quotes["delivery_end"]) == {date(2025, 2, 1)}


def test_semicolons_columns_in_any_order_and_known_times() -> None:
    quotes = checked_quotes(
        rows(f"Win-25;90;{DESK};2025-01-07;2025-01-07T17:00:00Z", header="period;settle;product;trade_date;known_at"),
        PRODUCTS,
        now=NOW,
    )
    assert quotes["known_at"].to_list() == [datetime(2025, 1, 7, 17, tzinfo=UTC)]
    assert (quotes["delivery_start"][0], quotes["delivery_end"][0]) == (date(2025, 10, 1), date(2026, 4, 1))


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        (f"07/01/2025,{DESK},Q1-25,1,,", "trade_date", "is not a date such as 2025-01-07"),
        (f",{DESK},Q1-25,1,,", "trade_date", "is missing"),
        (f"2025-01-10,{DESK},Q1-25,1,,", "trade_date", "is in the future"),
        ("2025-01-07,,Q1-25,1,,", "product", "is missing"),
        ("2025-01-07,gas:TTF:base:OTHER,Q1-25,1,,", "product", "is not a product of yours"),
        (f"2025-01-07,{DESK},,1,,", "period", "is missing"),
        (f"2025-01-07,{DESK},Q5-25,1,,", "period", "Q5-25"),
        (f"2025-01-07,{DESK},Q1-25,n/a,,", "settle", "is not a decimal number"),
        (f"2025-01-07,{DESK},Q1-25,1e999,,", "settle", "is not a decimal number"),
        (f"2025-01-07,{DESK},Q1-25,,93,92", "bid", "is above the ask"),
        (f"2025-01-07,{DESK},Q1-25,-1e308,,", "settle", "is absurd"),
        (f"2025-01-07,{DESK},Cal-95,1,,", "period", "is too far from the trade date 2025-01-07"),
        (f"2025-01-07,{DESK},Q1-23,1,,", "period", "is too far from the trade date 2025-01-07"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(line: str, field: str, message: str) -> None:
    ((where, why),) = refusals(f"2025-01-06,{DESK},Q1-25,1,,", line)
    assert where == f"line 3: {field}"
    assert message in why


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("2,1,2025-01-07T17:00:00Z", "low", "is above the high"),
        ("1,2,2020-01-01T00:00:00Z", "known_at", "is before the day before the trade date 2025-01-07"),
        ("1,2,2025-01-05T23:59:59Z", "known_at", "is before the day before the trade date 2025-01-07"),
    ],
)
def test_uploads_have_the_bounds_of_files(line: str, field: str, message: str) -> None:
    header = "trade_date,product,period,low,high,known_at"
    good = f"2025-01-07,{DESK},Q2-25,1,2,2025-01-06T00:00:00Z"
    ((where, why),) = refusals(good, f"2025-01-07,{DESK},Q1-25,{line}", header=header)
    assert where == f"line 3: {field}"
    assert message in why


def test_two_quotes_of_one_period_are_refused_however_they_are_spelt() -> None:
    ((where, why),) = refusals(f"2025-01-07,{DESK},Q1-25,1,,", f"2025-01-07,{DESK},2025Q1,2,,")
    assert where == "line 3: period"
    assert "line 2" in why


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("trade_date,product,settle", "period is missing"),
        ("trade_date,product,period,setle", "meant: settle?"),
        ("trade_date,product,period,settle,settle", "more than once"),
    ],
)
def test_a_header_without_the_columns_of_quotes_is_refused(header: str, message: str) -> None:
    with pytest.raises(Invalid, match=message.replace("?", r"\?")):
        rows(header=header)


def test_a_row_with_another_number_of_cells_is_refused() -> None:
    with pytest.raises(Invalid, match="row 2 has 3 cells"):
        rows(f"2025-01-07,{DESK},Q1-25")
