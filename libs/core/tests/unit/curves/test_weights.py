"""Weights of parts of strips: by hours, days or sessions, or alike; never by another one in silence."""

from __future__ import annotations

from datetime import date

import pytest

from aurum.core.curves.calendars import parse_delivery_calendar
from aurum.core.curves.products import Weighting
from aurum.core.curves.sessions import SessionsUnknown, parse_session_calendar
from aurum.core.curves.weights import SessionsMissing, part_weight

EASTER = date(2025, 4, 14), date(2025, 4, 28)


def test_a_part_weighs_its_hours_its_days_or_its_sessions_or_as_much_as_any_other() -> None:
    calendar, sessions = parse_delivery_calendar("eu_power"), parse_session_calendar("XEEE")
    weights = {one: part_weight(one, calendar, None, sessions)(*EASTER) for one in Weighting}
    assert weights == {Weighting.HOURS: 336.0, Weighting.DAYS: 14.0, Weighting.EQUAL: 1.0, Weighting.SESSIONS: 8.0}


def test_sessions_that_are_unknown_are_refused_and_those_that_a_calendar_lacks_as_well() -> None:
    calendar = parse_delivery_calendar("eu_power")
    with pytest.raises(SessionsMissing, match="weighted by sessions, and those of its venue are unknown"):
        part_weight(Weighting.SESSIONS, calendar, None, None)
    weight = part_weight(Weighting.SESSIONS, calendar, None, parse_session_calendar("XEEE"))
    with pytest.raises(SessionsUnknown):
        weight(date(1900, 1, 1), date(1900, 2, 1))
