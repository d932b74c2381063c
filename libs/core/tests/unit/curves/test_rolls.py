from datetime import date

import numpy as np
import pytest

from aurum.core.curves.expiries import read_expiry
from aurum.core.curves.rolls import InvalidRoll, RollRule, RollTerms, fronts, last_held_day, parse_roll
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import parse_session_calendar
from aurum.core.curves.tenors import parse_tenor

EUROPE = next(family for family in default_season_families() if family.name == "europe")
XEEE = parse_session_calendar("XEEE")
POWER = RollTerms(EUROPE, XEEE)
COAL = read_expiry("months: last Friday of the delivery month")
WTI = RollTerms(
    None,
    parse_session_calendar("NYMEX"),
    read_expiry("three business days before the 25th of the month before delivery, or four if the 25th is not a business day"),
)


def held(tenor: str, roll: str, terms: RollTerms, *days: date) -> list[tuple[date, date]]:
    made = fronts(np.array(days, "datetime64[D]"), parse_tenor(tenor), parse_roll(roll), terms)
    firsts, ends = made.deliveries(made.days, made.contract)
    return list(zip(firsts.tolist(), ends.tolist(), strict=True))


def months(tenor: str, roll: str, terms: RollTerms, *days: date) -> list[str]:
    return [f"{first:%Y-%m}" for first, _ in held(tenor, roll, terms, *days)]


@pytest.mark.parametrize("text", ["calendar", " Last_Trading_Day ", "days_before:0", "days_before:60"])
def test_rules_are_read_and_shown(text: str) -> None:
    assert str(parse_roll(text)) == text.strip().lower()


@pytest.mark.parametrize(
    "text", ["", "expiry", "days_before", "days_before:", "days_before:-1", "days_before:61", "days_before:1.5", "calendar:1"]
)
def test_other_rules_are_refused_and_say_what_is_read(text: str) -> None:
    with pytest.raises(InvalidRoll, match="must be calendar, last_trading_day or days_before:n"):
        parse_roll(text)


def test_by_the_calendar_the_front_begins_after_the_trade_date() -> None:
    days = (date(2024, 9, 27), date(2024, 9, 30), date(2024, 10, 1), date(2024, 10, 31))
    assert months("M+1", "calendar", POWER, *days) == ["2024-10", "2024-10", "2024-11", "2024-11"]
    assert months("M+3", "calendar", POWER, *days) == ["2024-12", "2024-12", "2025-01", "2025-01"]
    assert months("Q+1", "calendar", POWER, *days) == ["2024-10", "2024-10", "2025-01", "2025-01"]
    assert months("S+2", "calendar", POWER, *days) == ["2025-04", "2025-04", "2025-10", "2025-10"]
    assert months("Y+2", "calendar", POWER, *days) == ["2026-01"] * 4


def test_some_days_before_are_sessions_of_the_venue() -> None:
    days = (date(2024, 12, 20), date(2024, 12, 23), date(2024, 12, 27), date(2024, 12, 30), date(2025, 1, 2))
    # Sessions at the end of 2024: 20, 23, 27, 30 December; the exchange is closed on 24, 25, 26 and 31.
    assert months("M+1", "days_before:0", POWER, *days) == ["2025-01"] * 4 + ["2025-02"]
    assert months("M+1", "days_before:2", POWER, *days) == ["2025-01", "2025-01", "2025-02", "2025-02", "2025-02"]


def test_last_trading_days_end_a_front() -> None:
    days = (date(2017, 12, 18), date(2017, 12, 19), date(2017, 12, 20), date(2018, 1, 22), date(2018, 1, 23))
    assert months("M+1", "last_trading_day", WTI, *days) == ["2018-01", "2018-01", "2018-02", "2018-02", "2018-03"]
    assert months("M+2", "last_trading_day", WTI, *days) == ["2018-02", "2018-02", "2018-03", "2018-03", "2018-04"]
    assert months("M+1", "days_before:1", WTI, *days) == ["2018-01", "2018-02", "2018-02", "2018-03", "2018-03"]
    assert last_held_day(parse_tenor("M+1"), (date(2018, 1, 1), date(2018, 2, 1)), parse_roll("days_before:3"), WTI) == date(
        2017, 12, 14
    )


