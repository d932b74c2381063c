from datetime import date, timedelta

import pytest

from aurum.core.calendars import BusinessDays, holidays
from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.sessions import (
    SessionCalendar,
    SessionsUnknown,
    default_session_calendars,
    is_session,
    parse_session_calendar,
    session_before,
    sessions_of,
)
from aurum.core.errors import UnknownName

CALENDARS = default_session_calendars()
OWN = SessionCalendar("OWN", "Invented", date(2025, 1, 1), date(2025, 1, 31), (date(2025, 1, 1), date(2025, 1, 6)))


def test_seeded_calendars() -> None:
    assert [calendar.name for calendar in CALENDARS] == ["XEEE", "IEPA", "CMES", "XLON", "NYMEX"]
    assert {(calendar.first, calendar.last) for calendar in CALENDARS} == {(date(2000, 1, 1), date(2035, 12, 31))}


@pytest.mark.parametrize(
    ("calendar", "day", "expected"),
    [
        ("XEEE", date(2024, 10, 3), True),  # a public holiday in Germany
        ("XEEE", date(2024, 12, 24), False),
        ("XEEE", date(2021, 12, 31), False),
        ("XEEE", date(2025, 4, 18), False),
        ("XEEE", date(2025, 4, 21), False),
        ("XEEE", date(2025, 5, 1), False),
        ("XEEE", date(2025, 5, 3), False),  # a Saturday
        ("NYMEX", date(2024, 11, 28), False),
        ("CMES", date(2024, 11, 28), True),  # open until noon, without settlements
        ("NYMEX", date(2024, 11, 29), True),
        ("NYMEX", date(2025, 1, 9), True),
        ("NYMEX", date(2026, 6, 19), False),
        ("XLON", date(2022, 9, 19), False),
        ("IEPA", date(2025, 4, 18), False),
    ],
)
def test_a_day_is_a_session_or_not(calendar: str, day: date, expected: bool) -> None:
    assert is_session(calendar, day) is expected
    assert sessions_of(calendar, day, day + timedelta(days=1)) == ((day,) if expected else ())


def test_the_session_before_easter_and_before_a_session() -> None:
    assert session_before("XEEE", date(2025, 4, 22)) == date(2025, 4, 17)
    assert session_before("XEEE", date(2025, 4, 20)) == date(2025, 4, 17)
    assert session_before("XEEE", date(2025, 4, 23)) == date(2025, 4, 22)


def test_sessions_of_a_month_without_its_end() -> None:
    days = sessions_of("XEEE", date(2024, 10, 1), date(2024, 11, 1))
    assert (len(days), days[0], days[-1]) == (23, date(2024, 10, 1), date(2024, 10, 31))
    assert sessions_of("XEEE", date(2024, 10, 1), date(2024, 10, 1)) == ()


def test_settlements_of_nymex_follow_the_holidays_of_us_exchanges() -> None:
    years = range(2000, 2036)
    by_rule = {day for year in years for day in holidays(BusinessDays.NYMEX, year) if day.isoweekday() < 6}
    own = {date(2001, 9, 11), date(2001, 9, 12), date(2001, 9, 13), date(2007, 1, 2)}
    assert set(parse_session_calendar("NYMEX").closed) == by_rule | own


def test_days_out_of_reach_are_refused() -> None:
    for first, end in ((date(1999, 12, 31), date(2000, 2, 1)), (date(2035, 12, 1), date(2036, 1, 2))):
        with pytest.raises(SessionsUnknown, match="2000-01-01 to 2035-12-31"):
            sessions_of("XEEE", first, end)
    with pytest.raises(SessionsUnknown):
        is_session("XEEE", date(2036, 1, 1))
    with pytest.raises(SessionsUnknown):
        session_before("XEEE", date(2000, 1, 1))
    assert sessions_of("XEEE", date(2035, 12, 28), date(2036, 1, 1)) == (date(2035, 12, 28),)


def test_a_session_before_the_first_one_is_unknown() -> None:
    assert session_before(OWN, date(2025, 1, 3)) == date(2025, 1, 2)
    with pytest.raises(SessionsUnknown):
        session_before(OWN, date(2025, 1, 2))


def test_a_calendar_of_a_user() -> None:
    assert sessions_of(OWN, date(2025, 1, 1), date(2025, 1, 8)) == (date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 7))
    assert parse_session_calendar("OWN", (OWN, *CALENDARS)) is OWN


def test_an_unknown_calendar_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="XEEE"):
        sessions_of("XEEX", date(2025, 1, 1), date(2025, 1, 2))


@pytest.mark.parametrize("calendar", [*CALENDARS, OWN], ids=lambda calendar: calendar.name)
def test_a_calendar_is_read_from_its_document(calendar: SessionCalendar) -> None:
    assert SessionCalendar.from_document(calendar.to_document()) == calendar


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"first": "2025-02-30"}, "first", "not a day"),
        ({"last": "2024-12-31"}, "last", "must not be before first"),
        ({"closed": {"2025": "01-04"}}, "closed", "Monday to Friday"),
        ({"closed": {"2025": "02-30"}}, "closed", "Monday to Friday"),
        ({"closed": {"2025": "1-2"}}, "closed", "Monday to Friday"),
        ({"closed": {"25": "01-02"}}, "closed", "by year"),
        ({"closed": {"2025": ["01-02"]}}, "closed", "by year"),
        ({"closed": {"2026": "01-02"}}, "closed", "must lie in"),
        ({"closed": None}, "closed", "is missing"),
        ({"open": []}, "open", "unknown member"),
    ],
)
def test_a_wrong_document_is_refused_by_its_member(change: dict[str, object], field: str, why: str) -> None:
    with pytest.raises(InvalidDocument, match=why) as caught:
        SessionCalendar.from_document(OWN.to_document() | change)
    assert caught.value.facts["field"] == field
