from datetime import date

import pytest

from aurum.core.curves.expiries import FORMS, Expiry, LastDelivery, LastWeekday, SessionsBefore, StatedRule, read_expiry
from aurum.core.curves.period_labels import Span, add_months
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.sessions import SessionsUnknown, parse_session_calendar
from aurum.core.curves.tenors import TenorKind

PRODUCTS = {str(one.key): one for one in default_products()}
MONTHS = {TenorKind.MONTH: 1, TenorKind.QUARTER: 3, TenorKind.SEASON: 6, TenorKind.YEAR: 12}


def expiry(key: str, first: date, kind: TenorKind = TenorKind.MONTH) -> date | None:
    product = PRODUCTS[key]
    stated = read_expiry(product.expiry)
    assert product.sessions is not None
    contract: Span = (first, add_months(first, MONTHS[kind]))
    rule = None if stated is None else stated.rule_of(kind, first)
    return None if rule is None else rule.last_trading_day(contract, parse_session_calendar(product.sessions))


# Last trading days that CME Group, ICE and EEX published for these contracts.
@pytest.mark.parametrize(
    ("key", "delivery", "last"),
    [
        ("oil:WTI:base:NYMEX", date(2018, 1, 1), date(2017, 12, 19)),  # the 25th is Christmas
        ("oil:WTI:base:NYMEX", date(2018, 7, 1), date(2018, 6, 20)),  # the 25th is a Monday
        ("oil:WTI:base:NYMEX", date(2020, 5, 1), date(2020, 4, 21)),  # the 25th is a Saturday
        ("oil:WTI:base:NYMEX", date(2018, 12, 1), date(2018, 11, 19)),  # Thanksgiving lies between
        ("oil:WTI:base:ICE", date(2018, 12, 1), date(2018, 11, 16)),  # one before; a US business day
        ("gas:HH:base:NYMEX", date(2025, 1, 1), date(2024, 12, 27)),
        ("gas:HH:base:NYMEX", date(2024, 6, 1), date(2024, 5, 29)),
        ("oil:ULSD:base:NYMEX", date(2025, 2, 1), date(2025, 1, 31)),
        ("oil:RBOB:base:NYMEX", date(2024, 9, 1), date(2024, 8, 30)),
        ("oil:Brent:base:ICE", date(2025, 3, 1), date(2025, 1, 31)),
        ("oil:Brent:base:ICE", date(2025, 2, 1), date(2024, 12, 30)),  # not the day before New Year's Day
        ("oil:Brent:base:NYMEX", date(2024, 2, 1), date(2023, 12, 28)),
        ("oil:Brent:base:ICE", date(2016, 3, 1), date(2016, 1, 29)),  # the first contract of today's rule
        ("oil:Brent:base:ICE", date(2016, 2, 1), date(2016, 1, 14)),  # the last of the rule before; the 17th is a Sunday
        ("oil:Brent:base:ICE", date(2016, 1, 1), date(2015, 12, 16)),
        ("oil:Brent:base:ICE", date(2015, 1, 1), date(2014, 12, 16)),
        ("oil:Gasoil:base:ICE", date(2025, 1, 1), date(2025, 1, 10)),
        ("gas:TTF:base:ICE", date(2025, 1, 1), date(2024, 12, 30)),
        ("gas:TTF:base:ICE", date(2024, 4, 1), date(2024, 3, 27)),  # Good Friday lies between
        ("coal:API2:base:ICE", date(2024, 11, 1), date(2024, 11, 29)),
        ("emissions:EUA:base:ICE", date(2020, 12, 1), date(2020, 12, 14)),  # Christmas is four days after the 21st
        ("emissions:EUA:base:ICE", date(2022, 12, 1), date(2022, 12, 19)),
        ("emissions:EUA:base:ICE", date(2023, 12, 1), date(2023, 12, 18)),
        ("emissions:EUA:base:ICE", date(2024, 12, 1), date(2024, 12, 16)),
        ("emissions:EUA:base:ICE", date(2025, 12, 1), date(2025, 12, 15)),
        ("power:DE:base:EEX", date(2021, 1, 1), date(2021, 1, 29)),
        ("power:DE:base:EEX", date(2021, 3, 1), date(2021, 3, 30)),
        ("power:DE:base:EEX", date(2024, 9, 1), date(2024, 9, 30)),  # a Monday
    ],
)
def test_last_trading_days_are_those_of_the_exchange(key: str, delivery: date, last: date) -> None:
    assert expiry(key, delivery) == last


