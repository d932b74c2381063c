"""Distances between neighbouring instants of a series at each step, and the length of each step in words.

A published day, month or year is not always as long as the last one, and holidays move the stamp of a week by a day, so each
calendar step has a range.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from aurum.core.frequency import Frequency

WORDS: Mapping[Frequency, str] = MappingProxyType(
    {
        Frequency.MIN_1: "1 minute",
        Frequency.MIN_5: "5 minutes",
        Frequency.MIN_10: "10 minutes",
        Frequency.MIN_15: "15 minutes",
        Frequency.MIN_30: "30 minutes",
        Frequency.HOUR: "1 hour",
        Frequency.DAY: "1 day",
        Frequency.WEEK: "1 week",
        Frequency.MONTH: "1 month",
        Frequency.QUARTER: "1 quarter",
        Frequency.YEAR: "1 year",
    }
)
"""Length of each step, as messages say it."""

DAYS: Mapping[Frequency, tuple[int, int]] = MappingProxyType(
    {
        Frequency.DAY: (1, 1),
        Frequency.WEEK: (6, 8),
        Frequency.MONTH: (28, 31),
        Frequency.QUARTER: (89, 92),
        Frequency.YEAR: (365, 366),
    }
)
"""Least and greatest distance of neighbouring dates, in days, of the steps of a day and longer."""

LONG_WEEKEND = 5
"""Greatest usual distance in days of the dates of a series that has values on business days only."""

_HOUR = timedelta(hours=1)

HOURS: Mapping[Frequency, tuple[float, float]] = MappingProxyType(
    {frequency: (frequency.step / _HOUR, frequency.step / _HOUR) for frequency in Frequency if frequency.step}
    # Clock changes make a span of days an hour shorter or longer.
    | {frequency: (24 * least - 1, 24 * most + 1) for frequency, (least, most) in DAYS.items()}
)
"""Least and greatest distance of neighbouring instants, in hours, from the finest step to the coarsest."""
