"""Declarations of what the values of a weekly series stand for, and of the days that they cover.

Agencies stamp a week with a day, often its last one, and the stamp alone does not tell which days the value covers. Each weekly
series therefore declares it in the label ``week``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from aurum.core.frequency import Frequency

LABEL = "week"


class Week(StrEnum):
    """The meaning of a weekly value that is stamped with the day E."""

    FLOW = "flow"
    """Total or mean of the seven days that end with E: stored as [E - 6 d, E + 1 d)."""
    LEVEL = "level"
    """State at the end of E: stored as [E, E + 1 d)."""
    SURVEY = "survey"
    """Survey of the day E: stored as [E, E + 1 d)."""
    STATED = "stated"
    """The publisher states the interval itself, and it is stored so: [E, E + 7 d) for the US Drought Monitor."""
    UNDECLARED = "undeclared"
    """Unknown: the stamp is kept as the start of the week."""

    @property
    def days_before_stamp(self) -> int:
        """Days between the start of the interval and the stamped day."""
        return _DAYS_BEFORE_STAMP.get(self, 0)


_DAYS_BEFORE_STAMP = {Week.FLOW: 6}
_ONE_DAY = frozenset({Week.LEVEL, Week.SURVEY})


def week_of(frequency: Frequency, labels: Mapping[str, str]) -> Week | None:
    """Return the declaration of a weekly series; None for other steps, and for a series without a known declaration."""
    text = labels.get(LABEL)
    return Week(text) if frequency is Frequency.WEEK and text in tuple(Week) else None


def interval_of(frequency: Frequency, labels: Mapping[str, str]) -> Frequency:
    """Return the length of the intervals of a series: its step, but a day for weekly levels and surveys."""
    return Frequency.DAY if week_of(frequency, labels) in _ONE_DAY else frequency


def stamp_offset(frequency: Frequency, labels: Mapping[str, str]) -> timedelta:
    """Return how many days after the start of an interval its publisher stamps it: six for a weekly flow, else none."""
    week = week_of(frequency, labels)
    return timedelta(days=week.days_before_stamp if week is not None else 0)
