"""Leads of forecasts: the value of each interval that was in force some time before it, from all versions of its points.

A *lead* gives every interval its own cut-off; the value at the cut-off is that of a read as of that instant (``core.asof``). A
year of day-ahead forecasts is thereby one read of all versions, instead of a read as of an instant for each day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeAlias

import polars as pl

from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, UTC_US, conform
from aurum.core.markettime import local_day, local_instant

_DAY = timedelta(days=1)
_MIDNIGHT = time()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DaysAhead:
    """Known before a local day begins, or by a local time of a day.

    Without ``before``: known before the beginning of the local day ``days - 1`` days before that of the interval; 1 is known
    before the delivery day begins. With it: known by that local time, inclusive, ``days`` days before that of the interval. A
    local time that clocks skip means the next instant that exists; of two instants the first.
    """

    days: int
    before: time | None = None

    def cutoffs(self, ts: pl.Series, zone: str) -> pl.Series:
        """Return the last instant (UTC, inclusive) at which a value counts, for each interval start ``ts`` (UTC)."""
        days = pl.DataFrame({"ts": ts}).select(local_day(pl.col("ts"), zone)).to_series()
        at = self.before or _MIDNIGHT
        earlier, still = (self.days, timedelta()) if self.before is not None else (self.days - 1, _MICROSECOND)
        instants = {day: local_instant(day - earlier * _DAY, at, zone) - still for day in days.unique().to_list()}
        return days.replace_strict(list(instants), list(instants.values()), return_dtype=UTC_US)


@dataclass(frozen=True, slots=True)
class HoursAhead:
    """Known at least ``ahead`` before the interval begins, inclusive."""

    ahead: timedelta

    def cutoffs(self, ts: pl.Series, zone: str) -> pl.Series:
        """Return the last instant (UTC, inclusive) at which a value counts, for each interval start ``ts`` (UTC)."""
        del zone
        return ts - self.ahead


Lead: TypeAlias = DaysAhead | HoursAhead


def known_ahead(versions: pl.DataFrame, lead: Lead, *, zone: str, as_of: datetime | None = None) -> pl.DataFrame:
    """Return the value of each point that was in force at its cut-off, schema ``MANY_OBSERVATIONS``, in the given order.

    ``versions``: schema ``HISTORY``; some of them give that part of the answer, because each is chosen by its own times.
    ``zone``: IANA name of the clock in which days are counted. ``as_of``: no cut-off is after it. Points without a value at
    their cut-off have no row. Raises ``FrameMismatch``.
    """
    frame = conform(versions, HISTORY)
    if frame.is_empty():
        return pl.DataFrame(schema=MANY_OBSERVATIONS)
    cutoff = lead.cutoffs(frame["ts"], zone)
    if as_of is not None:
        cutoff = cutoff.clip(upper_bound=as_of)
    is_in_force = (frame["known_at"] <= cutoff) & (frame["superseded_at"].is_null() | (frame["superseded_at"] > cutoff))
    return frame.filter(is_in_force).select(list(MANY_OBSERVATIONS))
