"""Sessions: the days on which a venue publishes quotes. Apart from delivery calendars: gas delivers on Sundays."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import cast

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.documents import Document
from aurum.core.errors import Invalid, UnknownName
from aurum.core.names import nearest

_FRIDAY = 5
_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-[0-3][0-9]", re.ASCII)


class SessionsUnknown(Invalid):
    """Days that a calendar of sessions does not cover. Facts: ``calendar``, ``first``, ``last``."""


@dataclass(frozen=True, slots=True)
class SessionCalendar:
    """The sessions of a venue from ``first`` to ``last``, both included: Monday to Friday without the days ``closed``."""

    name: str
    title: str
    first: date
    last: date
    closed: tuple[date, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> SessionCalendar:
        """Return the calendar that a JSON or TOML document describes.

        Required: ``name``, ``title``, ``first`` and ``last`` ("2000-01-01"), ``closed``: days from Monday to Friday without a
        session, by year: ``{"2025": "01-01 04-18 04-21"}``. Raises ``InvalidDocument``.
        """
        read = Document("session calendar", document, cls.__dataclass_fields__)
        first, last = read.day("first"), read.day("last")
        if first > last:
            raise read.refused("last", f"must not be before first ({first})", str(last))
        closed = tuple(sorted({day for year, days in _years(read) for day in _closed(read, year, days)}))
        outside = next((day for day in closed if not first <= day <= last), None)
        if outside is not None:
            raise read.refused("closed", f"must lie in {first} to {last}", str(outside))
        return cls(read.word("name"), read.text("title"), first, last, closed)

    def to_document(self) -> dict[str, object]:
        """Return the calendar as JSON-representable values, which ``from_document`` reads back to an equal calendar."""
        by_year: dict[str, list[str]] = {}
        for day in self.closed:
            by_year.setdefault(str(day.year), []).append(f"{day:%m-%d}")
        return {
            "name": self.name,
            "title": self.title,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "closed": {year: " ".join(days) for year, days in by_year.items()},
        }


@cache
def default_session_calendars() -> tuple[SessionCalendar, ...]:
    """Return the calendars of ``sessions.toml``, in its order: 2000 to 2035."""
    text = files("aurum.core.curves").joinpath("sessions.toml").read_text(encoding="utf-8")
    return tuple(SessionCalendar.from_document(table) for table in tomllib.loads(text)["calendar"])


def parse_session_calendar(name: str, calendars: Iterable[SessionCalendar] | None = None) -> SessionCalendar:
    """Return the calendar of a name. ``calendars``: where to look; the first of a name wins; by default the package's.

    Raises ``UnknownName`` with the nearest names.
    """
    calendars = default_session_calendars() if calendars is None else tuple(calendars)
    for calendar in calendars:
        if calendar.name == name:
            return calendar
    names = tuple(dict.fromkeys(calendar.name for calendar in calendars))
    raise UnknownName("session calendar", name, nearest(name, names) or names)


def sessions_of(calendar: str | SessionCalendar, first: date, end: date) -> tuple[date, ...]:
    """Return the sessions in the days ``[first, end)``, ascending. ``calendar``: or the name of one of the package.

    Raises ``SessionsUnknown`` for days that the calendar does not cover, ``UnknownName`` for a name.

    >>> sessions_of("XEEE", date(2021, 12, 30), date(2022, 1, 4))
    (datetime.date(2021, 12, 30), datetime.date(2022, 1, 3))
    """
    if first >= end:
        return ()
    known = _calendar(calendar)
    days: NDArray[np.datetime64] = np.datetime64(first, "D") + np.arange((end - first).days)
    _refuse_outside(known, first, date.fromordinal(end.toordinal() - 1))
    return tuple(cast("list[date]", days[np.is_busday(days, busdaycal=_busdays(known))].tolist()))


def is_session(calendar: str | SessionCalendar, day: date) -> bool:
    """Return whether a day is a session. Raises as ``sessions_of``."""
    known = _calendar(calendar)
    _refuse_outside(known, day, day)
    return bool(np.is_busday(np.datetime64(day, "D"), busdaycal=_busdays(known)))


def session_before(calendar: str | SessionCalendar, day: date, count: int = 1) -> date:
    """Return the session that is ``count`` sessions before a day, which need not be a session. Raises as ``sessions_of``.

    >>> session_before("XEEE", date(2025, 4, 22), 2)
    datetime.date(2025, 4, 16)
    """
    known = _calendar(calendar)
    _refuse_outside(known, day, day)
    at = np.datetime64(day, "D")
    session = cast("date", np.busday_offset(at, -count, "forward", busdaycal=_busdays(known)).item())
    _refuse_outside(known, session, session)
    return session


def with_sessions(calendar: SessionCalendar, days: Collection[date]) -> SessionCalendar:
    """Return a calendar in which some days that it calls closed are sessions; it is the same one where there are none."""
    closed = tuple(day for day in calendar.closed if day not in days) if days else calendar.closed
    return calendar if len(closed) == len(calendar.closed) else replace(calendar, closed=closed)


def _calendar(calendar: str | SessionCalendar) -> SessionCalendar:
    return parse_session_calendar(calendar) if isinstance(calendar, str) else calendar


@lru_cache(maxsize=64)
def _busdays(calendar: SessionCalendar) -> np.busdaycalendar:
    closed: NDArray[np.datetime64] = np.array(calendar.closed, dtype="datetime64[D]")
    return np.busdaycalendar(weekmask="Mon Tue Wed Thu Fri", holidays=closed)


def _refuse_outside(calendar: SessionCalendar, first: date, last: date) -> None:
    if first < calendar.first or last > calendar.last:
        raise SessionsUnknown(
            f"the sessions of {calendar.name} are known from {calendar.first} to {calendar.last}, not from {first} to {last}",
            calendar=calendar.name,
            first=str(calendar.first),
            last=str(calendar.last),
        )


def _years(read: Document) -> Iterable[tuple[str, str]]:
    years = cast("dict[object, object]", read.required("closed", dict))
    for year, days in years.items():
        if not isinstance(year, str) or not isinstance(days, str) or not re.fullmatch(r"[0-9]{4}", year, re.ASCII):
            raise read.refused("closed", 'must be texts of month-day by year, such as {"2025": "01-01 04-18"}', {year: days})
        yield year, days


def _closed(read: Document, year: str, days: str) -> Iterable[date]:
    for day in days.split():
        yield _weekday(read, year, day)


def _weekday(read: Document, year: str, day: str) -> date:
    try:
        read_day = date.fromisoformat(f"{year}-{day}") if _MONTH_DAY.fullmatch(day) else None
    except ValueError:
        read_day = None
    if read_day is None or read_day.isoweekday() > _FRIDAY:
        raise read.refused("closed", "must be days from Monday to Friday", f"{year}-{day}")
    return read_day
