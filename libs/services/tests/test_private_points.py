"""Points of private series as callers write them: what is read, and how a bad row is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.errors import Invalid, InvalidParameters
from aurum.core.markettime import InvalidInstant, parse_instant
from aurum.core.series.model import SeriesSpec
from aurum.services.private import ROWS, BadRows, csv_rows, private_spec
from aurum.services.private.points import checked_points

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEW_YORK = "America/New_York"


def hourly(zone: str = NEW_YORK) -> SeriesSpec:
    return private_spec("meter", unit="MWh", frequency="1h", zone=zone)


def rows(*texts: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    numbered = [(number, *row) for number, row in enumerate(texts, 2)]
    return pl.DataFrame(numbered, schema=ROWS, orient="row")


def points(*texts: tuple[str | None, str | None, str | None], spec: SeriesSpec | None = None) -> pl.DataFrame:
    return checked_points(rows(*texts), spec or hourly(), now=NOW)


def refusal(*texts: tuple[str | None, str | None, str | None], spec: SeriesSpec | None = None) -> str:
    with pytest.raises(BadRows) as caught:
        points(*texts, spec=spec)
    return caught.value.detail


def test_starts_are_read_with_an_offset_or_on_the_clock_of_the_series() -> None:
    read = points(
        ("2025-11-02T01:00-04:00", "1", None),
        ("2025-11-02T01:00:00-05:00", "2", None),
        ("2025-11-02T07:00:00.000Z", "3", None),
        ("2025-11-02T03:00", "4", None),
        ("2025-11-03", "5", None),
    )
    assert [ts.isoformat() for ts in read["ts"]] == [
        f"2025-11-{day}T{hour}:00:00+00:00"
        for day, hour in (("02", "05"), ("02", "06"), ("02", "07"), ("02", "08"), ("03", "05"))
    ]
    assert read["value"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert read["known_at"].null_count() == 5


@given(
    st.datetimes(datetime(1901, 1, 1), datetime(2099, 12, 30), timezones=st.none()),
    st.sampled_from(["", "Z", "z", "+05:30", "-05:00", "+14:00"]),
    st.sampled_from([NEW_YORK, "UTC", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_a_column_of_times_is_read_as_the_grammar_of_single_times_reads_them(at: datetime, offset: str, zone: str) -> None:
    spec = private_spec("meter", unit="MWh", frequency="irregular", zone=zone)
    for text in (at.isoformat() + offset, f"{at:%Y-%m-%dT%H:%M}{offset}", f"{at:%Y-%m-%d}"):
        try:
            expected = parse_instant(text, zone)
        except InvalidInstant:
            assert "twice" in (named := refusal((text, "1", None), spec=spec)) or "does not exist" in named
        else:
            assert points((text, "1", None), spec=spec)["ts"].to_list() == [expected]


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("2025-11-02T01:00", "line 2: start happens twice in America/New_York"),
        ("2025-03-09T02:00", "line 2: start does not exist in America/New_York"),
        ("2025-02-30T01:00Z", "line 2: start is not a time"),
        ("2025-11-02T24:00Z", "line 2: start is not a time"),
        ("02/11/2025 01:00", "line 2: start is not a time"),
        ("1762056000", "line 2: start is not a time"),
        ("", "line 2: start is missing"),
        (None, "line 2: start is missing"),
        ("2025-11-02T05:30Z", "line 2: start is not the start of an interval: the step of the series is 1h"),
        ("0202-11-02T05:00Z", "line 2: start is not between the years 1900 and 2099"),
    ],
)
def test_a_bad_start_is_named_by_line(start: str | None, why: str) -> None:
    assert why in refusal((start, "1", None))


@pytest.mark.parametrize("value", ["", None, "n/a", "1,5", "NaN", "inf", "1e999", "0x10", "--1", "1_000", "\u0661"])
def test_a_value_that_is_no_finite_number_is_refused(value: str | None) -> None:
    assert "line 2: value is" in refusal(("2025-11-02T05:00Z", value, None))


def test_a_known_time_in_the_future_is_refused() -> None:
    later = (NOW + timedelta(seconds=1)).isoformat()
    assert "line 2: known_at is in the future: it is now 2026-01-01T12:00:00+00:00" in refusal(("2025-11-02", "1", later))
    assert points(("2025-11-02", "1", NOW.isoformat()))["known_at"].to_list() == [NOW]


def test_two_values_for_one_interval_are_refused_whatever_their_spelling() -> None:
    twice = refusal(("2025-11-03T00:00", "1", None), ("2025-11-04", "2", None), ("2025-11-03T05:00Z", "1", None))
    assert "1 row cannot be used" in twice
    assert "line 4: start is a second value for the interval of line 2" in twice
    vintages = points(("2025-11-03", "1", "2025-11-05"), ("2025-11-03", "2", "2025-11-06"), ("2025-11-03", "3", None))
    assert vintages.height == 3


@pytest.mark.parametrize(
    ("frequency", "good", "bad"),
    [
        ("15min", "2025-11-02T05:45Z", "2025-11-02T05:50Z"),
        ("1d", "2025-11-03T00:00-05:00", "2025-11-03T00:00Z"),
        ("1w", "2025-11-03", "2025-11-04"),
        ("1mo", "2025-11-01", "2025-11-02"),
        ("1q", "2025-10-01", "2025-11-01"),
        ("1y", "2025-01-01", "2025-02-01"),
    ],
)
def test_a_start_begins_an_interval_on_the_local_clock(frequency: str, good: str, bad: str) -> None:
    spec = private_spec("meter", unit="MWh", frequency=frequency, zone=NEW_YORK)
    assert points((good, "1", None), spec=spec).height == 1
    assert "is not the start of an interval" in refusal((bad, "1", None), spec=spec)


def test_hours_begin_at_half_past_where_clocks_do() -> None:
    assert points(("2025-11-02T00:30Z", "1", None), spec=hourly("Asia/Kolkata")).height == 1


def test_a_refusal_names_the_first_twenty_rows_and_counts_the_others() -> None:
    detail = refusal(*(("bad", "1", None) for _ in range(30)))
    assert detail.startswith("30 rows cannot be used, so nothing was stored: line 2:")
    assert detail.endswith("; and 10 more")


def test_a_csv_file_may_order_its_columns_and_end_with_blank_lines() -> None:
    read = csv_rows("\ufeffvalue;start\r\n1.5;2025-11-03T00:00\r\n2;2025-11-03T01:00\r\n\r\n".encode())
    assert read.rows() == [(2, "2025-11-03T00:00", "1.5", None), (3, "2025-11-03T01:00", "2", None)]
    assert csv_rows(b"start,value\n").is_empty()
    assert csv_rows(b"start,value,known_at\n2025-11-03,1,\n").rows() == [(2, "2025-11-03", "1", None)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1 must name the columns"),
        (b"2025-11-03,1\n", "line 1 must name the columns"),
        (b"start,value,unit\n", "line 1 must name the columns"),
        (b"start,value\n2025-11-03,1,2,3\n", "row 2 has 4 cells, and line 1 names 2 columns"),
        (b"start,value\n\xff,1\n", "is not UTF-8"),
    ],
)
def test_another_file_is_refused_as_a_whole(content: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        csv_rows(content)


BAD_NAMES = ["", "a/b", "..", "../x", ".x", "-x", "a b", "é", "x\n", "a\0", "\u212aelvin", "n" * 101, "a:b", "a,b", "a%2fb"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_would_need_an_escape_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameters, match="name: must be 1 to 100"):
        private_spec(name, unit="MWh", frequency="1h", zone="UTC")


def test_every_bad_field_of_a_declaration_is_named() -> None:
    with pytest.raises(InvalidParameters) as caught:
        private_spec("a", unit="MWhh", frequency="2h", zone="America/Newyork", title="\u200b")
    errors = caught.value.facts["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == ["title", "unit", "frequency", "zone"]


def test_a_unit_in_another_spelling_is_the_same_unit_and_knows_its_currency() -> None:
    spec = private_spec("mark", unit="$/MWHr", frequency="1d", zone="UTC")
    assert (spec.unit, spec.currency) == ("USD/MWh", "USD")
