"""Parsing of the labels of delivery periods: the canonical ones and the common spellings of exchanges and brokers.

=========  ===========================================================================================
kind       spellings (case and blanks do not matter; separators are a blank, ``-``, ``_``, ``/``, ``.``, ``'`` or nothing)
=========  ===========================================================================================
day        ``2025-01-15``, ``20250115``, ``15-Jan-25``; ``DA``: the day after the trade date
weekend    ``WE 18-Jan-25``, ``Weekend 2025-01-18``; ``WE``: the first one after the trade date
week       ``W03-25``, ``Week 3 2025``, ``2025-W03``: ISO weeks, of the ISO year
month      ``Jan-25``, ``January 2025``, ``2025-01``, ``2025 Jan``
quarter    ``Q1-25``, ``1Q25``, ``2025Q1``
half       ``H1-25``, ``1H25``, ``2025H1``
season     ``Sum-26``, ``Summer 2026``, ``Win-25``, ``Winter 2025/26``: by the family of the product
year       ``2025``, ``Cal-25``, ``Calendar 2026``
rest       ``BOM``, ``BalMo``, ``BOY``, ``Balance of Year``: of a trade date
any        ``2025-01-01..2025-04-01``: first day and end, which is not included
=========  ===========================================================================================

A year of two digits lies in 2000 to 2099. The year of a season is that of its first month.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from aurum.core.curves.seasons import Season, SeasonFamily, default_season_families
from aurum.core.errors import Invalid

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""The names of months in labels."""


Span = tuple[date, date]
"""First delivery day and end, which is not included."""

FORMS = "Jan-25, 2025-01, Q1-25, H1-25, Sum-26, Win-25, 2025, W03-25, WE 18-Jan-25, 2025-01-15, 2025-01-05..2025-01-09 or BOM"
"""Examples of labels, for messages."""
YEARS = range(1970, 2200)
"""The years that a label may name."""

_DAY = timedelta(days=1)
_SATURDAY = 6
_LONGEST = 64
_OTHER_YEARS = f"its years must lie in {YEARS[0]} to {YEARS[-1]}"

_SEP = r" ?[-_/.']? ?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_LONG_YEAR = r"(?P<year>[0-9]{4})"
_NAMES = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"
    rf"|[0-9]{{1,2}}{_SEP}{_NAMES.replace('?P<month>', '?:')}{_SEP}(?:[0-9]{{4}}|[0-9]{{2}}))"
)
_DAY_OF_MONTH = re.compile(rf"(?P<day>[0-9]{{1,2}}){_SEP}{_NAMES}{_SEP}{_YEAR}")
_SEASON_LABEL = re.compile(rf"(?P<name>[a-z][a-z0-9 _-]*?){_SEP}{_YEAR}(?:[/-](?P<next>[0-9]{{4}}|[0-9]{{2}}))?")
_SEASON_AFTER_YEAR = re.compile(rf"{_LONG_YEAR}{_SEP}(?P<name>[a-z][a-z0-9 _-]*)(?P<next>)")


class InvalidPeriod(Invalid):
    """A text that names no period, or two different ones. Facts: ``period``."""

    def __init__(self, period: str, why: str) -> None:
        super().__init__(f"period {period!r}: {why}", period=period)


def rest_of_month(trade_date: date) -> tuple[date, date]:
    """Return the delivery days of BOM: from the day after the trade date to the end of its month.

    On the first day of a month it is that month; on the last day it has no day, and first day and end are equal.
    """
    first = trade_date if trade_date.day == 1 else trade_date + _DAY
    return first, add_months(trade_date.replace(day=1), 1)


def rest_of_year(trade_date: date) -> tuple[date, date]:
    """Return the delivery days of BOY: from the day after the trade date to the end of its year.

    On the first day of a year it is that year; on the last day it has no day, and first day and end are equal.
    """
    first = trade_date if (trade_date.month, trade_date.day) == (1, 1) else trade_date + _DAY
    return first, date(trade_date.year + 1, 1, 1)


