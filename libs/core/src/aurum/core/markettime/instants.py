"""Parsing of days and instants as callers write them.

The grammar, which every parameter of the API, of the command and of jobs follows::

    day      YYYY-MM-DD
    instant  YYYY-MM-DD T HH:MM [:SS [.ffffff]] [Z | +HH:MM | -HH:MM]

Digits are ASCII, hours run from 00 to 23, and T and Z may be in lower case, as in RFC 3339. Other forms of ISO 8601 (week and
ordinal dates, dates without hyphens, 24:00) and seconds since 1970 are refused: read as something else, they name another time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aurum.core.errors import Invalid
from aurum.core.markettime.days import day_start

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LOCAL = rf"{_DAY}[Tt]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,6}})?)?"
_OFFSET = r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

MOMENT_PATTERN = f"{_LOCAL}{_OFFSET}"
"""Regular expression of an instant with an offset, for schemas; it also matches dates that no calendar has, such as 02-30."""

_IS_DAY = re.compile(_DAY)
_IS_INSTANT = re.compile(f"{_LOCAL}{_OFFSET}?")
_IS_MOMENT = re.compile(MOMENT_PATTERN)
_LOST_PLUS = re.compile(rf"{_LOCAL} [0-9]{{2}}:[0-9]{{2}}")
_LONGEST_SHOWN = 60

DAY_FORM = "YYYY-MM-DD"
MOMENT_FORM = "YYYY-MM-DDTHH:MM[:SS[.ffffff]] with Z or an offset, such as 2025-11-02T14:00:00Z or 2025-11-02T14:00:00-05:00"
INSTANT_FORMS = f"a day {DAY_FORM}, or {MOMENT_FORM}; without an offset it is a local time"


class InvalidInstant(Invalid):
    """A text that does not name an instant. Facts: ``value``."""


class NonExistentLocalTime(InvalidInstant):
    """A local time that clocks skip. Facts: ``value``, ``zone``."""


class AmbiguousLocalTime(InvalidInstant):
    """A local time that clocks show twice. Facts: ``value``, ``zone``."""


def parse_instant(text: str, zone: str) -> datetime:
    """Return the instant, in UTC, of a text: an instant with an offset, or a day or local date-time in ``zone``.

    A day means its first instant. Raises ``NonExistentLocalTime``, ``AmbiguousLocalTime`` (the text needs an offset),
    ``InvalidInstant``.

    >>> parse_instant("2025-11-02", "America/New_York").isoformat()
    '2025-11-02T04:00:00+00:00'
    """
    try:
        if _IS_DAY.fullmatch(text):
            return day_start(date.fromisoformat(text), zone)
        if _IS_INSTANT.fullmatch(text):
            read = datetime.fromisoformat(text.upper())
            return read.astimezone(UTC) if read.tzinfo is not None else _from_local(text, read, zone)
    except (ValueError, OverflowError) as error:
        raise _refused(text, "a time", INSTANT_FORMS) from error
    raise _refused(text, "a time", INSTANT_FORMS)


def parse_moment(text: str) -> datetime:
    """Return the instant, in UTC, of a text with an offset. Raises ``InvalidInstant``.

    >>> parse_moment("2025-11-02T14:00-05:00").isoformat()
    '2025-11-02T19:00:00+00:00'
    """
    try:
        if _IS_MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(text, "a time with an offset", MOMENT_FORM) from error
    raise _refused(text, "a time with an offset", MOMENT_FORM)


def parse_day(text: str) -> date:
    """Return the day of a text. Raises ``InvalidInstant``.

    >>> parse_day("2025-11-02")
    datetime.date(2025, 11, 2)
    """
    try:
        if _IS_DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise _refused(text, "a day", f"{DAY_FORM}, such as 2025-11-02") from error
    raise _refused(text, "a day", f"{DAY_FORM}, such as 2025-11-02")


def _refused(text: str, what: str, forms: str) -> InvalidInstant:
    hint = " (in a URL the plus sign of an offset is written %2B)" if _LOST_PLUS.fullmatch(text) else ""
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return InvalidInstant(f"{shown!r} is not {what}: write {forms}{hint}", value=text)


def _from_local(text: str, naive: datetime, zone: str) -> datetime:
    clock = ZoneInfo(zone)
    first, second = (naive.replace(tzinfo=clock, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    # Converted back to local time, neither reading of a skipped time gives the text again; of a repeated time both do.
    if first.astimezone(clock).replace(tzinfo=None) != naive:
        raise NonExistentLocalTime(f"{text} does not exist in {zone}: clocks skip it", value=text, zone=zone)
    raise AmbiguousLocalTime(f"{text} happens twice in {zone}: add an offset", value=text, zone=zone)
