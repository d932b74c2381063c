"""Periods that are written by the instants of their ends: ``2024-12-31T23:00:00Z..2025-03-31T22:00:00Z``."""

from __future__ import annotations

import re
from datetime import date

from aurum.core.curves.calendars import DeliveryCalendar
from aurum.core.curves.period_labels import YEARS, InvalidPeriod
from aurum.core.markettime import InvalidInstant, parse_moment

_SEPARATOR = ".."
_HAS_TIME = re.compile(r"[0-9][Tt][0-9]")


def in_delivery_days(text: str, calendar: DeliveryCalendar) -> str:
    """Return the label of a period with the instants of its ends, if it has any, as delivery days of a calendar.

    Raises ``InvalidPeriod`` for an instant at which no delivery day begins.

    >>> from aurum.core.curves.calendars import parse_delivery_calendar
    >>> in_delivery_days("2024-12-31T23:00:00Z..2025-04-01", parse_delivery_calendar("eu_power"))
    '2025-01-01..2025-04-01'
    """
    if _SEPARATOR not in text or not _HAS_TIME.search(text):
        return text
    ends = [one.strip() for one in text.split(_SEPARATOR)]
    days = [str(_day(one, text, calendar)) if _HAS_TIME.search(one) else one for one in ends]
    return _SEPARATOR.join(days)


def _day(text: str, period: str, calendar: DeliveryCalendar) -> date:
    try:
        instant = parse_moment(text)
    except InvalidInstant as error:
        raise InvalidPeriod(period[:100], error.detail) from error
    if instant.year not in YEARS:
        raise InvalidPeriod(period[:100], f"its years must lie in {YEARS[0]} to {YEARS[-1]}")
    day = calendar.day_of(instant)
    if calendar.start_of(day) != instant:
        begins = f"{calendar.day_start:%H:%M} {calendar.zone}"
        why = f"{text} is not the start of a delivery day of {calendar.name}, which begins at {begins}"
        raise InvalidPeriod(period[:100], why)
    return day
