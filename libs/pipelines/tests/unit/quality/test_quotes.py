from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.core.frames import REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.parsed_quotes import ParsedQuotes, QuoteTerms
from aurum.pipelines.quality.checks import check_parts
from aurum.pipelines.quality.quotes import check_quotes
from aurum.pipelines.quality.suites import Suite, parse_suite
from aurum.pipelines.reading.quotes import as_quotes, read_fields
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset

DATASET = Dataset("invented", "settlements", "Invented settlements", "UTC", Frequency.DAY, (), quotes=QuoteTerms())
NOW = datetime(2031, 5, 6, 12, tzinfo=UTC)
QUOTE: dict[str, object] = {
    "curve": "power:XX:base:INV",
    "delivery_start": date(2031, 6, 1),
    "delivery_end": date(2031, 7, 1),
    "trade_date": date(2031, 5, 5),
    "settle": 10.0,
}
NONE = Suite("none")


def quotes(*changes: dict[str, object], stated: date | None = None) -> ParsedQuotes:
    """Return a file with one quote per line, each with its changes."""
    rows = pl.DataFrame([{**QUOTE, "line": line, **each} for line, each in enumerate(changes, start=2)], schema=PARSED_QUOTES)
    refused = pl.DataFrame(schema=REFUSED)
    return ParsedQuotes(DATASET, rows, refused, len(changes), lambda line: f"text of line {line}", stated_trade_date=stated)


def reported(quarantine: pl.DataFrame) -> list[tuple[object, ...]]:
    return quarantine.select("line", "column", "reason").rows()


def test_sound_quotes_pass_as_they_are() -> None:
    file = quotes({}, {"trade_date": date(2031, 5, 6)}, {"settle": None, "delivery_end": date(2031, 9, 1)})
    result = check_quotes(file, NONE, now=NOW)
    assert result.rows.equals(file.rows)
    assert result.quarantine.is_empty()


def test_a_settlement_outside_low_and_high_passes() -> None:
    assert check_quotes(quotes({"low": 11.0, "high": 12.0, "settle": 10.0}), NONE, now=NOW).rows.height == 1


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"curve": None}, "curve", Reason.MISSING_FIELD),
        ({"curve": "power:XX:base"}, "curve", Reason.UNKNOWN_CODE),
        ({"trade_date": None}, "trade_date", Reason.MISSING_FIELD),
        ({"delivery_end": None}, "delivery_start", Reason.MISSING_FIELD),
        ({"trade_date": date(2031, 5, 9)}, "trade_date", Reason.INVALID_TIME),
        ({"trade_date": date(1931, 5, 5)}, "trade_date", Reason.INVALID_TIME),
        ({"delivery_end": date(2031, 6, 1)}, "delivery_end", Reason.INVALID_TIME),
        ({"delivery_end": date(2031, 5, 1)}, "delivery_end", Reason.INVALID_TIME),
        ({"delivery_start": date(2131, 6, 1), "delivery_end": date(2131, 7, 1)}, "delivery_start", Reason.INVALID_TIME),
        ({"delivery_start": date(2021, 6, 1), "delivery_end": date(2021, 7, 1)}, "delivery_start", Reason.INVALID_TIME),
        ({"settle": float("nan")}, "settle", Reason.NON_NUMERIC),
        ({"high": float("inf")}, "high", Reason.NON_NUMERIC),
        ({"ask": 1e12}, "ask", Reason.OUT_OF_BOUNDS),
        ({"volume_mwh": -1.0}, "volume_mwh", Reason.OUT_OF_BOUNDS),
        ({"bid": 10.2, "ask": 10.1}, "bid", Reason.INCONSISTENT),
        ({"low": 10.2, "high": 10.1}, "low", Reason.INCONSISTENT),
    ],
)
def test_an_impossible_quote_is_held_back_with_its_line_column_text_and_reason(
    change: dict[str, object], column: str, reason: Reason
) -> None:
    result = check_quotes(quotes({"delivery_end": date(2031, 8, 1)}, change), NONE, now=NOW)
    assert result.rows["line"].to_list() == [2]
    assert reported(result.quarantine) == [(3, column, str(reason))]
    assert result.quarantine["raw"].to_list() == ["text of line 3"]
    assert result.quarantine["detail"][0]


