from datetime import UTC, datetime

import pytest

from aurum.core.markettime import AmbiguousLocalTime, InvalidInstant, NonExistentLocalTime, parse_instant

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-06-01", datetime(2025, 6, 1, 4, tzinfo=UTC)),
        ("2025-06-01T12:00:00", datetime(2025, 6, 1, 16, tzinfo=UTC)),
        ("2025-06-01T12:00:00Z", datetime(2025, 6, 1, 12, tzinfo=UTC)),
        ("2025-06-01T12:00:00+02:00", datetime(2025, 6, 1, 10, tzinfo=UTC)),
        ("2025-11-02T01:30:00-04:00", datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_day_a_local_time_and_an_offset_name_an_instant(text: str, expected: datetime) -> None:
    assert parse_instant(text, NEW_YORK) == expected


def test_a_time_that_clocks_skip_is_refused() -> None:
    with pytest.raises(NonExistentLocalTime, match="does not exist in America/New_York"):
        parse_instant("2025-03-09T02:30:00", NEW_YORK)


def test_a_time_that_clocks_show_twice_asks_for_an_offset() -> None:
    with pytest.raises(AmbiguousLocalTime, match="add an offset"):
        parse_instant("2025-11-02T01:30:00", NEW_YORK)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2025-13-01", "2025-02-30T00:00:00", "0001-01-01T00:00:00+14:00", "2025-1-1x12", "1762041600"]
)
def test_anything_else_is_refused_with_the_forms_that_work(text: str) -> None:
    with pytest.raises(InvalidInstant, match="2025-11-02T14:00:00Z"):
        parse_instant(text, "UTC")
