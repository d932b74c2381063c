"""Final settlements: the last price of a period in delivery, which its last hours decide.

An exchange dates the last settlement of a month on its last session, also when the auction of the last delivery day takes place
only afterwards, on a weekend. Such a row is not known on its trade date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aurum.core.curves.sessions import SessionCalendar, parse_session_calendar, sessions_of
from aurum.core.frames import UTC_US
from aurum.core.publication import OnDay

_DAY = timedelta(days=1)
_WEEK = 7
_SEARCHED = timedelta(days=30)
"""Days within which a session follows on any day."""


@dataclass(frozen=True, slots=True)
class FinalSettlement:
    """The final settlement of a period is known no earlier than the auction of its last delivery day.

    ``auction``: when the prices of a delivery day are published. ``sessions``: name of the venue's session calendar.
    ``source``: the document or the files that show it. ``weeks_end_later``: weeks are quoted on the session after they end, so
    that no earlier row of a week is final.
    """

    auction: OnDay
    sessions: str
    source: str
    weeks_end_later: bool = False

    def __str__(self) -> str:
        return f"final settlements no earlier than {self.auction}, counted from the last delivery day"

    def earliest(self, rows: pl.DataFrame, *, calendar: SessionCalendar | None = None) -> pl.Series:
        """Return the instant (UTC) of that auction for rows that are final settlements, null for others.

        ``rows``: ``delivery_start``, ``delivery_end``, ``trade_date``. A row is final if its period ends before the next
        session begins, so that no later row of the period follows. ``calendar``: the sessions of the venue; None: those of the
        package.
        """
        following = self._following(rows["trade_date"], calendar or parse_session_calendar(self.sessions))
        start, end = pl.col("delivery_start"), pl.col("delivery_end")
        is_final = (end > pl.col("trade_date")) & (end <= pl.col("following"))
        if self.weeks_end_later:
            is_week = ((end - start) == pl.duration(days=_WEEK)) & (start.dt.weekday() == 1)
            is_final &= ~is_week
        frame = rows.with_columns(following.alias("following")).select(last=pl.when(is_final).then(end - _DAY))
        auctions = {day: self.auction.of_day(day) for day in frame["last"].unique().drop_nulls().to_list()}
        instant = pl.col("last").replace_strict(list(auctions), list(auctions.values()), return_dtype=UTC_US)
        return frame.select(instant.alias("earliest")).to_series()

    @staticmethod
    def _following(days: pl.Series, calendar: SessionCalendar) -> pl.Series:
        """Return the first session after each day; null where the calendar of the venue does not reach."""
        first, last = days.min(), days.max()
        if not isinstance(first, date) or not isinstance(last, date):
            return days
        end = min(last + _SEARCHED, calendar.last)
        sessions = pl.Series("session", sessions_of(calendar, max(first, calendar.first), end + _DAY), pl.Date)
        known = pl.DataFrame({"session": sessions}).with_columns(pl.col("session").alias("day"))
        wanted = pl.DataFrame({"day": days + _DAY}).with_row_index().sort("day")
        return wanted.join_asof(known, on="day", strategy="forward").sort("index")["session"]
