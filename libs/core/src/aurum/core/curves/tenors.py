"""Tenors: delivery periods counted from a trade date, such as the month after next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count

from aurum.core.curves.period_labels import Span, add_months
from aurum.core.curves.seasons import SeasonFamily
from aurum.core.errors import Invalid

FORMS = "M+1, Q+1, S+1, Y+1, W+1 (or a higher number), DA, WE, BOM or BOY"
"""The tenors, for messages."""

_WEEK = timedelta(days=7)
_MONTHS_OF_YEAR = 12
_COUNTED = re.compile(r"(?P<kind>[mqsyw]) ?[+ ]? ?(?P<number>[0-9]{1,4})", re.ASCII)


class InvalidTenor(Invalid):
    """A text that names no tenor, or a tenor that a product does not have. Facts: ``tenor``."""

    def __init__(self, tenor: str, why: str) -> None:
        super().__init__(f"tenor {tenor!r}: {why}", tenor=tenor)


class TenorKind(StrEnum):
    """Kind of a tenor."""

    MONTH = "M"
    QUARTER = "Q"
    SEASON = "S"
    YEAR = "Y"
    WEEK = "W"
    DAY_AHEAD = "DA"
    """The day after the trade date."""
    WEEKEND = "WE"
    """The first weekend that begins after the trade date."""
    REST_OF_MONTH = "BOM"
    REST_OF_YEAR = "BOY"


MOST = {TenorKind.MONTH: 240, TenorKind.QUARTER: 80, TenorKind.SEASON: 40, TenorKind.YEAR: 60, TenorKind.WEEK: 520}
"""Highest number of each kind that is counted."""


@dataclass(frozen=True, slots=True)
class Tenor:
    """A tenor. ``number``: 1 for the first period that begins after the trade date; always 1 for kinds without a number."""

    kind: TenorKind
    number: int = 1

    @property
    def is_counted(self) -> bool:
        """Whether it has a number: M, Q, S, Y and W."""
        return self.kind in MOST

    def __str__(self) -> str:
        return f"{self.kind}+{self.number}" if self.is_counted else str(self.kind)


def parse_tenor(text: str) -> Tenor:
    """Return the tenor that a text names. Raises ``InvalidTenor``.

    A blank stands for the plus, as which an address that is not encoded delivers it.

    >>> parse_tenor("M+1"), str(parse_tenor("q 2")), parse_tenor("bom").kind.value
    (Tenor(kind=<TenorKind.MONTH: 'M'>, number=1), 'Q+2', 'BOM')
    """
    shown, words = text[:20], text.strip().casefold()
    if words.upper() in (kind.value for kind in TenorKind if kind not in MOST):
        return Tenor(TenorKind(words.upper()))
    match = _COUNTED.fullmatch(words)
    if match is None:
        raise InvalidTenor(shown, f"must be {FORMS}")
    kind, number = TenorKind(match["kind"].upper()), int(match["number"])
    if not 1 <= number <= MOST[kind]:
        raise InvalidTenor(shown, f"its number must be from 1 to {MOST[kind]}")
    return Tenor(kind, number)


def periods_after(kind: TenorKind, day: date, seasons: SeasonFamily | None) -> Iterator[Span]:
    """Return the delivery periods of a counted kind that begin after a day, ascending, without an end.

    ``seasons``: the family of the product. Raises ``InvalidTenor`` for seasons of a product that has none.

    >>> next(periods_after(TenorKind.QUARTER, date(2025, 1, 1), None))
    (datetime.date(2025, 4, 1), datetime.date(2025, 7, 1))
    """
    match kind:
        case TenorKind.WEEK:
            monday = day + timedelta(days=8 - day.isoweekday())
            return ((monday + week * _WEEK, monday + (week + 1) * _WEEK) for week in count())
        case TenorKind.SEASON:
            return _seasons_after(day, seasons)
        case TenorKind.MONTH | TenorKind.QUARTER | TenorKind.YEAR:
            months = _MONTHS[kind]
            first = add_months(day.replace(day=1), months - (day.month - 1) % months)
            return ((add_months(first, place * months), add_months(first, (place + 1) * months)) for place in count())
        case _:
            raise InvalidTenor(str(kind), "has no number to count")


_MONTHS = {TenorKind.MONTH: 1, TenorKind.QUARTER: 3, TenorKind.YEAR: _MONTHS_OF_YEAR}


def _seasons_after(day: date, seasons: SeasonFamily | None) -> Iterator[Span]:
    # A gas year is a year that begins in October, and no season.
    shorter = [] if seasons is None else [one for one in seasons.seasons if one.months < _MONTHS_OF_YEAR]
    if not shorter:
        raise InvalidTenor(str(TenorKind.SEASON), "the product has no seasons")
    spans = (span for year in count(day.year - 1) for span in sorted(one.span(year) for one in shorter))
    return (span for span in spans if span[0] > day)
