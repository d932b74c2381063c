"""The clock of a place, for single instants: which instant a local time names, and when clocks change.

Imports nothing that is slow to load: the main process of a worker uses it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def instant_at(local: datetime, place: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, at which the clock of a place shows a naive local time, or has passed it.

    So a time that clocks skip means the instant at which they change, and of two instants the first is returned.
    """
    instant = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    if shown_at(instant, place) == local:
        return instant
    # Read with the offset after the change the time lies before the change, and the other way round.
    before, after = local.replace(tzinfo=place, fold=1).astimezone(UTC), instant
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if shown_at(middle, place) < local:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def shown_at(instant: datetime, place: ZoneInfo) -> datetime:
    """Return the naive local time that the clock of a place shows at an instant."""
    return instant.astimezone(place).replace(tzinfo=None, fold=0)


def next_change(after: datetime, until: datetime, place: ZoneInfo) -> datetime | None:
    """Return the first instant of ``(after, until]`` from which the clock of a place has another offset; None without one."""
    offset, begin = _offset(after, place), after
    while begin < until:
        end = min(begin + _DAY, until)
        if _offset(end, place) != offset:
            return _first_with_another(offset, begin, end, place)
        begin = end
    return None


def _first_with_another(offset: timedelta, begin: datetime, end: datetime, place: ZoneInfo) -> datetime:
    while end - begin > _SECOND:
        middle = begin + (end - begin) / 2
        if _offset(middle, place) == offset:
            begin = middle
        else:
            end = middle
    return end.replace(microsecond=0)


def _offset(instant: datetime, place: ZoneInfo) -> timedelta:
    return shown_at(instant, place) - instant.replace(tzinfo=None)
