"""Weights of the parts of a period: by hours, days or sessions, or alike."""

from __future__ import annotations

from aurum.core.calendars import Block
from aurum.core.curves.calendars import DeliveryCalendar, hours
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.products import Weighting
from aurum.core.curves.sessions import SessionCalendar, sessions_of
from aurum.core.errors import Invalid


class SessionsMissing(Invalid):
    """Parts are weighted by the sessions of a venue whose sessions are unknown: another weighting would be another price."""

    def __init__(self) -> None:
        super().__init__("it is weighted by sessions, and those of its venue are unknown")


def part_weight(
    weighting: Weighting, calendar: DeliveryCalendar, block: Block | None, sessions: SessionCalendar | None
) -> Weight:
    """Return the weight of parts.

    ``calendar``, ``block``: of the hours; ``sessions``: of the venue; None: they are unknown, or weights are not by sessions.
    Raises ``SessionsMissing``. The weight raises ``SessionsUnknown`` for days that the calendar of sessions does not cover.
    """
    match weighting:
        case Weighting.HOURS:
            return lambda first, end: hours(calendar, first, end, block)
        case Weighting.DAYS:
            return lambda first, end: float((end - first).days)
        case Weighting.EQUAL:
            return lambda _first, _end: 1.0
        case Weighting.SESSIONS:
            if sessions is None:
                raise SessionsMissing
            return lambda first, end: float(len(sessions_of(sessions, first, end)))