def test_a_contract_is_the_front_while_it_delivers_where_it_trades_on() -> None:
    power = RollTerms(
        EUROPE,
        XEEE,
        read_expiry(
            "months: last business day before the last delivery day, or that day if it is a Monday; "
            "quarters: three business days before the first day of the delivery period"
        ),
    )
    days = (date(2024, 9, 26), date(2024, 9, 27), date(2024, 9, 30), date(2024, 10, 1), date(2024, 10, 30), date(2024, 10, 31))
    assert months("M+1", "last_trading_day", power, *days) == ["2024-09"] * 3 + ["2024-10"] * 2 + ["2024-11"]
    assert months("M+2", "last_trading_day", power, days[0]) == ["2024-10"]
    assert months("Q+1", "last_trading_day", power, *days) == ["2024-10"] + ["2025-01"] * 5
    # `days_before` of a month counts back from its first delivery day, although it trades into its delivery.
    assert months("M+1", "days_before:1", power, *days) == ["2024-10"] * 2 + ["2024-11"] * 3 + ["2024-12"]
    gasoil = RollTerms(
        None, parse_session_calendar("IEPA"), read_expiry("two business days before the 14th of the delivery month")
    )
    days = (date(2025, 3, 11), date(2025, 3, 12), date(2025, 3, 13))
    assert months("M+1", "last_trading_day", gasoil, *days) == ["2025-03", "2025-03", "2025-04"]
    assert months("M+1", "days_before:1", gasoil, *days) == ["2025-03", "2025-04", "2025-04"]


def test_days_weekends_and_rests() -> None:
    friday, saturday, last = date(2024, 9, 27), date(2024, 9, 28), date(2024, 9, 30)
    first = date(2024, 10, 1)
    assert held("DA", "calendar", POWER, friday, saturday) == [(saturday, date(2024, 9, 29)), (date(2024, 9, 29), last)]
    weekend, following = (saturday, last), (date(2024, 10, 5), date(2024, 10, 7))
    assert held("WE", "calendar", POWER, friday, saturday, last) == [weekend, following, following]
    rest = [(saturday, first), (date(2024, 9, 29), first), (first, first), (first, date(2024, 11, 1))]
    assert held("BOM", "calendar", POWER, friday, saturday, last, first) == rest
    year = date(2025, 1, 1)
    assert held("BOY", "calendar", POWER, friday, date(2024, 12, 31), year) == [
        (saturday, year),
        (year, year),
        (year, date(2026, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("tenor", "roll", "terms", "why"),
    [
        ("M+1", "last_trading_day", POWER, "last trading days of the product are unknown"),
        ("W+1", "last_trading_day", WTI, "weeks"),
        ("Y+1", "last_trading_day", RollTerms(sessions=XEEE, expiry=COAL), r"no rule of Y\+1"),
        (
            "M+1",
            "last_trading_day",
            RollTerms(sessions=XEEE, expiry=read_expiry("until May 2020: last Friday of the delivery month")),
            "no rule for the contract of 2024-10",
        ),
        ("BOM", "days_before:2", POWER, "calendar"),
        ("M+1", "days_before:2", RollTerms(), "sessions of the product's venue are unknown"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(tenor: str, roll: str, terms: RollTerms, why: str) -> None:
    with pytest.raises(InvalidRoll, match=why):
        held(tenor, roll, terms, date(2024, 9, 27))


def test_no_trade_dates_have_no_front() -> None:
    made = fronts(np.array([], "datetime64[D]"), parse_tenor("M+1"), RollRule(), RollTerms())
    assert len(made.contract) == 0
