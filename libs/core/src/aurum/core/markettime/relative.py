"""Relative times: instants that callers name by their distance from the present.

The grammar::

    today | yesterday | tomorrow    the first instant of that local day
    -7d | +7d                       the first instant of the local day that is seven days before or after today
    -36h | +36h                     36 hours before or after the present, cut to the minute
    now                             the present
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aurum.core.markettime.days import day_start
from aurum.core.markettime.instants import InvalidInstant

RELATIVE_FORMS = "today, yesterday, tomorrow, now, a number of days such as -7d, or of hours such as -36h"

_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_DISTANCE = re.compile(r"([+-][0-9]{1,6})([dh])", re.ASCII)


def is_relative(text: str) -> bool:
    """Return whether a text names a relative time.

    >>> is_relative("-7d"), is_relative("2025-11-02")
    (True, False)
    """
    return text == "now" or text in _DAYS or _DISTANCE.fullmatch(text) is not None


def relative_instant(text: str, zone: str, now: datetime) -> datetime:
    """Return the instant, in UTC, of a relative time.

    ``zone``: IANA name of the clock that days are counted on. ``now``: the present, aware. Raises ``InvalidInstant`` for any
    other text, and for a time that is too far from the present.

    >>> relative_instant("-1d", "America/New_York", datetime(2025, 11, 3, 1, 30, tzinfo=UTC)).isoformat()
    '2025-11-01T04:00:00+00:00'
    """
    if text == "now":
        return now.astimezone(UTC)
    distance = _DISTANCE.fullmatch(text)
    if distance is None and text not in _DAYS:
        raise InvalidInstant(f"{text!r} is not a relative time: write {RELATIVE_FORMS}", value=text)
    try:
        if distance is not None and distance[2] == "h":
            return (now.astimezone(UTC) + timedelta(hours=int(distance[1]))).replace(second=0, microsecond=0)
        days = _DAYS[text] if distance is None else int(distance[1])
        return day_start(now.astimezone(ZoneInfo(zone)).date() + timedelta(days=days), zone)
    except OverflowError as error:
        raise InvalidInstant(f"{text!r} is too far from the present: no calendar has that year", value=text) from error