def add_months(first: date, months: int) -> date:
    """Return the first day of the month that lies some months after the month of a first day."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def read_span(text: str, seasons: SeasonFamily | None, trade_date: date | None) -> Span:
    """Return first delivery day and end of the period that a label names; arguments as of ``periods.parse_period``.

    Raises ``InvalidPeriod``.
    """
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    try:
        if len(text) > _LONGEST:
            raise _Refused(f"write {FORMS}")
        first, end = _span(" ".join(text.casefold().translate(_DASHES).split()), seasons, trade_date)
        if not (first.year in YEARS and (end - _DAY).year in YEARS):
            raise _Refused(_OTHER_YEARS)
    except _Refused as error:
        raise InvalidPeriod(shown, str(error)) from None
    except (ValueError, OverflowError):
        raise InvalidPeriod(shown, _OTHER_YEARS) from None
    return first, end


_DASHES = {ord("–"): "-", ord("—"): "-", ord("’"): "'"}


class _Refused(Exception):
    """The reason why a label is refused."""


def _span(text: str, seasons: SeasonFamily | None, trade_date: date | None) -> Span:
    if relative := _RELATIVE.get(text):
        if trade_date is None:
            raise _Refused("needs a trade date")
        first, end = relative(trade_date)
        if first >= end:
            rest = "month" if relative is rest_of_month else "year"
            raise _Refused(f"nothing of the {rest} is left after {trade_date}")
        return first, end
    for pattern, read in _PATTERNS:
        if match := pattern.fullmatch(text):
            return read(match)
    return _season(text, seasons)


def _next_day(trade_date: date) -> Span:
    return trade_date + _DAY, trade_date + 2 * _DAY


def _next_weekend(trade_date: date) -> Span:
    saturday = trade_date + ((_SATURDAY - trade_date.isoweekday() - 1) % 7 + 1) * _DAY
    return saturday, saturday + 2 * _DAY


_RELATIVE: dict[str, Callable[[date], Span]] = {
    "bom": rest_of_month,
    "balmo": rest_of_month,
    "bal month": rest_of_month,
    "balance of month": rest_of_month,
    "boy": rest_of_year,
    "bal year": rest_of_year,
    "balance of year": rest_of_year,
    "da": _next_day,
    "day ahead": _next_day,
    "day-ahead": _next_day,
    "we": _next_weekend,
    "weekend": _next_weekend,
}


def _year_of(digits: str) -> int:
    return int(digits) + 2000 if len(digits) == 2 else int(digits)


def _months(year: int, month: int, count: int) -> Span:
    if year not in YEARS:
        raise _Refused(_OTHER_YEARS)
    first = date(year, month, 1)
    return first, add_months(first, count)


def _month(match: re.Match[str]) -> Span:
    return _months(_year_of(match["year"]), _month_number(match["month"]), 1)


def _month_number(name: str) -> int:
    if name.isdigit():
        if not 1 <= int(name) <= 12:
            raise _Refused(f"a year has months 01 to 12, not {name}")
        return int(name)
    return MONTHS.index(name[:3].capitalize()) + 1


def _quarter(match: re.Match[str]) -> Span:
    number = _part(match["part"], 4, "quarters")
    return _months(_year_of(match["year"]), 3 * number - 2, 3)


def _half(match: re.Match[str]) -> Span:
    number = _part(match["part"], 2, "halves")
    return _months(_year_of(match["year"]), 6 * number - 5, 6)


def _part(digit: str, last: int, parts: str) -> int:
    if not 1 <= int(digit) <= last:
        raise _Refused(f"a year has {parts} 1 to {last}, not {digit}")
    return int(digit)


def _calendar_year(match: re.Match[str]) -> Span:
    return _months(_year_of(match["year"]), 1, 12)


def _week(match: re.Match[str]) -> Span:
    year, week = _year_of(match["year"]), int(match["week"])
    weeks = date(year, 12, 28).isocalendar().week
    if not 1 <= week <= weeks:
        raise _Refused(f"{year} has the ISO weeks 1 to {weeks}, not {week}")
    monday = date.fromisocalendar(year, week, 1)
    return monday, monday + 7 * _DAY


def _season_or_week(_: re.Match[str]) -> Span:
    raise _Refused("a letter alone may be a week or a season: write W03-25, Sum-26 or Win-25")


def _one_day(match: re.Match[str]) -> Span:
    day = _date(match["date"])
    return day, day + _DAY


def _weekend(match: re.Match[str]) -> Span:
    day = _date(match["date"])
    if day.isoweekday() != _SATURDAY:
        raise _Refused(f"a weekend is named by its Saturday, and {day} is a {day:%A}")
    return day, day + 2 * _DAY


def _custom(match: re.Match[str]) -> Span:
    first, end = _date(match["first"]), _date(match["end"])
    if first >= end:
        raise _Refused("its end, which is not included, must be after its first day")
    return first, end


def _date(text: str) -> date:
    if text[:4].isdigit():
        year, month, day = int(text[:4]), int(text[4:].replace("-", "")[:2]), int(text[-2:])
    else:
        match = _DAY_OF_MONTH.fullmatch(text)
        assert match is not None, text
        year, month, day = _year_of(match["year"]), _month_number(match["month"]), int(match["day"])
    try:
        return date(year, month, day)
    except ValueError:
        raise _Refused(f"no calendar has the day {year:04d}-{month:02d}-{day:02d}") from None


def _season(text: str, seasons: SeasonFamily | None) -> Span:
    match = _SEASON_LABEL.fullmatch(text) or _SEASON_AFTER_YEAR.fullmatch(text)
    if match is None:
        raise _Refused(f"write {FORMS}")
    families = default_season_families() if seasons is None else (seasons,)
    readings = {family.name: season for family in families if (season := family.season(match["name"])) is not None}
    if not readings:
        raise _Refused(_no_season(match["name"], seasons))
    year = _year_of(match["year"])
    spans = {name: _season_span(season, year, match["next"]) for name, season in readings.items()}
    if len(set(spans.values())) > 1:
        read = ", ".join(f"{first}..{end} ({name})" for name, (first, end) in spans.items())
        raise _Refused(f"families of seasons read it differently: {read}; name the family or the days")
    return next(iter(spans.values()))


def _season_span(season: Season, year: int, following: str | None) -> Span:
    if following:
        if not season.crosses_years:
            raise _Refused(f"{season.name} lies in one year")
        if _year_of(following) != year + 1:
            raise _Refused(f"{season.name} of {year} ends in {year + 1}, not {_year_of(following)}")
    if year not in YEARS:
        raise _Refused(_OTHER_YEARS)
    return season.span(year)


def _no_season(name: str, seasons: SeasonFamily | None) -> str:
    if seasons is None or not _is_season(name):
        return f"write {FORMS}"
    known = ", ".join(season.name for season in seasons.seasons)
    return f"the family {seasons.name} does not have the season {name.strip()!r} (it has {known})"


def _is_season(name: str) -> bool:
    """Return whether a family of the package has a season of a name."""
    return any(family.season(name) is not None for family in default_season_families())


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Span]], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (rf"{_NAMES}{_SEP}{_YEAR}", _month),
        (rf"{_LONG_YEAR}{_SEP}{_NAMES}", _month),
        (rf"{_LONG_YEAR}[-/](?P<month>[0-9]{{2}})", _month),
        (rf"q(?P<part>[0-9]){_SEP}{_YEAR}", _quarter),
        (rf"(?P<part>[0-9]) ?q{_SEP}{_YEAR}", _quarter),
        (rf"{_LONG_YEAR}{_SEP}q(?P<part>[0-9])", _quarter),
        (rf"h(?P<part>[0-9]){_SEP}{_YEAR}", _half),
        (rf"(?P<part>[0-9]) ?h{_SEP}{_YEAR}", _half),
        (rf"{_LONG_YEAR}{_SEP}h(?P<part>[0-9])", _half),
        (_LONG_YEAR, _calendar_year),
        (rf"(?:cal|calendar|year|yr|cy){_SEP}{_YEAR}", _calendar_year),
        (rf"(?:w|wk|week) ?(?P<week>[0-9]{{1,2}})(?: ?[-_/.'] ?| ){_YEAR}", _week),
        (rf"{_LONG_YEAR}{_SEP}(?:w|wk|week) ?(?P<week>[0-9]{{1,2}})", _week),
        (rf"(?P<date>{_DATE})", _one_day),
        (rf"(?:we|wkend|wknd|weekend)(?: ?- ?| ?)(?P<date>{_DATE})", _weekend),  # words: abbreviation of weekend
        (r"[ws] ?[-_/'.]? ?(?:[0-9]{2}|[0-9]{4})", _season_or_week),
        (rf"(?P<first>{_DATE}) ?\.\. ?(?P<end>{_DATE})", _custom),
    )
)
