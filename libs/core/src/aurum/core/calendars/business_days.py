"""Business days: the days on which an exchange, a central bank or a government publishes, by rule, for any year.

A dataset of daily values that its publisher leaves out on weekends and holidays names one of these calendars, so that a month
of them counts as complete without its weekends. The rules were compared with files of 1986 to 2026; the number of days on which
rule and file disagree:

================  ==============================================================  =====================================
calendar          compared with                                                   days that disagree
================  ==============================================================  =====================================
``TARGET``        euro reference rates of the ECB, 1999 to 2025                   none
``NYMEX``         Henry Hub 1997 to 2026, WTI 1986 to 2026                        65 in 30 years, 61 in 41 years
``ENGLAND``       Brent 1987 to 2026                                              162 in 40 years
``US_FEDERAL``    Henry Hub and WTI, for which ``NYMEX`` is better                144 and 183
================  ==============================================================  =====================================

Bank holidays that England moved or added once, and the day on which NYMEX closed for a mourning, are listed. Other days that no
rule can name (a storm, a day on which nothing was traded) are not holidays: they count as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import polars as pl

from aurum.core.calendars.nerc import nerc_holidays

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 1, 4, 6, 7  # ISO weekdays
_DAY = timedelta(days=1)


class BusinessDays(StrEnum):
    """The calendars of business days. Saturdays and Sundays are business days in none of them."""

    TARGET = "TARGET"
    """The euro's payment system: closed on New Year's Day, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB)."""
    NYMEX = "NYMEX"
    """US exchanges: federal holidays without Columbus Day and Veterans Day, with Good Friday."""
    US_FEDERAL = "US_FEDERAL"
    """The Federal Reserve Banks: holidays on a Sunday move to Monday, those on a Saturday do not move."""
    US_TREASURY = "US_TREASURY"
    """US government securities: ``US_FEDERAL`` and Good Friday, unless the employment report is published on it."""
    ENGLAND = "ENGLAND"
    """Bank holidays of England and Wales."""
    NERC = "NERC"
    """US power markets: NERC's six additional off-peak days."""


def stored_business_days(name: str | None) -> BusinessDays | None:
    """Return the calendar that a store names for a series; None for every day.

    A calendar that only a newer release knows counts as every day, because releases run on the stores of newer ones.
    """
    return BusinessDays(name) if name in tuple(BusinessDays) else None


@lru_cache(maxsize=1024)
def holidays(calendar: BusinessDays, year: int) -> frozenset[date]:
    """Return the holidays of a year, on the days on which they are observed; some may be on weekends.

    >>> sorted(holidays(BusinessDays.TARGET, 2025))[1]
    datetime.date(2025, 4, 18)
    """
    return frozenset(_RULES[calendar](year))


