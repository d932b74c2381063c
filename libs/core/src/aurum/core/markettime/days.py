"""Local market days: where they begin and end in UTC, and how many intervals they hold (23, 24 or 25 hours)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.frequency import Frequency


def day_start(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which a local day begins.

    Where midnight does not exist (Cairo, Santiago: clocks change at midnight) the day begins at the change; where it
    comes twice (Havana) at the first.
    """
    # fold=0 reads a skipped time with the offset before the change: midnight becomes the instant of the change.
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """``[start, end)`` of a local day, in UTC."""
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


def hours_in_day(day: date, zone: str) -> float:
    """23, 24 or 25 where clocks change by an hour; 24.5 or 23.5 on Lord Howe Island.

    >>> hours_in_day(date(2025, 11, 2), "America/New_York")
    25.0
    """
    start, end = day_bounds(day, zone)
    return (end - start) / timedelta(hours=1)


def intervals_in_day(day: date, zone: str, frequency: Frequency) -> int | None:
    """How many intervals of a fixed frequency a local day holds; None for calendar and irregular frequencies."""
    if frequency.step is None:
        return None
    start, end = day_bounds(day, zone)
    return (end - start) // frequency.step


def local_day(ts: pl.Expr, zone: str) -> pl.Expr:
    """The local day (Date) in which UTC instants lie."""
    return ts.dt.convert_time_zone(zone).dt.date()


def first_instant(naive: pl.Expr, zone: str) -> pl.Expr:
    """UTC instants (Datetime us, UTC) at which a local clock first shows, or first has passed, naive date-times.

    ``day_start`` for columns: for boundaries (midnights, starts of months), which must lie somewhere. Labels of data are
    read with ``to_utc``, which refuses what names no single instant.
    """
    hour = pl.duration(hours=1)

    def earliest(local: pl.Expr) -> pl.Expr:
        utc = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
        return utc.dt.cast_time_unit("us")

    # A skipped time lies an hour after the time an hour before it, which was not skipped: at the change for midnight.
    return pl.coalesce(earliest(naive), earliest(naive - hour) + hour)
