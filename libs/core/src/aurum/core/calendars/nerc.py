"""NERC's six "additional off-peak days", by rule, for any year.

Source: NERC Resources Subcommittee, "Additional Off-peak Days": New Year's Day, Memorial Day, Independence Day, Labor Day,
Thanksgiving Day and Christmas Day. A fixed date that falls on a Sunday is observed on the Monday after; one that falls
on a Saturday stays there (the federal rule, which moves Saturdays to Friday, is another one).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

_MONDAY, _THURSDAY, _SUNDAY = 1, 4, 7  # ISO weekdays

_FIXED = ((1, 1), (7, 4), (12, 25))
"""(month, day) of New Year's Day, Independence Day and Christmas Day."""

_FLOATING = ((5, _MONDAY, 25), (9, _MONDAY, 1), (11, _THURSDAY, 22))
"""(month, weekday, first day of the week in which it lies): last Monday of May, first of September, fourth Thursday
of November."""


def nerc_holidays(year: int) -> tuple[date, ...]:
    """Return the six holidays of a year, ascending, on the days on which they are observed.

    >>> nerc_holidays(2027)[2]  # the 4th of July 2027 is a Sunday
    datetime.date(2027, 7, 5)
    """
    fixed = [_observed(date(year, month, day)) for month, day in _FIXED]
    floating = [_on_or_after(date(year, month, first), weekday) for month, weekday, first in _FLOATING]
    return tuple(sorted(fixed + floating))


def is_nerc_holiday(day: pl.Expr) -> pl.Expr:
    """Return True on the days of ``nerc_holidays``, in any year. ``day``: Date, or Datetime, whose time is ignored."""
    return (day.dt.weekday().cast(pl.Int32) * 10_000 + day.dt.month().cast(pl.Int32) * 100 + day.dt.day()).is_in(_CODES)


def _codes() -> list[int]:
    """Return ``weekday * 10,000 + month * 100 + day`` of every holiday: one look-up a row instead of 18 comparisons."""
    on_date = [(weekday, month, day) for month, day in _FIXED for weekday in range(_MONDAY, _SUNDAY)]
    moved = [(_MONDAY, month, day + 1) for month, day in _FIXED]
    floating = [(weekday, month, first + n) for month, weekday, first in _FLOATING for n in range(7)]
    return [weekday * 10_000 + month * 100 + day for weekday, month, day in on_date + moved + floating]


_CODES = _codes()


def _observed(day: date) -> date:
    return day + timedelta(days=1) if day.isoweekday() == _SUNDAY else day


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)
