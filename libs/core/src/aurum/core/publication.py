"""Usual publication times: the instant at which the first value of an interval is published, by the publisher's rule.

A rule is counted from the interval itself (``AfterInterval``), from the local day it belongs to (``OnDay``) or from its month
(``OnMonth``). It dates the first publication of a point and nothing else: a correction becomes known when it appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

import polars as pl

from aurum.core.calendars.business_days import BusinessDays, holidays
from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.markettime.days import local_day, local_instant
from aurum.core.series.resample import interval_end

_DAY = timedelta(days=1)
_SATURDAY = 6
_LAST_MONTHS = {Frequency.QUARTER: 2, Frequency.YEAR: 11}
"""Months from the first month of an interval to its last."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class AfterInterval:
    """``wait`` after the end of each interval, or after its start; negative: before it. An irregular sample has no length."""

    wait: timedelta
    from_start: bool = False

    def __str__(self) -> str:
        minutes = self.wait / timedelta(minutes=1)
        end = "start" if self.from_start else "end"
        if not minutes:
            return f"at the {end} of the interval"
        return f"{abs(minutes):g} min {'after' if minutes > 0 else 'before'} the {end} of the interval"

    def times(self, ts: pl.Series, *, zone: str, frequency: Frequency) -> pl.Series:
        """Return the usual publication time (UTC) of each interval start ``ts`` of a series."""
        frame = pl.DataFrame({"ts": ts})
        has_length = not self.from_start and frequency is not Frequency.IRREGULAR
        counted = interval_end(pl.col("ts"), frequency, zone) if has_length else pl.col("ts")
        return frame.select((counted + self.wait).cast(UTC_US).alias("known_at")).to_series()


@dataclass(frozen=True, slots=True)
class OnDay:
    """At ``at`` (local time in ``zone``), ``days`` after the local day of an interval; negative: before it.

    ``weekday``: ISO number, 1 is Monday; the first such day after the one that ``days`` leads to. ``business_days``: on the
    first business day from there on.
    """

    days: int
    at: time
    zone: str
    weekday: int | None = None
    business_days: BusinessDays | None = None

    def __str__(self) -> str:
        words = {0: "on the day", -1: "on the day before", 1: "on the day after"}
        before = "before" if self.days < 0 else "after"
        where = words.get(self.days, f"{abs(self.days)} days {before} the day")
        if self.weekday is not None:
            where = f"on the next {_WEEKDAYS[self.weekday - 1]}" + (f" after {self.days} days" if self.days else "")
        held_back = " or the next business day" if self.business_days else ""
        return f"{self.at:%H:%M} {self.zone} {where}{held_back}"

    def of_day(self, day: date) -> datetime:
        """Return the publication time (UTC) that belongs to a local day; a time that clocks skip means the next that exists."""
        published = day + self.days * _DAY
        if self.weekday is not None:
            published += ((self.weekday - published.isoweekday() - 1) % 7 + 1) * _DAY
        return local_instant(_business_day(published, self.business_days, _DAY), self.at, self.zone)

    def times(self, ts: pl.Series, *, zone: str, frequency: Frequency, later: timedelta = timedelta()) -> pl.Series:
        """Return the usual publication time (UTC) of each ``ts``; ``later``: from the day of a stamp to the day it is for."""
        del frequency
        days = pl.DataFrame({"ts": ts}).select(local_day(pl.col("ts"), zone) + later).to_series()
        return _looked_up(days, {day: self.of_day(day) for day in days.unique().to_list()})


@dataclass(frozen=True, slots=True)
class OnMonth:
    """At ``at`` (local time in ``zone``) on a ``day`` of the month ``months`` after the last month of an interval.

    ``day``: 1 to 28, or -1 for the last of the month. ``business_days``: on the first business day from there on, and for the
    last day of a month on the last business day of it.
    """

    months: int
    day: int
    at: time
    zone: str
    business_days: BusinessDays | None = None

    def __str__(self) -> str:
        if self.day < 0:
            where = "the last day" if self.business_days is None else "the last business day"
        else:
            where = f"day {self.day}" + (" or the next business day" if self.business_days else "")
        months = {0: "the month of", 1: "the month after"}.get(self.months, f"the month {self.months} months after")
        return f"{self.at:%H:%M} {self.zone} on {where} of {months} the interval"

    def of_month(self, month: date) -> datetime:
        """Return the publication time (UTC) that belongs to a month, given by any of its days."""
        first = _month_later(month, self.months)
        if self.day < 0:
            last = _month_later(first, 1) - _DAY
            return local_instant(_business_day(last, self.business_days, -_DAY), self.at, self.zone)
        return local_instant(_business_day(first.replace(day=self.day), self.business_days, _DAY), self.at, self.zone)

    def times(self, ts: pl.Series, *, zone: str, frequency: Frequency) -> pl.Series:
        """Return the usual publication time (UTC) of each interval start ``ts``."""
        month = local_day(pl.col("ts"), zone).dt.truncate("1mo").dt.offset_by(f"{_LAST_MONTHS.get(frequency, 0)}mo")
        months = pl.DataFrame({"ts": ts}).select(month).to_series()
        return _looked_up(months, {first: self.of_month(first) for first in months.unique().to_list()})


