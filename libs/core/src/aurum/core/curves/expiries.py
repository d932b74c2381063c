"""Rules of last trading days: read from the words in which an exchange states them for a product.

The words of a product's ``expiry`` are parts between semicolons. A part is read in one of these forms, numbers in words or
digits; a part in other words, such as ``physical delivery``, states no rule:

* ``last business day of the month before delivery``, ``last business day of the second month before the contract month``, which
  may go on ``, or the last but one for a contract of February``;
* ``three business days before the first day of the delivery month``, or ``... of the delivery period``;
* ``three business days before the 25th of the month before delivery``, or ``... of the delivery month``, which may go on ``, or
  four if the 25th is not a business day``;
* ``one business day before the 15th day before the first day of the contract month, or two if that day is not a business day``;
* ``last Friday of the delivery month``: the business day before where the exchange is closed;
* ``last Monday of the contract month, or the last one before that is a business day like the four days after it``;
* ``last business day before the last delivery day, or that day if it is a Monday``.

A business day is a session of the product's venue; a London or a US one is a session of XLON or of NYMEX. A part may begin with
the kinds of contract that it is about, with the last contract month that it holds for, or with both, and a colon: ``months:``,
``quarters, seasons and years:``, ``until February 2016:``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from aurum.core.curves.period_labels import Span, add_months
from aurum.core.curves.sessions import SessionCalendar, is_session, session_before
from aurum.core.curves.tenors import TenorKind

FORMS: Sequence[str] = (
    "last business day of the month before delivery",
    "three business days before the first day of the delivery month",
    "three business days before the 25th of the month before delivery, or four if the 25th is not a business day",
)
"""Examples of rules that are read, for messages."""

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_FEBRUARY = 2
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_KINDS = {
    "months": TenorKind.MONTH,
    "quarters": TenorKind.QUARTER,
    "seasons": TenorKind.SEASON,
    "years": TenorKind.YEAR,
}
_PLACES = {"london": "XLON", "us": "NYMEX"}

_NUMBER = rf"(?:[0-9]{{1,2}}|{'|'.join(_NUMBERS)})"
_BUSINESS = rf"(?:(?P<place>{'|'.join(_PLACES)}) )?(?:business days?|sessions?)"
_OPEN = r"(?:a )?(?:business day|session)"
_BEFORE = rf"the (?:(?P<months>{'|'.join(_ORDINALS)}) )?month before (?:delivery|the (?:delivery|contract) month)"
_DAYS = rf"(?P<count>{_NUMBER}) {_BUSINESS} before"
_NTH = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)"
_CLOSED = (
    rf"(?:,? (?:or )?(?P<closed>{_NUMBER}) (?:if|for) "
    rf"(?:that day|(?:the|a) (?P=day)(?:st|nd|rd|th)) (?:that )?is not {_OPEN})?"
)
_LAST = re.compile(rf"(?:the )?last {_BUSINESS} of {_BEFORE}(?P<february>, or the last but one for a contract of february)?")
_FIRST = re.compile(rf"{_DAYS} the first day of the (?:(?:delivery|contract) month|delivery period)")
_NTH_DAY = re.compile(rf"{_DAYS} the {_NTH} (?:day )?of (?:{_BEFORE}|the (?:delivery|contract) month){_CLOSED}")
_DAY_BEFORE = re.compile(rf"{_DAYS} the {_NTH} day before the first day of the (?:delivery|contract) month{_CLOSED}")
_WEEKDAY = re.compile(rf"(?:the )?last (?P<weekday>{'|'.join(_WEEKDAYS)}) of the delivery month")
_CLEAR_MONDAY = re.compile(
    rf"(?:the )?last monday of the contract month, or the last one before that is a {_BUSINESS} like the four days after it"
)
_LAST_DELIVERY = re.compile(
    r"(?:the )?last (?:business day|session) before the last delivery day, or that day if it is a monday"
)
_SCOPE = re.compile(
    rf"(?P<kinds>(?:{'|'.join(_KINDS)})(?:(?:, | and )(?:{'|'.join(_KINDS)}))*)? ?"
    rf"(?:until (?P<month>{'|'.join(_MONTHS)}) (?P<year>[12][0-9]{{3}}))?"
)
_LONGEST_MONTH = 28
"""A rule names a day that every month has."""


@dataclass(frozen=True, slots=True)
class SessionsBefore:
    """The last trading day is ``count`` sessions before a day.

    The day is ``days`` days before day ``day`` (1 to 28) of the month that is ``months`` before the delivery month.
    ``closed_count``: the number where it is not a session itself. ``february_count``: the number for a contract of February;
    None: the same. ``place``: calendar of sessions; None: that of the venue.
    """

    months: int
    day: int
    count: int
    closed_count: int
    days: int = 0
    february_count: int | None = None
    place: str | None = None

    def last_trading_day(self, contract: Span, sessions: SessionCalendar) -> date:
        """Return the last trading day of a contract. Raises ``SessionsUnknown``.

        >>> from aurum.core.curves.sessions import parse_session_calendar
        >>> january = (date(2018, 1, 1), date(2018, 2, 1))
        >>> SessionsBefore(1, 25, 3, 4).last_trading_day(january, parse_session_calendar("NYMEX"))
        datetime.date(2017, 12, 19)
        """
        calendar, count = self.place or sessions, self.count
        anchor = add_months(contract[0], -self.months).replace(day=self.day) - self.days * _DAY
        if self.closed_count != count and not is_session(calendar, anchor):
            count = self.closed_count
        if self.february_count is not None and contract[0].month == _FEBRUARY:
            count = self.february_count
        return session_before(calendar, anchor, count)


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """The last trading day is the last weekday of a kind in the month of delivery, or the session before.

    ``weekday``: 0 for Monday. ``clear_days``: if not 0, the weekday must be a session like this number of days after it; else
    it is the one of a week before. ``place``: as of ``SessionsBefore``.
    """

    weekday: int
    clear_days: int = 0
    place: str | None = None

    def last_trading_day(self, contract: Span, sessions: SessionCalendar) -> date:
        """Return the last trading day of a contract. Raises ``SessionsUnknown``."""
        calendar = self.place or sessions
        last = add_months(contract[0].replace(day=1), 1) - _DAY
        day = last - (last.weekday() - self.weekday) % 7 * _DAY
        if not self.clear_days:
            return session_before(calendar, day + _DAY)
        while not all(is_session(calendar, day + after * _DAY) for after in range(self.clear_days + 1)):
            day -= _WEEK
        return day


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The last trading day is the session before the last delivery day, or that day if it is a Monday and a session.

    Of the days of a weekend the prices are known on Friday, of a Monday on Sunday.
    """

    def last_trading_day(self, contract: Span, sessions: SessionCalendar) -> date:
        """Return the last trading day of a contract. Raises ``SessionsUnknown``."""
        last = contract[1] - _DAY
        is_monday = last.weekday() == 0
        return session_before(sessions, last + _DAY if is_monday else last)


