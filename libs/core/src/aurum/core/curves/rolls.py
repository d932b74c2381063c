"""Rolls: the contract that is the front of a tenor on each trade date, by a rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from typing import cast

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.expiries import Expiry, ExpiryRule, is_in_delivery, is_settled_on_delivery
from aurum.core.curves.period_labels import Span
from aurum.core.curves.seasons import SeasonFamily
from aurum.core.curves.sessions import SessionCalendar, session_before, with_sessions
from aurum.core.curves.tenors import Tenor, TenorKind, periods_after
from aurum.core.errors import Invalid

Days = NDArray[np.datetime64]
"""Days as ``datetime64[D]``."""

FORMS = "calendar, last_trading_day or days_before:n, with n from 0 to 60 sessions"
"""The rules, for messages."""

_MOST_SESSIONS = 60
_DAYS_BEFORE = re.compile(r"days_before:(?P<sessions>[0-9]{1,3})", re.ASCII)
_DAY = timedelta(days=1)
_ONE = np.timedelta64(1, "D")
_LONGEST = {
    kind: timedelta(days=days)
    for kind, days in (
        (TenorKind.WEEK, 7),
        (TenorKind.MONTH, 31),
        (TenorKind.QUARTER, 92),
        (TenorKind.SEASON, 214),
        (TenorKind.YEAR, 366),
    )
}
"""The longest period of each kind."""
_MONTH, _YEAR = np.dtype("datetime64[M]"), np.dtype("datetime64[Y]")


class InvalidRoll(Invalid):
    """A text that names no rule, or a rule that does not apply to a product or a tenor. Facts: ``roll``."""

    def __init__(self, roll: str, why: str) -> None:
        super().__init__(f"roll {roll!r}: {why}", roll=roll)


class RollBasis(StrEnum):
    """Event at which a front changes."""

    CALENDAR = "calendar"
    """A period is the front as long as its first delivery day is after the trade date."""
    LAST_TRADING_DAY = "last_trading_day"
    """A contract is the front up to its last trading day, that day included."""
    DAYS_BEFORE = "days_before"
    """A contract is the front up to some sessions before its last trading day. Without a rule of last trading days, and where a
    contract trades on while it delivers, before the last session ahead of its delivery."""


@dataclass(frozen=True, slots=True)
class RollRule:
    """A rule of rolls. ``sessions``: of ``days_before``; else 0."""

    basis: RollBasis = RollBasis.CALENDAR
    sessions: int = 0

    def __str__(self) -> str:
        return f"{self.basis}:{self.sessions}" if self.basis is RollBasis.DAYS_BEFORE else str(self.basis)


@dataclass(frozen=True, slots=True)
class RollTerms:
    """The terms of a product by which its contracts roll. None: the product does not have them.

    ``traded``: days from Monday to Friday that have quotes, although ``sessions`` calls them closed.
    """

    seasons: SeasonFamily | None = None
    sessions: SessionCalendar | None = None
    expiry: Expiry | None = None
    traded: tuple[date, ...] = ()

    @property
    def trading_days(self) -> SessionCalendar | None:
        """The sessions, and the days that were traded."""
        return self.sessions if self.sessions is None else with_sessions(self.sessions, self.traded)


@dataclass(frozen=True, slots=True)
class Fronts:
    """The front of a tenor on each trade date.

    ``days``: trade dates, ascending. ``contract``: place of the front in ``contracts``, for each trade date. ``contracts``:
    first delivery day and end. ``is_rest``: each contract is the rest of a month or year after its trade date.
    """

    days: Days
    contract: NDArray[np.int64]
    contracts: tuple[Span, ...]
    is_rest: bool = False

    @property
    def starts(self) -> Days:
        """The first delivery day of each contract."""
        return np.array([first for first, _ in self.contracts], "datetime64[D]")

    def held(self, place: int) -> Span:
        """Return the front on the trade date at a place; -1: the last one."""
        return self.contracts[int(self.contract[place])]

    def deliveries(self, days: Days, contract: NDArray[np.int64]) -> tuple[Days, Days]:
        """Return first delivery days and ends of some contracts as they are quoted on some trade dates.

        Of the rest of a month on its last day nothing is left: first day and end are equal.
        """
        firsts = self.starts[contract]
        ends = np.array([end for _, end in self.contracts], "datetime64[D]")[contract]
        # On the first day of a month, its rest is the whole month.
        return (np.where(days > firsts, days + _ONE, firsts) if self.is_rest else firsts), ends


def parse_roll(text: str) -> RollRule:
    """Return the rule that a text names. Raises ``InvalidRoll``.

    >>> parse_roll("days_before:5")
    RollRule(basis=<RollBasis.DAYS_BEFORE: 'days_before'>, sessions=5)
    """
    words = text.strip().casefold()
    if words in (RollBasis.CALENDAR, RollBasis.LAST_TRADING_DAY):
        return RollRule(RollBasis(words))
    match = _DAYS_BEFORE.fullmatch(words)
    if match is None or int(match["sessions"]) > _MOST_SESSIONS:
        raise InvalidRoll(text[:40], f"must be {FORMS}")
    return RollRule(RollBasis.DAYS_BEFORE, int(match["sessions"]))


def check_roll(tenor: Tenor, rule: RollRule, terms: RollTerms) -> None:
    """Refuse a rule that a tenor or a product cannot follow. Raises ``InvalidRoll``."""
    if rule.basis is RollBasis.CALENDAR:
        return
    if not tenor.is_counted:
        raise InvalidRoll(str(rule), f"{tenor} changes by the calendar alone: send {RollBasis.CALENDAR}, or leave it out")
    if rule.basis is RollBasis.LAST_TRADING_DAY and tenor.kind is TenorKind.WEEK:
        raise InvalidRoll(str(rule), f"weeks have no rule of last trading days: send {RollBasis.CALENDAR}")
    if rule.basis is RollBasis.LAST_TRADING_DAY and (terms.expiry is None or not terms.expiry.has(tenor.kind)):
        why = f"the last trading days of the product are unknown: its expiry states no rule of {tenor}"
        raise InvalidRoll(str(rule), f"{why}; send {RollBasis.CALENDAR} or {RollBasis.DAYS_BEFORE}:n")
    if terms.sessions is None:
        raise InvalidRoll(str(rule), f"the sessions of the product's venue are unknown: send {RollBasis.CALENDAR}")


def last_held_day(tenor: Tenor, contract: Span, rule: RollRule, terms: RollTerms) -> date:
    """Return the last day on which a contract is the first of its kind. Raises ``InvalidRoll``, ``SessionsUnknown``."""
    check_roll(tenor, rule, terms)
    if rule.basis is RollBasis.CALENDAR:
        return contract[0] - _DAY
    trading_days = terms.trading_days
    assert trading_days is not None
    expiry = _expiry(tenor.kind, contract[0], terms)
    if rule.basis is RollBasis.DAYS_BEFORE and (expiry is None or is_settled_on_delivery(expiry)):
        return session_before(trading_days, contract[0], rule.sessions + 1)
    if expiry is None:
        raise InvalidRoll(str(rule), f"the expiry of the product states no rule for the contract of {contract[0]:%Y-%m}")
    last = expiry.last_trading_day(contract, trading_days)
    return session_before(trading_days, last, rule.sessions) if rule.sessions else last


def _expiry(kind: TenorKind, first: date, terms: RollTerms) -> ExpiryRule | None:
    """Return the rule of the last trading day of a contract, None where there is none. ``first``: its first delivery day."""
    return None if terms.expiry is None or kind is TenorKind.WEEK else terms.expiry.rule_of(kind, first)


def fronts(days: Days, tenor: Tenor, rule: RollRule, terms: RollTerms) -> Fronts:
    """Return the front of a tenor on each trade date. ``days``: ascending.

    Raises ``InvalidTenor``, ``InvalidRoll``, and ``SessionsUnknown`` for years that the calendar of sessions does not cover.
    """
    check_roll(tenor, rule, terms)
    if not len(days):
        return Fronts(days, np.array([], np.int64), ())
    if not tenor.is_counted:
        return _uncounted(days, tenor.kind)
    first, last = _date(days[0]), _date(days[-1])
    expiry = _expiry(tenor.kind, first, terms) if rule.basis is not RollBasis.CALENDAR else None
    # A contract may still be the front while it delivers.
    before = _LONGEST[tenor.kind] if expiry is not None and is_in_delivery(expiry) else timedelta()
    following = periods_after(tenor.kind, first - before, terms.seasons)
    contracts: list[Span] = []
    held: list[date] = []
    for contract in following:
        until = last_held_day(tenor, contract, rule, terms)
        if until < first:
            continue
        contracts.append(contract)
        held.append(until)
        if until >= last:
            break
    contracts += islice(following, tenor.number - 1)
    place = np.searchsorted(np.array(held, "datetime64[D]"), days, side="left")
    return Fronts(days, place.astype(np.int64) + tenor.number - 1, tuple(contracts))


def _uncounted(days: Days, kind: TenorKind) -> Fronts:
    match kind:
        case TenorKind.DAY_AHEAD:
            first = days + _ONE
            end = first + _ONE
        case TenorKind.WEEKEND:
            # Day 0 of NumPy is a Thursday: two days later is a Saturday.
            number = days.astype(np.int64)
            first = (number + 7 - (number - 2) % 7).astype("datetime64[D]")
            end = first + 2 * _ONE
        case TenorKind.REST_OF_MONTH:
            first, end = _whole(days, _MONTH)
        case _:
            first, end = _whole(days, _YEAR)
    distinct, contract = np.unique(first, return_inverse=True)
    ends = dict(zip(first.tolist(), end.tolist(), strict=True))
    spans = tuple((one, ends[one]) for one in distinct.tolist())
    is_rest = kind in (TenorKind.REST_OF_MONTH, TenorKind.REST_OF_YEAR)
    return Fronts(days, contract.reshape(-1).astype(np.int64), spans, is_rest)


def _whole(days: Days, unit: np.dtype[np.datetime64]) -> tuple[Days, Days]:
    whole = days.astype(unit)
    return whole.astype("datetime64[D]"), (whole + 1).astype("datetime64[D]")


def _date(day: np.datetime64) -> date:
    return cast("date", day.item())
