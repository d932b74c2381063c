"""Parsing of instants that are written with an offset, as a local date-time, or as a day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aurum.core.errors import Invalid
from aurum.core.markettime.days import day_start


class InvalidInstant(Invalid):
    """A text that does not name an instant. Facts: ``value``."""


class NonExistentLocalTime(InvalidInstant):
    """A local time that clocks skip. Facts: ``value``, ``zone``."""


class AmbiguousLocalTime(InvalidInstant):
    """A local time that clocks show twice. Facts: ``value``, ``zone``."""


def parse_instant(text: str, zone: str) -> datetime:
    """Return the instant, in UTC, of a text: RFC 3339 with an offset, or a date or local date-time in ``zone``.

    A date means its first instant. Raises ``NonExistentLocalTime``, ``AmbiguousLocalTime`` (the text needs an offset),
    ``InvalidInstant``.

    >>> parse_instant("2025-11-02", "America/New_York").isoformat()
    '2025-11-02T04:00:00+00:00'
    """
    try:
        if len(text) == len("2025-11-02"):
            return day_start(date.fromisoformat(text), zone)
        naive = datetime.fromisoformat(text)
        if naive.tzinfo is not None:
            return naive.astimezone(UTC)
        return _from_local(text, naive, zone)
    except (ValueError, OverflowError) as error:
        raise InvalidInstant(
            f"{text!r} is not a time: write 2025-11-02, 2025-11-02T14:00:00Z or 2025-11-02T14:00:00-05:00", value=text
        ) from error


def _from_local(text: str, naive: datetime, zone: str) -> datetime:
    clock = ZoneInfo(zone)
    first, second = (naive.replace(tzinfo=clock, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    # Converted back to local time, neither reading of a skipped time gives the text again; of a repeated time both do.
    if first.astimezone(clock).replace(tzinfo=None) != naive:
        raise NonExistentLocalTime(f"{text} does not exist in {zone}: clocks skip it", value=text, zone=zone)
    raise AmbiguousLocalTime(f"{text} happens twice in {zone}: add an offset", value=text, zone=zone)
