from datetime import date

import pytest

from aurum.core.calendars import parse_block
from aurum.core.curves.calendars import parse_delivery_calendar
from aurum.core.curves.periods import InvalidPeriod, PeriodKind, name_period, parse_period, period_document
from aurum.core.curves.seasons import SeasonFamily, parse_season_family

EUROPE = parse_season_family("europe")
US_GAS = parse_season_family("us_gas")
US_POWER = parse_season_family("us_power")
TRADE_DATE = date(2025, 1, 15)  # a Wednesday

SPELLINGS = {
    "Jan-25": [
        "Jan-25",
        "jan 25",
        "JAN25",
        "Jan/25",
        "Jan'25",
        "Jan. 2025",
        "January 2025",
        "january-25",
        "2025-01",
        "2025/01",
    ],
    "Sep-25": ["Sep-25", "Sept-25", "SEPTEMBER 2025", "2025 Sep", "  Sep  -  25 ", "Sep–25"],
    "Jan-1999": ["Jan-1999", "1999-01"],
    "Q1-25": ["Q1-25", "q1 25", "Q1 2025", "Q1/25", "2025Q1", "2025-Q1", "1Q25", "1Q 2025", "2025-01-01..2025-04-01"],
    "H1-25": ["H1-25", "h1 2025", "1H25", "2025H1", "2025-01-01..2025-07-01"],
    "2025": ["2025", "Cal-25", "CAL 25", "cal25", "Calendar 2025", "Cal'25", "Year 2025", "CY-25"],
    "2026": ["Calendar 2026"],
    "Sum-26": ["Sum-26", "Summer 2026", "SUMMER-26", "sum26", "2026 Summer"],
    "Win-25": ["Win-25", "Winter 2025", "winter 25", "Winter 2025/26", "Win-25/26", "Win 25-26", "Winter 2025-2026"],
    "GY-25": ["GY-25", "Gas Year 25", "gas-year 2025", "Gas Year 2025/26"],
    "W03-25": ["W03-25", "W3-25", "w03 2025", "Week 3 2025", "WK03-25", "2025-W03", "2025W03", "2025-w3"],
    "W53-20": ["W53-20", "2020-W53", "2020-12-28..2021-01-04"],
    "W01-25": ["W01-25", "2024-12-30..2025-01-06"],
    "WE 18-Jan-25": ["WE 18-Jan-25", "wE 18 jan 2025", "Weekend 2025-01-18", "WE-2025-01-18", "2025-01-18..2025-01-20", "WE"],
    "2025-01-15": ["2025-01-15", "20250115", "15-Jan-25", "15 January 2025", "2025-01-15..2025-01-16"],
    "2025-01-16": ["DA", "day ahead", "Day-Ahead"],
    "2025-01-05..2025-01-09": ["2025-01-05..2025-01-09", "2025-01-05 .. 2025-01-09", "5-Jan-25..9-Jan-25"],
    "2024-11-01..2025-03-01": ["2024-11-01..2025-03-01"],
    "BOM": ["BOM", "bom", " Bom ", "BalMo", "Balance of Month", "2025-01-16..2025-02-01"],
    "BOY": ["BOY", "boy", "Bal  Year", "2025-01-16..2026-01-01"],
}


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, texts in SPELLINGS.items() for text in texts])
def test_every_spelling_of_a_period_has_one_label(label: str, text: str) -> None:
    assert parse_period(text, seasons=EUROPE, trade_date=TRADE_DATE).label == label


@pytest.mark.parametrize(
    ("text", "kind", "first", "end"),
    [
        ("2024-02-29", PeriodKind.DAY, date(2024, 2, 29), date(2024, 3, 1)),
        ("WE 28-Feb-26", PeriodKind.WEEKEND, date(2026, 2, 28), date(2026, 3, 2)),
        ("W53-26", PeriodKind.WEEK, date(2026, 12, 28), date(2027, 1, 4)),
        ("W01-21", PeriodKind.WEEK, date(2021, 1, 4), date(2021, 1, 11)),
        ("Feb-24", PeriodKind.MONTH, date(2024, 2, 1), date(2024, 3, 1)),
        ("Dec-25", PeriodKind.MONTH, date(2025, 12, 1), date(2026, 1, 1)),
        ("Q4-25", PeriodKind.QUARTER, date(2025, 10, 1), date(2026, 1, 1)),
        ("H2-25", PeriodKind.HALF, date(2025, 7, 1), date(2026, 1, 1)),
        ("Win-27", PeriodKind.SEASON, date(2027, 10, 1), date(2028, 4, 1)),
        ("GY-25", PeriodKind.YEAR, date(2025, 10, 1), date(2026, 10, 1)),
        ("2028", PeriodKind.YEAR, date(2028, 1, 1), date(2029, 1, 1)),
        ("BOM", PeriodKind.BOM, date(2025, 1, 16), date(2025, 2, 1)),
        ("BOY", PeriodKind.BOY, date(2025, 1, 16), date(2026, 1, 1)),
        ("2025-01-05..2025-01-09", PeriodKind.CUSTOM, date(2025, 1, 5), date(2025, 1, 9)),
    ],
)
def test_span_and_kind_of_a_label(text: str, kind: PeriodKind, first: date, end: date) -> None:
    period = parse_period(text, seasons=EUROPE, trade_date=TRADE_DATE)
    assert (period.kind, period.first, period.end) == (kind, first, end)


