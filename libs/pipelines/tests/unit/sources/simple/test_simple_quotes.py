from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from aurum.core.curves.quotes import FIELDS
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.quality.quotes import check_quotes
from aurum.pipelines.quality.suites import Suite
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.simple import SOURCE
from aurum.pipelines.testing.source_contract import quotes_parser_of

HEADER = "trade_date,product,period,settle,bid,ask\n"
KEY = "power:DE:base:EEX"
SPAN = ["delivery_start", "delivery_end"]

Parse = Callable[[str], ParsedQuotes]


@pytest.fixture(scope="session")
def parse() -> Parse:
    parts = quotes_parser_of(SOURCE)

    def parse(text: str) -> ParsedQuotes:
        (parsed,) = parts("marks.csv", text)
        return parsed

    return parse


def test_a_row_is_a_quote_with_the_fields_that_it_states(parse: Parse) -> None:
    parsed = parse(f"{HEADER}2025-01-07,{KEY},Q1-25,92.15,92.1,\n")
    assert parsed.rows.select("curve", *SPAN, "trade_date", "settle", "bid", "ask", "volume_mwh", "line").rows() == [
        (KEY, date(2025, 1, 1), date(2025, 4, 1), date(2025, 1, 7), 92.15, 92.1, None, None, 2)
    ]
    assert (parsed.rows_read, parsed.refused.height, parsed.known_at) == (1, 0, None)


def test_every_field_is_read_in_any_order_of_columns(parse: Parse) -> None:
    fields = list(reversed(FIELDS))
    header = ",".join([*fields, "period", "product", "trade_date"])
    numbers = ",".join(str(place + 0.5) for place in range(len(fields)))
    parsed = parse(f"{header}\n{numbers},2026,{KEY},2025-01-07\n")
    assert parsed.rows.select(fields).row(0) == tuple(place + 0.5 for place in range(len(fields)))


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        ("Feb-25", date(2025, 2, 1), date(2025, 3, 1)),
        ("2025", date(2025, 1, 1), date(2026, 1, 1)),
        ("Win-25", date(2025, 10, 1), date(2026, 4, 1)),
        ("W03-25", date(2025, 1, 13), date(2025, 1, 20)),
        ("2025-02-10..2025-02-15", date(2025, 2, 10), date(2025, 2, 15)),
        ("BOM", date(2025, 1, 8), date(2025, 2, 1)),
        ("DA", date(2025, 1, 8), date(2025, 1, 9)),
    ],
)
def test_a_period_is_a_label_or_a_span_of_days(parse: Parse, period: str, first: date, end: date) -> None:
    assert parse(f"{HEADER}2025-01-07,{KEY},{period},1,,\n").rows.select(SPAN).row(0) == (first, end)


def test_a_label_of_the_trade_date_is_read_for_each_of_them(parse: Parse) -> None:
    rows = "".join(f"2025-{month:02}-14,{KEY},BOM,{month},,\n" for month in (1, 2, 3)) + f"2025-01-14,{KEY},Feb-25,9,,\n"
    assert parse(HEADER + rows).rows.select(SPAN).rows() == [
        (date(2025, 1, 15), date(2025, 2, 1)),
        (date(2025, 2, 15), date(2025, 3, 1)),
        (date(2025, 3, 15), date(2025, 4, 1)),
        (date(2025, 2, 1), date(2025, 3, 1)),
    ]


def test_a_discount_curve_is_stored_as_it_is(parse: Parse) -> None:
    parsed = parse(
        f"{HEADER}2025-01-07,rate:EUR:base:DESK,2026-01-07,0.0231,,\n2025-01-07,rate:EUR:base:DESK,2027-01-07,-0.001,,\n"
    )
    assert parsed.rows.select("curve", "delivery_start", "settle").rows() == [
        ("rate:EUR:base:DESK", date(2026, 1, 7), 0.0231),
        ("rate:EUR:base:DESK", date(2027, 1, 7), -0.001),
    ]


def test_a_row_without_a_price_is_a_listed_product(parse: Parse) -> None:
    assert parse(f"{HEADER}2025-01-07,{KEY},2030,,,\n").rows.select("settle", "bid", "ask").rows() == [(None, None, None)]


