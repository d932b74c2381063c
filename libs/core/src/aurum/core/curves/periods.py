"""Delivery periods: half-open spans of delivery days with the label and the kind that the market gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from aurum.core.curves.period_labels import MONTHS, InvalidPeriod, read_span, rest_of_month, rest_of_year

if TYPE_CHECKING:
    from aurum.core.calendars import Block
    from aurum.core.curves.calendars import DeliveryCalendar
    from aurum.core.curves.seasons import SeasonFamily

_MONDAY, _SATURDAY = 1, 6  # ISO weekdays


class PeriodKind(StrEnum):
    """Kind of a delivery period."""

    DAY = "day"
    WEEKEND = "weekend"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    SEASON = "season"
    HALF = "half"
    YEAR = "year"
    """A calendar year, or another year of twelve whole months that a family of seasons names (a gas year)."""
    BOM = "bom"
    """The rest of a month after a trade date."""
    BOY = "boy"
    """The rest of a year."""
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Period:
    """A delivery period ``[first, end)`` in delivery days. ``label``: canonical, as ``Q1-25``, ``W03-25``, ``2025``."""

    label: str
    kind: PeriodKind
    first: date
    end: date


def parse_period(text: str, *, seasons: SeasonFamily | None, trade_date: date | None = None) -> Period:
    """Return the period that a label names, in any spelling of ``period_labels``.

    Its own label is the canonical one of its span (``name_period``). ``seasons``: the family of the product. With None a season
    is read by the families of the package, and refused when two of them read it differently. ``trade_date``: for ``BOM``,
    ``BOY``, ``DA`` and ``WE``. Raises ``InvalidPeriod``.

    >>> parse_period("Calendar 2026", seasons=None).label, parse_period("2025-w03", seasons=None).first
    ('2026', datetime.date(2025, 1, 13))
    """
    return _parsed(text, seasons, trade_date)


@lru_cache(maxsize=8192)
def _parsed(text: str, seasons: SeasonFamily | None, trade_date: date | None) -> Period:
    first, end = read_span(text, seasons, trade_date)
    return name_period(first, end, seasons=seasons, trade_date=trade_date)


def name_period(first: date, end: date, *, seasons: SeasonFamily | None, trade_date: date | None = None) -> Period:
    """Return the period of the delivery days ``[first, end)`` with the label and the kind of its span.

    The span alone decides: ``[2025-01-01, 2025-04-01)`` is the quarter ``Q1-25``, however it was written. Only the rest of a
    month or a year after ``trade_date`` takes its name from a trade date, and only if the span has no other name. ``seasons``:
    the family of the product; None: no season is named. A span without a name is ``2025-01-05..2025-01-09``. Raises
    ``InvalidPeriod`` for a span without a day.

    >>> name_period(date(2025, 10, 1), date(2026, 1, 1), seasons=None).label
    'Q4-25'
    """
    if first >= end:
        raise InvalidPeriod(f"{first}..{end}", "its end must be after its first day")
    named = _short(first, end) or _of_months(first, end, seasons)
    if named is None and trade_date is not None:
        named = _rest(first, end, trade_date)
    label, kind = named or (f"{first}..{end}", PeriodKind.CUSTOM)
    return Period(label, kind, first, end)


def period_document(period: Period, calendar: DeliveryCalendar, block: Block | None) -> dict[str, object]:
    """Return a period as answers show it: label, kind, start and end in UTC, and the hours of a block (None: all hours).

    Hours are a whole number where they are one.
    """
    from aurum.core.curves.calendars import hours  # polars: parsers of labels do without it

    start, end = calendar.bounds(period.first, period.end)
    count = hours(calendar, period.first, period.end, block)
    return {
        "label": period.label,
        "kind": str(period.kind),
        "start": _written(start),
        "end": _written(end),
        "hours": int(count) if count.is_integer() else count,
    }


def short_year(year: int) -> str:
    """Return a year as labels write it: two digits from 2000 to 2099, else four."""
    return f"{year % 100:02d}" if 2000 <= year <= 2099 else f"{year:04d}"


def _short(first: date, end: date) -> tuple[str, PeriodKind] | None:
    """Return the name of a day, a weekend or an ISO week."""
    weekday = first.isoweekday()
    match (end - first).days:
        case 1:
            return first.isoformat(), PeriodKind.DAY
        case 2 if weekday == _SATURDAY:
            return f"WE {first.day:02d}-{MONTHS[first.month - 1]}-{short_year(first.year)}", PeriodKind.WEEKEND
        case 7 if weekday == _MONDAY:
            iso = first.isocalendar()
            return f"W{iso.week:02d}-{short_year(iso.year)}", PeriodKind.WEEK
        case _:
            return None


def _of_months(first: date, end: date, seasons: SeasonFamily | None) -> tuple[str, PeriodKind] | None:
    """Return the name of a span of whole months."""
    if first.day != 1 or end.day != 1:
        return None
    months = (end.year - first.year) * 12 + end.month - first.month
    year = short_year(first.year)
    match months, first.month:
        case 1, month:
            return f"{MONTHS[month - 1]}-{year}", PeriodKind.MONTH
        case 3, 1 | 4 | 7 | 10:
            return f"Q{first.month // 3 + 1}-{year}", PeriodKind.QUARTER
        case 6, 1 | 7:
            return f"H{first.month // 6 + 1}-{year}", PeriodKind.HALF
        case 12, 1:
            return f"{first.year:04d}", PeriodKind.YEAR
        case _:
            pass
    season = seasons.of_span(first, end) if seasons is not None else None
    if season is None:
        return None
    return f"{season.name}-{year}", PeriodKind.YEAR if season.months == 12 else PeriodKind.SEASON


def _rest(first: date, end: date, trade_date: date) -> tuple[str, PeriodKind] | None:
    if (first, end) == rest_of_month(trade_date):
        return "BOM", PeriodKind.BOM
    if (first, end) == rest_of_year(trade_date):
        return "BOY", PeriodKind.BOY
    return None


def _written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