@pytest.mark.parametrize(
    ("family", "text", "first", "end"),
    [
        (EUROPE, "Summer 2026", date(2026, 4, 1), date(2026, 10, 1)),
        (US_GAS, "Summer 2026", date(2026, 4, 1), date(2026, 11, 1)),
        (US_GAS, "Win-25", date(2025, 11, 1), date(2026, 4, 1)),
        (US_POWER, "Jan-Feb 26", date(2026, 1, 1), date(2026, 3, 1)),
        (US_POWER, "JA-26", date(2026, 7, 1), date(2026, 9, 1)),
    ],
)
def test_the_family_of_the_product_decides_a_season(family: SeasonFamily, text: str, first: date, end: date) -> None:
    period = parse_period(text, seasons=family)
    assert (period.first, period.end, period.kind) == (first, end, PeriodKind.SEASON)
    assert parse_period(period.label, seasons=family) == period


def test_packages_of_us_power_that_are_months_or_quarters_are_called_so() -> None:
    kinds = [parse_period(text, seasons=US_POWER).kind for text in ("May-26", "Jun 26", "Sep-26", "Q4-26")]
    assert kinds == [PeriodKind.MONTH, PeriodKind.MONTH, PeriodKind.MONTH, PeriodKind.QUARTER]


@pytest.mark.parametrize("text", ["Summer 2026", "Sum-26", "Winter 2025", "Win-25/26"])
def test_a_season_that_two_families_read_differently_is_refused_with_both_readings(text: str) -> None:
    with pytest.raises(InvalidPeriod, match=r"europe.*us_gas") as caught:
        parse_period(text, seasons=None)
    assert caught.value.facts["period"] == text
    assert "2026-04-01" in caught.value.detail


def test_a_season_that_one_family_alone_has_is_read() -> None:
    assert parse_period("Jan-Feb 26", seasons=None).end == date(2026, 3, 1)
    assert parse_period("Gas Year 25", seasons=None).first == date(2025, 10, 1)


def test_a_season_that_the_family_lacks_is_refused() -> None:
    with pytest.raises(InvalidPeriod, match="us_power does not have the season 'summer'"):
        parse_period("Summer 2026", seasons=US_POWER)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write Jan-25"),
        ("   ", "write Jan-25"),
        ("25", "write Jan-25"),
        ("Foo-25", "write Jan-25"),
        ("M+1", "write Jan-25"),
        ("Jan", "write Jan-25"),
        ("01/02/2025", "write Jan-25"),
        ("2025-1", "write Jan-25"),
        ("Jan-025", "write Jan-25"),
        ("Jan-25 ..", "write Jan-25"),
        ("x" * 1000, r"x\.\.\."),
        ("Jan-２５", "write Jan-25"),
        ("2025-13", "months 01 to 12"),
        ("2025-00", "months 01 to 12"),
        ("2025-02-30", "2025-02-30"),
        ("30 Feb 2025", "2025-02-30"),
        ("2025-02-29", "2025-02-29"),
        ("2025-13-01", "2025-13-01"),
        ("Q0-25", "quarters 1 to 4"),
        ("Q5-25", "quarters 1 to 4"),
        ("H3-25", "halves 1 to 2"),
        ("W53-25", "2025 has the ISO weeks 1 to 52"),
        ("W54-20", "2020 has the ISO weeks 1 to 53"),
        ("W00-25", "ISO weeks"),
        ("W26", "week or a season"),
        ("S-26", "week or a season"),
        ("WE 17-Jan-25", "2025-01-17 is a Friday"),
        ("Win-25/27", "ends in 2026, not 2027"),
        ("Sum-26/27", "lies in one year"),
        ("2025-04-01..2025-01-01", "must be after its first day"),
        ("2025-01-01..2025-01-01", "must be after its first day"),
        ("Jan-1969", "1970 to 2199"),
        ("Dec-9999", "1970 to 2199"),
        ("9999-12-31", "1970 to 2199"),
        ("0000", "1970 to 2199"),
        ("2200", "1970 to 2199"),
        ("Win-2199", "1970 to 2199"),
    ],
)
def test_a_label_that_names_no_period_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidPeriod, match=why):
        parse_period(text, seasons=EUROPE, trade_date=TRADE_DATE)


@pytest.mark.parametrize("text", ["BOM", "boy", "DA", "WE"])
def test_a_period_relative_to_a_trade_date_needs_one(text: str) -> None:
    with pytest.raises(InvalidPeriod, match="needs a trade date"):
        parse_period(text, seasons=EUROPE)