def test_a_quote_with_several_faults_is_reported_once() -> None:
    result = check_quotes(quotes({"settle": float("nan"), "bid": 2.0, "ask": 1.0}), NONE, now=NOW)
    assert reported(result.quarantine) == [(2, "settle", str(Reason.NON_NUMERIC))]


def test_a_trade_date_other_than_that_of_the_file_name_is_held_back() -> None:
    file = quotes({}, {"trade_date": date(2031, 5, 2)}, stated=date(2031, 5, 5))
    result = check_quotes(file, NONE, now=NOW)
    assert reported(result.quarantine) == [(3, "trade_date", str(Reason.INVALID_TIME))]
    assert result.quarantine["detail"].to_list() == ["trade date 2031-05-02, and the name of the file says 2031-05-05"]


def test_a_report_names_the_cell_where_the_parser_knows_it() -> None:
    file = quotes({"bid": 2.0, "ask": 1.0})
    result = check_quotes(replace(file, rows=file.rows.with_columns(pl.lit("Power!D7").alias("cell"))), NONE, now=NOW)
    assert reported(result.quarantine) == [(2, "Power!D7", str(Reason.INCONSISTENT))]


def test_a_critical_expectation_holds_quotes_back_and_a_warning_does_not() -> None:
    between = {"column": "settle", "min_value": 0, "max_value": 5}
    for severity, passed in (("critical", [3]), ("warning", [2, 3])):
        expectation = {"type": "expect_column_values_to_be_between", "kwargs": between, "severity": severity}
        suite = parse_suite({"name": "x", "expectations": [expectation]})
        result = check_quotes(quotes({}, {"settle": 4.0, "delivery_end": date(2031, 8, 1)}), suite, now=NOW)
        assert result.rows["line"].to_list() == passed
        assert [outcome.unexpected for outcome in result.validation.outcomes] == [1]


def checked(*parts: ParsedQuotes) -> Sequence[list[object]]:
    """Return lines that pass and lines that are held back, of each part."""
    results = check_parts(parts, lambda _: NONE, now=NOW)
    return [[one.rows["line"].to_list(), reported(one.quarantine)] for one in results]


def test_a_quote_that_is_repeated_alike_counts_once() -> None:
    assert checked(quotes({}, {}, {"trade_date": date(2031, 5, 2)})) == [[[2, 4], []]]


def test_a_quote_that_is_repeated_with_another_number_is_held_back_in_every_row() -> None:
    contradiction = str(Reason.DUPLICATE_KEY)
    assert checked(quotes({}, {"bid": 1.0}, {"trade_date": date(2031, 5, 2)})) == [
        [[4], [(2, "settle", contradiction), (3, "settle", contradiction)]]
    ]


def test_quotes_of_two_sheets_are_compared_with_each_other() -> None:
    contradiction = str(Reason.DUPLICATE_KEY)
    held = [(2, "settle", contradiction)]
    assert checked(quotes({}), quotes({"settle": 11.0})) == [[[], held], [[], held]]
    assert checked(quotes({}), quotes({})) == [[[2], []], [[], []]]


def test_a_row_with_text_in_a_price_is_held_back_whole() -> None:
    frame = pl.DataFrame({"line": [2, 3, 4], "Bid": ["1,5", "1.5", None], "Ask": ["2", "2,5", "n/a"]})
    refusals = Refusals(lambda line: f"text of line {line}")
    read = read_fields(frame, {"bid": "Bid", "ask": "Ask"}, refusals, decimal_comma=True)
    assert read.select("line", "bid", "ask").rows() == [(2, 1.5, 2.0)]
    assert reported(refusals.frame()) == [(3, "Bid", str(Reason.NON_NUMERIC)), (4, "Ask", str(Reason.NON_NUMERIC))]


def test_fields_that_a_frame_lacks_are_null() -> None:
    frame = pl.DataFrame([{**QUOTE, "line": 2}])
    assert as_quotes(frame).select("settle", "bid", "open_interest").rows() == [(10.0, None, None)]