ExpiryRule = SessionsBefore | LastWeekday | LastDelivery


@dataclass(frozen=True, slots=True)
class StatedRule:
    """A rule. ``kinds``: of the contracts it is about; empty: all. ``until``: first day of the last month; None: no end."""

    rule: ExpiryRule
    kinds: tuple[TenorKind, ...] = ()
    until: date | None = None


def is_in_delivery(rule: ExpiryRule) -> bool:
    """Return whether the last trading day may lie in the delivery month."""
    return not isinstance(rule, SessionsBefore) or (rule.months == 0 and rule.day > 1)


def is_settled_on_delivery(rule: ExpiryRule) -> bool:
    """Return whether contracts trade to the end of their delivery: they settle on the average of what they deliver."""
    return isinstance(rule, LastDelivery) or (isinstance(rule, LastWeekday) and not rule.clear_days)


@dataclass(frozen=True, slots=True)
class Expiry:
    """The rules of last trading days of a product. ``rules``: at least one."""

    rules: tuple[StatedRule, ...]

    def rule_of(self, kind: TenorKind, first: date) -> ExpiryRule | None:
        """Return the rule of a contract, None where none is stated. ``first``: its first delivery day.

        Of several rules one with an end counts before one without, and one of its kind before one of all.
        """
        applies = [
            one
            for one in self.rules
            if (not one.kinds or kind in one.kinds) and (one.until is None or first.replace(day=1) <= one.until)
        ]
        chosen = min(applies, key=lambda one: (one.until or date.max, not one.kinds), default=None)
        return None if chosen is None else chosen.rule

    def has(self, kind: TenorKind) -> bool:
        """Return whether a rule is about a kind of contract."""
        return any(not one.kinds or kind in one.kinds for one in self.rules)