@pytest.mark.parametrize(
    ("text", "trade_date", "label"),
    [
        ("BOM", date(2025, 2, 1), "Feb-25"),
        ("BOM", date(2024, 10, 1), "Oct-24"),
        ("BOM", date(2025, 1, 30), "2025-01-31"),
        ("BOM", date(2025, 5, 30), "2025-05-31"),
        ("BOM", date(2025, 8, 29), "WE 30-Aug-25"),
        ("BOM", date(2025, 1, 2), "BOM"),
        ("BOM", date(2024, 2, 10), "BOM"),
        ("BOY", date(2025, 1, 1), "2025"),
        ("BOY", date(2025, 6, 30), "H2-25"),
        ("BOY", date(2025, 9, 30), "Q4-25"),
        ("BOY", date(2025, 11, 30), "Dec-25"),
        ("BOY", date(2025, 3, 3), "BOY"),
        ("BOY", date(2025, 12, 12), "BOM"),
        ("WE", date(2025, 1, 17), "WE 18-Jan-25"),
        ("WE", date(2025, 1, 18), "WE 25-Jan-25"),
        ("WE", date(2025, 1, 19), "WE 25-Jan-25"),
        ("DA", date(2024, 12, 31), "2025-01-01"),
    ],
)
def test_a_period_relative_to_a_trade_date_is_called_by_its_span(text: str, trade_date: date, label: str) -> None:
    assert parse_period(text, seasons=EUROPE, trade_date=trade_date).label == label


@pytest.mark.parametrize(
    ("text", "trade_date", "rest"),
    [("BOM", date(2025, 1, 31), "month"), ("BalMo", date(2024, 12, 31), "month"), ("BOY", date(2024, 12, 31), "year")],
)
def test_nothing_is_left_of_a_month_or_a_year_on_its_last_day(text: str, trade_date: date, rest: str) -> None:
    with pytest.raises(InvalidPeriod, match=f"nothing of the {rest} is left after {trade_date}"):
        parse_period(text, seasons=EUROPE, trade_date=trade_date)
    february = name_period(date(2025, 2, 1), date(2025, 3, 1), seasons=EUROPE, trade_date=date(2025, 1, 31))
    assert february.label == "Feb-25"


def test_the_rest_of_a_month_has_no_name_without_its_trade_date() -> None:
    period = name_period(date(2025, 1, 16), date(2025, 2, 1), seasons=EUROPE)
    assert (period.label, period.kind) == ("2025-01-16..2025-02-01", PeriodKind.CUSTOM)
    other = name_period(date(2025, 1, 16), date(2025, 2, 1), seasons=EUROPE, trade_date=date(2025, 1, 10))
    assert other.kind is PeriodKind.CUSTOM


def test_without_a_family_a_season_is_a_span() -> None:
    assert name_period(date(2025, 10, 1), date(2026, 4, 1), seasons=None).label == "2025-10-01..2026-04-01"


def test_a_span_without_a_day_has_no_name() -> None:
    with pytest.raises(InvalidPeriod, match="2025-01-01"):
        name_period(date(2025, 1, 1), date(2025, 1, 1), seasons=None)


def test_a_period_as_answers_show_it() -> None:
    calendar = parse_delivery_calendar("eu_power")
    period = parse_period("Q1-25", seasons=EUROPE)
    assert period_document(period, calendar, None) == {
        "label": "Q1-25",
        "kind": "quarter",
        "start": "2024-12-31T23:00:00Z",
        "end": "2025-03-31T22:00:00Z",
        "hours": 2159,
    }
    assert period_document(period, calendar, parse_block("entsoe", "PEAK"))["hours"] == 64 * 12
    assert isinstance(period_document(period, calendar, None)["hours"], int)


@pytest.mark.parametrize(
    ("calendar", "family", "text", "hours"),
    [
        ("eu_power", EUROPE, "Q1-25", 2159),
        ("eu_power", EUROPE, "Q2-25", 2184),
        ("eu_power", EUROPE, "Q3-25", 2208),
        ("eu_power", EUROPE, "Q4-25", 2209),
        ("eu_power", EUROPE, "Win-25", 4368),
        ("eu_power", EUROPE, "Sum-26", 4392),
        ("eu_power", EUROPE, "Win-27", 4392),
        ("eu_power", EUROPE, "W13-25", 167),
        ("eu_power", EUROPE, "W43-24", 169),
        ("eu_gas", EUROPE, "Gas Year 25", 365 * 24),
        ("us_gas", US_GAS, "Win-25", 151 * 24),
        ("us_gas", US_GAS, "Sum-26", 214 * 24 + 1),  # clocks change on 1 November, before 09:00: within the day of 31 October
    ],
)
def test_hours_of_a_period(calendar: str, family: SeasonFamily, text: str, hours: int) -> None:
    document = period_document(parse_period(text, seasons=family), parse_delivery_calendar(calendar), None)
    assert document["hours"] == hours