Moment: TypeAlias = AfterInterval | OnDay | OnMonth


class Evidence(StrEnum):
    """How well a rule is founded."""

    DOCUMENTED = "documented"
    """A document of the publisher states it."""
    OBSERVED = "observed"
    """Stamps of the publisher's files show it."""
    ASSUMED = "assumed"
    """Practice suggests it; no document was found."""


@dataclass(frozen=True, slots=True)
class PublicationRule:
    """The usual publication time of a dataset, or of some of its series.

    ``source``: the document or the file that the rule is taken from. ``per_issue``: the file is one publication of several
    days, such as a forecast, and all of it is known at the time of its first day (``moment`` is an ``OnDay``). ``measures``,
    ``locations``: the series it holds for; empty: all.
    """

    moment: Moment
    source: str
    evidence: Evidence = Evidence.ASSUMED
    per_issue: bool = False
    measures: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.per_issue and not isinstance(self.moment, OnDay):
            raise ValueError("a rule for a whole issue is counted from a day: use OnDay")

    def __str__(self) -> str:
        return f"{self.moment}, of the first day of the issue" if self.per_issue else str(self.moment)

    def near(self, frequency: Frequency) -> timedelta:
        """Return the time after its usual publication within which a file counts as taken in when it was published.

        One period of publication, at most a day.
        """
        step = frequency.step if isinstance(self.moment, AfterInterval) else None
        return min(step, _DAY) if step is not None else _DAY

    def of_issue(self, first_day: date) -> datetime:
        """Return the publication time (UTC) of an issue. ``first_day``: the local day that the issue is named after."""
        assert isinstance(self.moment, OnDay)
        return self.moment.of_day(first_day)

    def times(self, ts: pl.Series, *, zone: str, frequency: Frequency, later: timedelta = timedelta()) -> pl.Series:
        """Return the usual publication time of intervals of one series, ``Datetime("us", "UTC")``.

        ``ts``: interval starts (UTC). ``zone``: time zone of the series' days. ``later``: days from the stamp of a weekly flow
        to the end of its week.
        """
        if isinstance(self.moment, OnDay):
            return self.moment.times(ts, zone=zone, frequency=frequency, later=later)
        return self.moment.times(ts, zone=zone, frequency=frequency)


def known_times(
    scheduled: pl.Series, *, taken_in: datetime, near: pl.Series | None, answered_at: datetime | None = None
) -> pl.Series:
    """Return the known times that a rule gives; null where the file's own moment holds, in which it was taken in.

    ``scheduled``: usual publication times (UTC), null without a rule. ``taken_in``: when the file reached Aurum, UTC. ``near``:
    durations; the file's moment holds for what was published at most that long before it. None: only for what is published
    later than it usually is. ``answered_at``: when the publisher answered a query, an upper bound of the known time.
    """
    known = pl.min_horizontal("scheduled", pl.lit(answered_at, UTC_US))
    if near is None:
        is_past = pl.col("scheduled") <= pl.lit(taken_in, UTC_US)
        frame = pl.DataFrame({"scheduled": scheduled})
    else:
        is_past = pl.col("scheduled") < pl.lit(taken_in, UTC_US) - pl.col("near")
        frame = pl.DataFrame({"scheduled": scheduled, "near": near})
    return frame.select(pl.when(is_past).then(known).alias("known_at")).to_series()


def _looked_up(days: pl.Series, instants: dict[date, datetime]) -> pl.Series:
    return days.replace_strict(list(instants), list(instants.values()), return_dtype=UTC_US).alias("known_at")


def _month_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _business_day(day: date, calendar: BusinessDays | None, step: timedelta) -> date:
    if calendar is None:
        return day
    # New Year's Day of the next year may be observed on the last day of this one.
    while day.isoweekday() >= _SATURDAY or day in holidays(calendar, day.year) | holidays(calendar, day.year + 1):
        day += step
    return day
