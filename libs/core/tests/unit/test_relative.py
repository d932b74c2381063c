"""Relative times: local midnights over clock changes, hours cut to the minute, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.markettime import InvalidInstant, day_start, is_relative, relative_instant

NEW_YORK = "America/New_York"
AUTUMN = datetime(2025, 11, 3, 1, 30, 12, 5, tzinfo=UTC)
"""20:30 in New York, on the day of 25 hours."""


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("today", NEW_YORK, "2025-11-02T04:00:00+00:00"),
        ("today", "UTC", "2025-11-03T00:00:00+00:00"),
        ("tomorrow", NEW_YORK, "2025-11-03T05:00:00+00:00"),
        ("yesterday", NEW_YORK, "2025-11-01T04:00:00+00:00"),
        ("-7d", NEW_YORK, "2025-10-26T04:00:00+00:00"),
        ("+1d", NEW_YORK, "2025-11-03T05:00:00+00:00"),
        ("-0d", NEW_YORK, "2025-11-02T04:00:00+00:00"),
        ("-36h", NEW_YORK, "2025-11-01T13:30:00+00:00"),
        ("+2h", NEW_YORK, "2025-11-03T03:30:00+00:00"),
        ("now", NEW_YORK, "2025-11-03T01:30:12.000005+00:00"),
    ],
)
def test_a_relative_time_counts_from_the_present(text: str, zone: str, expected: str) -> None:
    assert relative_instant(text, zone, AUTUMN).isoformat() == expected


def test_a_midnight_that_clocks_skip_is_the_first_instant_of_its_day() -> None:
    now = datetime(2026, 4, 25, 12, tzinfo=UTC)
    assert relative_instant("-1d", "Africa/Cairo", now).isoformat() == "2026-04-23T22:00:00+00:00"


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 4000),
    st.sampled_from([NEW_YORK, "Europe/Brussels", "Australia/Lord_Howe", "America/Havana", "UTC"]),
)
def test_days_are_local_midnights_wherever_clocks_change(now: datetime, days: int, zone: str) -> None:
    day = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)
    assert relative_instant(f"-{days}d", zone, now) == day_start(day, zone) <= now


@pytest.mark.parametrize("text", ["-7", "7d", "-7D", "last week", "-1w", "- 7d", "--7d", "-1234567d", "", "-٣d", "today "])
def test_other_texts_are_no_relative_times(text: str) -> None:
    assert not is_relative(text)
    with pytest.raises(InvalidInstant):
        relative_instant(text, "UTC", AUTUMN)


@pytest.mark.parametrize("text", ["-999999d", "+999999h", "-999999h"])
def test_a_distance_leaves_the_calendar_or_names_an_instant(text: str) -> None:
    assert is_relative(text)
    if text.endswith("h"):
        assert abs(relative_instant(text, "UTC", AUTUMN) - AUTUMN) <= timedelta(hours=999_999, minutes=1)
    else:
        with pytest.raises(InvalidInstant, match="too far"):
            relative_instant(text, "UTC", AUTUMN)