def test_a_season_of_a_product_without_a_family_is_not_guessed(parse: Parse) -> None:
    own = "power:XX:base:DESK"
    parsed = parse(f"{HEADER}2025-01-07,{own},Sum-25,1,,\n2025-01-07,{own},2025-04-01..2025-10-01,1,,\n")
    assert parsed.rows.height == 1
    assert parsed.refused.select("line", "column", "reason").rows() == [(2, "period", "invalid_time")]
    assert "differently" in parsed.refused["detail"][0]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (f"07/01/2025,{KEY},Q1-25,1,,", "trade_date", "invalid_time"),
        (f"2025-02-30,{KEY},Q1-25,1,,", "trade_date", "invalid_time"),
        (f",{KEY},Q1-25,1,,", "trade_date", "missing_field"),
        ("2025-01-07,,Q1-25,1,,", "product", "missing_field"),
        ("2025-01-07,DE base,Q1-25,1,,", "product", "unknown_code"),
        (f"2025-01-07,{KEY},,1,,", "period", "missing_field"),
        (f"2025-01-07,{KEY},Q5-25,1,,", "period", "invalid_time"),
        (f"2025-01-07,{KEY},someday,1,,", "period", "invalid_time"),
        (f"2025-01-07,{KEY},2025-04-01..2025-04-01,1,,", "period", "invalid_time"),
        (f"2025-01-07,{KEY},Q1-25,about 92,92,93", "settle", "non_numeric"),
        (f'2025-01-07,{KEY},Q1-25,"92,5",,', "settle", "non_numeric"),
    ],
)
def test_a_row_that_cannot_be_read_is_held_back_whole(parse: Parse, row: str, column: str, reason: str) -> None:
    parsed = parse(f"{HEADER}{row}\n2025-01-07,{KEY},2026,90,,\n")
    assert parsed.rows["settle"].to_list() == [90.0]
    assert parsed.refused.select("line", "column", "reason").rows() == [(2, column, reason)]
    assert parsed.rows_read == 2


def test_a_crossed_quote_is_held_back_by_the_gate(parse: Parse) -> None:
    parsed = parse(f"{HEADER}2025-01-07,{KEY},Q1-25,92,93,92\n2025-01-07,{KEY},2026,90,89,91\n")
    result = check_quotes(parsed, Suite("none"))
    assert result.rows["settle"].to_list() == [90.0]
    assert result.quarantine.select("line", "column", "reason").rows() == [(2, "bid", "inconsistent")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("trade_date,product,period,setle\n2025-01-07,x,2026,1\n", r"unknown column 'setle' \(meant: settle\?\)"),
        ("trade_date,product,period,settle,desk\n2025-01-07,x,2026,1,me\n", "unknown column 'desk'"),
        ("trade_date,product,period,settle,settle\n2025-01-07,x,2026,1,1\n", "'settle' occurs 2 times"),
        ("trade_date,product,period\n2025-01-07,x,2026\n", "no column has a price"),
        (f"{HEADER}2025-01-07,{KEY},2026,1,2,3,4\n", "7 fields under a header of 6"),
        (f"{HEADER}2025-01-07,{KEY},2026,1", "truncated"),
    ],
)
def test_a_file_of_another_layout_is_refused(parse: Parse, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(text)


def test_a_byte_order_mark_and_blanks_in_the_header_are_accepted() -> None:
    text = f"\ufefftrade_date, product ,period,settle\n2025-01-07,{KEY},2026,1\n"
    (parsed,) = quotes_parser_of(SOURCE)("marks.csv", text)
    assert parsed.rows["settle"].to_list() == [1.0]


@pytest.mark.parametrize("text", ["", "\n", "date,product,period\n", "a;b\n", '"trade_date,product,period\n'])
def test_other_files_are_not_recognised(text: str) -> None:
    assert not any(one.recognise(SourceFile("marks.csv", text.encode())) for one in SOURCE.formats)


def test_years_of_trade_dates_are_read(parse: Parse) -> None:
    days = pl.date_range(date(2020, 1, 1), date(2024, 12, 31), eager=True)
    rows = "".join(f"{day},{KEY},Q1-30,{place}.5,,\n" for place, day in enumerate(days))
    parsed = parse(HEADER + rows)
    assert parsed.rows.height == len(days)
    assert parsed.rows["settle"][-1] == len(days) - 0.5
