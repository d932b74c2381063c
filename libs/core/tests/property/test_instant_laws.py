"""Texts of days and instants: every form of the grammar names its instant, and no other text names one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aurum.core.markettime import MOMENT_PATTERN, InvalidInstant, parse_day, parse_instant, parse_moment

NOT_ACCEPTED = [
    "1762041600",
    "1762041600000",
    "1762041600.5",
    "-62135596800",
    "20251102",
    "20251102T140000Z",
    "2025-W44-1",
    "2025-W44",
    "2025-306",
    "2025306",
    "2025-11",
    "2025",
    "2025-1-2",
    "2025-11-2",
    "25-11-02",
    "02-11-2025",
    "2025/11/02",
    "2025-11-02T24:00",
    "2025-11-02T24:00:00Z",
    "2025-11-02T14",
    "2025-11-02T14Z",
    "2025-11-02T1400",
    "2025-11-02T14:00:60Z",
    "2025-11-02T14:00:00.Z",
    "2025-11-02T14:00:00.1234567Z",
    "2025-11-02T14:00:00,5Z",
    "2025-11-02 14:00:00Z",
    "2025-11-02T14:00:00 05:00",
    "2025-11-02T14:00:00+05",
    "2025-11-02T14:00:00+0500",
    "2025-11-02T14:00:00+24:00",
    "2025-11-02T14:00:00+05:60",
    "2025-11-02T14:00:00+05:00:00",
    "2025-11-02T14:00:00 Z",
    "2025-11-02T14:00:00UTC",
    "2025-11-02T14:00:00Z[UTC]",
    "2025-11-02Z",
    "2025-11-02+01:00",
    "2025-11-02 ",
    " 2025-11-02",
    "2025-11-02\n",
    "2025-11-02T14:00:00Z\n",
    "2025-11-02 trailing",
    "2025-13-01",
    "2025-02-30",
    "2025-02-30T00:00:00Z",
    "0000-01-01",
    "+2025-11-02",
    "-2025-11-02",
    "12025-11-02",
    "\u0662\u0660\u0662\u0665-11-02",
    "\uff12\uff10\uff12\uff15-11-02",
    "2025\u201311\u201302",
    "2025\u221211-02",
    "today",
    "now",
    "yesterday",
    "tomorrow",
    "P1D",
    "",
    "NaN",
    "inf",
    "2025-11-02/2025-11-03",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]

instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda naive: naive.replace(tzinfo=UTC))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
almost = st.from_regex(
    r"[+-]?[0-9\u0661]{1,5}[-/]?W?[0-9]{0,3}-?[0-9]{0,3}([Tt ][0-9:.,]{0,18})?( ?[+-]?[0-9:]{1,6}|[Zz]|UTC)?", fullmatch=True
)


def written(instant: datetime, digits: int, *, lower: bool, zulu: bool) -> str:
    """Return a text of an instant with ``digits`` digits of a second; -1: without seconds."""
    text = instant.isoformat(timespec="minutes" if digits < 0 else "seconds")
    if digits > 0:
        position = len("YYYY-MM-DDTHH:MM:SS")
        text = f"{text[:position]}.{instant.microsecond:06}"[: position + 1 + digits] + text[position:]
    text = text.replace("+00:00", "Z") if zulu else text
    return text.lower() if lower else text


@given(instants, offsets, st.integers(-1, 6), st.booleans(), st.booleans())
def test_every_form_of_an_instant_names_it(instant: datetime, offset: timezone, digits: int, lower: bool, zulu: bool) -> None:
    if digits < 0:
        instant = instant.replace(second=0, microsecond=0)
    elif digits < 6:
        instant = instant.replace(microsecond=instant.microsecond - instant.microsecond % 10 ** (6 - digits))
    text = written(instant.astimezone(offset), digits, lower=lower, zulu=zulu)
    assert parse_moment(text) == parse_instant(text, "America/New_York") == instant
    assert parse_moment(text).tzinfo is UTC
    assert parse_instant(text.rstrip("Zz")[: 16 if digits < 0 else 19 + (digits + 1 if digits else 0)], "UTC").tzinfo is UTC


@given(st.dates())
def test_every_day_is_read_as_it_is_written(day: date) -> None:
    assert parse_day(day.isoformat()) == day
    if day.year < 9999:
        assert parse_instant(day.isoformat(), "UTC") == datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize("text", NOT_ACCEPTED)
def test_other_ways_to_write_a_time_are_refused_with_the_value_and_the_forms_that_are_accepted(text: str) -> None:
    for parse in (parse_day, parse_moment, lambda text: parse_instant(text, "UTC")):
        with pytest.raises(InvalidInstant) as caught:
            parse(text)
        assert caught.value.facts["value"] == text
        assert repr(text) in caught.value.detail
        assert "YYYY-MM-DD" in caught.value.detail


@given(st.text() | almost)
@example("2025-11-02T14:00:00+05:00\n")
def test_a_text_that_is_read_has_a_form_of_the_grammar(text: str) -> None:
    day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    moment = re.fullmatch(MOMENT_PATTERN, text)
    local = re.fullmatch(MOMENT_PATTERN, f"{text}Z") if moment is None else None
    readers = (
        (parse_day, day),
        (parse_moment, moment),
        (lambda text: parse_instant(text, "UTC"), day or moment or local),
    )
    for parse, is_form in readers:
        try:
            parse(text)
        except InvalidInstant:
            continue
        assert is_form


def test_a_plus_sign_that_became_a_blank_is_explained() -> None:
    for parse in (parse_moment, lambda text: parse_instant(text, "UTC")):
        with pytest.raises(InvalidInstant, match="%2B"):
            parse("2025-11-02T14:00:00 05:00")
    with pytest.raises(InvalidInstant) as caught:
        parse_moment("1762041600")
    assert "%2B" not in caught.value.detail


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidInstant) as caught:
        parse_moment("x" * 10_000)
    assert len(caught.value.detail) < 400
