"""Local market days: their begin and end in UTC, and their number of intervals (23, 24 or 25 hours)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aurum.core.frequency import Frequency
from aurum.core.local_clock import instant_at

if TYPE_CHECKING:
    import polars as pl


def day_start(day: date, zone: str) -> datetime:
    """Return the instant, in UTC, at which a local day begins.

    When midnight does not exist (Cairo, Santiago: clocks change at midnight), the day begins at the change; when it occurs
    twice (Havana), at the first.
    """
    # With fold=0 a skipped time has the offset from before the change, so midnight becomes the instant of the change.
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return start and end, ``[start, end)``, of a local day in UTC."""
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


def local_instant(day: date, at: time, zone: str) -> datetime:
    """Return the instant, in UTC, at which a local clock shows a time of a day.

    A time that clocks skip means the next instant that exists, the one at which they change; of two instants the first.

    >>> local_instant(date(2026, 3, 8), time(2, 30), "America/New_York").isoformat()
    '2026-03-08T07:00:00+00:00'
    """
    return instant_at(datetime.combine(day, at), ZoneInfo(zone))


def hours_in_day(day: date, zone: str) -> float:
    """Return the hours of a local day: 23, 24 or 25 where clocks change by an hour; 23.5 or 24.5 too on Lord Howe Island.

    >>> hours_in_day(date(2025, 11, 2), "America/New_York")
    25.0
    """
    start, end = day_bounds(day, zone)
    return (end - start) / timedelta(hours=1)


def intervals_in_day(day: date, zone: str, frequency: Frequency) -> int | None:
    """Return the number of intervals of a fixed frequency in a local day; None for calendar and irregular frequencies."""
    if frequency.step is None:
        return None
    start, end = day_bounds(day, zone)
    return (end - start) // frequency.step


def local_day(ts: pl.Expr, zone: str) -> pl.Expr:
    """Return the local day (Date) in which UTC instants lie."""
    return ts.dt.convert_time_zone(zone).dt.date()


def first_instant(naive: pl.Expr, zone: str) -> pl.Expr:
    """Return the first instants (``Datetime("us", "UTC")``) at which a local clock shows naive date-times, or has passed them.

    The same as ``day_start`` for columns. For boundaries (midnights, starts of months), which need an instant in any case.
    Labels of data are converted with ``to_utc``, which refuses labels that do not name exactly one instant.
    """
    import polars as pl  # the main process of a worker needs days, but no frames

    hour = pl.duration(hours=1)

    def earliest(local: pl.Expr) -> pl.Expr:
        utc = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
        return utc.dt.cast_time_unit("us")

    # The time an hour before a skipped time is not skipped. An hour after that one is the instant of the change (for midnight).
    return pl.coalesce(earliest(naive), earliest(naive - hour) + hour)
