"""Frequencies of series. Steps of up to an hour have a fixed length; steps of a day and longer follow the local calendar."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from aurum.core.errors import UnknownName
from aurum.core.names import nearest


class Frequency(StrEnum):
    """The step of a series. ``IRREGULAR``: samples at times that the source chooses, without an interval."""

    MIN_1 = "1min"
    MIN_5 = "5min"
    MIN_10 = "10min"
    MIN_15 = "15min"
    MIN_30 = "30min"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"
    QUARTER = "1q"
    YEAR = "1y"
    IRREGULAR = "irregular"

    @property
    def step(self) -> timedelta | None:
        """The fixed length of a step; None for calendar steps and for ``IRREGULAR``."""
        return _FIXED.get(self)

    @property
    def is_calendar(self) -> bool:
        """True for a day and longer: the length of a step depends on its date and time zone."""
        return self in _CALENDAR

    @property
    def order(self) -> int:
        """Position from finest to coarsest; ``IRREGULAR`` last."""
        return list(Frequency).index(self)


_FIXED = {
    Frequency.MIN_1: timedelta(minutes=1),
    Frequency.MIN_5: timedelta(minutes=5),
    Frequency.MIN_10: timedelta(minutes=10),
    Frequency.MIN_15: timedelta(minutes=15),
    Frequency.MIN_30: timedelta(minutes=30),
    Frequency.HOUR: timedelta(hours=1),
}
_CALENDAR = (Frequency.DAY, Frequency.WEEK, Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR)


def parse_frequency(text: str) -> Frequency:
    """Return the frequency that a text names. Raises ``UnknownName`` with the nearest names."""
    try:
        return Frequency(text)
    except ValueError:
        names = [str(frequency) for frequency in Frequency]
        raise UnknownName("frequency", text, nearest(text, names) or tuple(names)) from None