@lru_cache(maxsize=1024)
def read_expiry(text: str) -> Expiry | None:
    """Return the rules in the words of a product; None where no part has a known form.

    >>> read_expiry("last business day of the month before delivery; physical delivery").rules[0].rule
    SessionsBefore(months=0, day=1, count=1, closed_count=1, days=0, february_count=None, place=None)
    """
    rules = [rule for part in text.casefold().split(";") if (rule := _stated(" ".join(part.rstrip(". ").split()))) is not None]
    return Expiry(tuple(rules)) if rules else None


def _stated(part: str) -> StatedRule | None:
    scope, colon, words = part.rpartition(":")
    match = _SCOPE.fullmatch(scope)
    if match is None or (colon and not scope):
        return None
    rule = _rule(words.strip())
    if rule is None:
        return None
    kinds = tuple(kind for name, kind in _KINDS.items() if name in (match["kinds"] or ""))
    until = date(int(match["year"]), _MONTHS.index(match["month"]) + 1, 1) if match["month"] is not None else None
    return StatedRule(rule, kinds, until)


def _rule(words: str) -> ExpiryRule | None:
    if match := _LAST.fullmatch(words):
        # The last session of a month is the first one before the month after it.
        february = 2 if match["february"] else None
        return SessionsBefore(_months(match) - 1, 1, 1, 1, february_count=february, place=_place(match))
    if match := _FIRST.fullmatch(words):
        count = _number(match["count"])
        return SessionsBefore(0, 1, count, count, place=_place(match)) if count else None
    if match := _DAY_BEFORE.fullmatch(words):
        return _before_day(match, months=0, day=1, days=int(match["day"]))
    if match := _NTH_DAY.fullmatch(words):
        months = _months(match) if "month before" in words else 0
        return _before_day(match, months=months, day=int(match["day"]), days=0)
    if match := _WEEKDAY.fullmatch(words):
        return LastWeekday(_WEEKDAYS.index(match["weekday"]))
    if match := _CLEAR_MONDAY.fullmatch(words):
        return LastWeekday(0, clear_days=4, place=_place(match))
    return LastDelivery() if _LAST_DELIVERY.fullmatch(words) else None


def _before_day(match: re.Match[str], *, months: int, day: int, days: int) -> SessionsBefore | None:
    count = _number(match["count"])
    closed = _number(match["closed"]) if match["closed"] else count
    is_day = 1 <= max(day, days) <= _LONGEST_MONTH
    return SessionsBefore(months, day, count, closed, days=days, place=_place(match)) if is_day and count and closed else None


def _months(match: re.Match[str]) -> int:
    return 1 if match["months"] is None else _ORDINALS.index(match["months"]) + 1


def _place(match: re.Match[str]) -> str | None:
    return None if match["place"] is None else _PLACES[match["place"]]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS.index(text) + 1