def test_a_kind_of_contract_has_a_rule_of_its_own() -> None:
    power, gas = "power:DE:base:EEX", "gas:TTF:base:ICE"
    assert expiry(power, date(2024, 10, 1), TenorKind.QUARTER) == date(2024, 9, 26)
    assert expiry(power, date(2025, 1, 1), TenorKind.YEAR) == date(2024, 12, 23)
    assert expiry(gas, date(2024, 10, 1), TenorKind.SEASON) == expiry(gas, date(2024, 10, 1)) == date(2024, 9, 27)
    assert expiry("coal:API2:base:ICE", date(2024, 10, 1), TenorKind.QUARTER) is None


# Where the rule of a venue is not known for certain, none is stated.
@pytest.mark.parametrize("key", ["gas:TTF:base:EEX", "gas:THE:base:ICE", "emissions:UKA:base:ICE", "power:GB:base:EEX"])
def test_other_products_state_no_last_trading_day(key: str) -> None:
    assert expiry(key, date(2024, 10, 1)) is None


def stated(rule: SessionsBefore | LastWeekday | LastDelivery) -> Expiry:
    return Expiry((StatedRule(rule),))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Last business day of the month before delivery.", SessionsBefore(0, 1, 1, 1)),
        ("the last session of the third month before the contract month", SessionsBefore(2, 1, 1, 1)),
        ("3 sessions before the first day of the delivery month; physical delivery", SessionsBefore(0, 1, 3, 3)),
        ("physical delivery; two business days before the first day of the delivery period", SessionsBefore(0, 1, 2, 2)),
        ("one business day before the 15th day of the second month before delivery", SessionsBefore(2, 15, 1, 1)),
        ("2 business days before the 14th of the delivery month", SessionsBefore(0, 14, 2, 2)),
        ("four US business days before the 25th of the month before delivery", SessionsBefore(1, 25, 4, 4, place="NYMEX")),
        (
            "1 session before the 15th day before the first day of the contract month, or 2 if that day is not a business day",
            SessionsBefore(0, 1, 1, 2, days=15),
        ),
        (
            "last London business day of the second month before delivery, or the last but one for a contract of February",
            SessionsBefore(1, 1, 1, 1, february_count=2, place="XLON"),
        ),
        ("last Friday of the delivery month", LastWeekday(4)),
        (
            "last Monday of the contract month, or the last one before that is a business day like the four days after it",
            LastWeekday(0, clear_days=4),
        ),
        ("last business day before the last delivery day, or that day if it is a Monday", LastDelivery()),
        (FORMS[2], SessionsBefore(1, 25, 3, 4)),
        (
            "3 sessions before the 25th of the month before delivery, 4 if the 25th is not a session",
            SessionsBefore(1, 25, 3, 4),
        ),
    ],
)  # fmt: skip
def test_rules_are_read_from_their_words(text: str, rule: SessionsBefore | LastWeekday | LastDelivery) -> None:
    assert read_expiry(text) == stated(rule)


def test_a_rule_with_an_end_counts_up_to_its_last_contract() -> None:
    words = "last Friday of the delivery month; until March 2016: 2 sessions before the first day of the delivery period"
    made = read_expiry(words)
    assert made is not None
    assert made.rule_of(TenorKind.MONTH, date(2016, 3, 1)) == SessionsBefore(0, 1, 2, 2)
    assert made.rule_of(TenorKind.MONTH, date(2016, 4, 1)) == LastWeekday(4)
    ended = read_expiry("quarters and years until May 2020: last Friday of the delivery month")
    assert ended is not None
    kinds = (TenorKind.QUARTER, TenorKind.YEAR)
    assert ended == Expiry((StatedRule(LastWeekday(4), kinds, date(2020, 5, 1)),))
    assert ended.rule_of(TenorKind.QUARTER, date(2020, 7, 1)) is None
    assert [ended.has(kind) for kind in (TenorKind.MONTH, *kinds)] == [False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "", "physical delivery", "cash settlement on the average of the index in the month",
        "last business day of the month", "three business days before the 30th of the month before delivery",
        "0 business days before the 25th of the month before delivery",
        "some business days before the first day of the delivery month",
        "three business days before the 25th of the month before delivery, or four if the 26th is not a business day",
        "until Brumaire 2016: last Friday of the delivery month", "until May 0000: last Friday of the delivery month",
        ": last Friday of the delivery month", "weeks: last Friday of the delivery month", "last Friday of the month",
    ],
)  # fmt: skip
def test_other_words_state_no_rule(text: str) -> None:
    assert read_expiry(text) is None


def test_a_year_without_known_sessions_has_no_last_trading_day() -> None:
    with pytest.raises(SessionsUnknown):
        expiry("oil:WTI:base:NYMEX", date(1999, 6, 1))