def is_business_day(day: pl.Series, calendar: BusinessDays) -> pl.Series:
    """Return which days (Date) are business days."""
    if day.is_empty():
        return pl.Series(day.name, [], pl.Boolean)
    first, last = day.dt.year().min(), day.dt.year().max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    # New Year's Day of the next year may be observed on the last day of this one.
    closed = frozenset[date]().union(*(holidays(calendar, year) for year in range(first, last + 2)))
    return (day.dt.weekday() < _SATURDAY) & ~day.is_in(sorted(closed))


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    leap, rest = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap - shift + 15) % 30
    weekday = (32 + 2 * rest + 2 * (in_century // 4) - epact - in_century % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _target(year: int) -> set[date]:
    new_year, christmas = date(year, 1, 1), date(year, 12, 25)
    if year < 2000:  # the first year of TARGET was open on the days in between
        return {new_year, christmas, date(year, 12, 31)}
    easter = easter_sunday(year)
    closed = {new_year, easter - 2 * _DAY, easter + _DAY, date(year, 5, 1), christmas, christmas + _DAY}
    return closed | {date(2001, 12, 31)} if year == 2001 else closed


def _nymex(year: int) -> set[date]:
    closed = {
        _moved_from_sunday(date(year, 1, 1)),
        _weekday(year, 2, _MONDAY, 3),
        easter_sunday(year) - 2 * _DAY,
        _last_monday_of_may(year),
        _nearest_weekday(date(year, 7, 4)),
        _weekday(year, 9, _MONDAY, 1),
        _weekday(year, 11, _THURSDAY, 4),
        _nearest_weekday(date(year, 12, 25)),
    }
    if year >= 1998:
        closed.add(_weekday(year, 1, _MONDAY, 3))
    if year >= 2022:
        closed.add(_nearest_weekday(date(year, 6, 19)))
    return closed | {date(2004, 6, 11)} if year == 2004 else closed  # the funeral of President Reagan


def _us_federal(year: int) -> set[date]:
    closed = {
        _moved_from_sunday(date(year, 1, 1)),
        _weekday(year, 2, _MONDAY, 3),
        _last_monday_of_may(year),
        _moved_from_sunday(date(year, 7, 4)),
        _weekday(year, 9, _MONDAY, 1),
        _weekday(year, 10, _MONDAY, 2),
        _moved_from_sunday(date(year, 11, 11)),
        _weekday(year, 11, _THURSDAY, 4),
        _moved_from_sunday(date(year, 12, 25)),
    }
    if year >= 1986:
        closed.add(_weekday(year, 1, _MONDAY, 3))
    if year >= 2022:
        closed.add(_moved_from_sunday(date(year, 6, 19)))
    return closed


def _us_treasury(year: int) -> set[date]:
    good_friday = easter_sunday(year) - 2 * _DAY
    has_report = good_friday.day <= 7  # the employment report is published on the first Friday of a month
    return _us_federal(year) if has_report else _us_federal(year) | {good_friday}


def _england(year: int) -> set[date]:
    easter = easter_sunday(year)
    return {
        _moved_from_weekend(date(year, 1, 1)),
        easter - 2 * _DAY,
        easter + _DAY,
        _ENGLISH_EARLY_MAY.get(year, _weekday(year, 5, _MONDAY, 1)),
        _ENGLISH_SPRING.get(year, _last_monday_of_may(year)),
        _weekday(year, 9, _MONDAY, 1) - 7 * _DAY,
        *_english_christmas(date(year, 12, 25)),
        *(day for day in _ENGLISH_ADDED if day.year == year),
    }


_ENGLISH_EARLY_MAY = {1995: date(1995, 5, 8), 2020: date(2020, 5, 8)}
"""The early May bank holiday, moved to the 50th and the 75th anniversary of the end of the war in Europe."""
_ENGLISH_SPRING = {2002: date(2002, 6, 4), 2012: date(2012, 6, 4), 2022: date(2022, 6, 2)}
"""The spring bank holiday, moved to the Golden, the Diamond and the Platinum Jubilee."""
_ENGLISH_ADDED = (
    date(1999, 12, 31),  # eve of the year 2000
    date(2002, 6, 3),  # Golden Jubilee
    date(2011, 4, 29),  # wedding of Prince William
    date(2012, 6, 5),  # Diamond Jubilee
    date(2022, 6, 3),  # Platinum Jubilee
    date(2022, 9, 19),  # funeral of Queen Elizabeth II
    date(2023, 5, 8),  # coronation of King Charles III
)
"""Bank holidays by royal proclamation, since 1987. Source: gov.uk/bank-holidays, and the proclamations in The Gazette."""


def _english_christmas(christmas: date) -> tuple[date, date]:
    """Return Christmas Day and Boxing Day as they are observed: those on a weekend move to the next free weekdays."""
    match christmas.isoweekday():
        case 5:
            return christmas, christmas + 3 * _DAY
        case 6:
            return christmas + 2 * _DAY, christmas + 3 * _DAY
        case 7:
            return christmas + _DAY, christmas + 2 * _DAY
        case _:
            return christmas, christmas + _DAY


def _weekday(year: int, month: int, weekday: int, number: int) -> date:
    """Return the first (``number`` 1), second ... of a weekday in a month."""
    first = date(year, month, 1)
    return first + ((weekday - first.isoweekday()) % 7 + 7 * (number - 1)) * _DAY


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - ((last.isoweekday() - _MONDAY) % 7) * _DAY


def _moved_from_sunday(day: date) -> date:
    return day + _DAY if day.isoweekday() == _SUNDAY else day


def _moved_from_weekend(day: date) -> date:
    return day + {_SATURDAY: 2, _SUNDAY: 1}.get(day.isoweekday(), 0) * _DAY


def _nearest_weekday(day: date) -> date:
    return day + {_SATURDAY: -1, _SUNDAY: 1}.get(day.isoweekday(), 0) * _DAY


_RULES: Mapping[BusinessDays, Callable[[int], set[date]]] = {
    BusinessDays.TARGET: _target,
    BusinessDays.NYMEX: _nymex,
    BusinessDays.US_FEDERAL: _us_federal,
    BusinessDays.US_TREASURY: _us_treasury,
    BusinessDays.ENGLAND: _england,
    BusinessDays.NERC: lambda year: set(nerc_holidays(year)),
}
