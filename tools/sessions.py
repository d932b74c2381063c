"""Writes the sessions of exchanges, ``sessions.toml``, from the calendars of the library ``exchange_calendars``.

The library is not a dependency of the project. Run this again for more years or a corrected calendar, in an environment of its
own that has the library (``pip install exchange_calendars``, then ``python tools/sessions.py``), and read what it changed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "libs/core/src/aurum/core/curves/sessions.toml"
FIRST, LAST = date(2000, 1, 1), date(2035, 12, 31)
_SATURDAY = 6
_BEGINNING = """\
# Sessions of exchanges, written by tools/sessions.py from exchange_calendars {version} (Apache License 2.0).
# Sessions are the days from Monday to Friday that are not listed under `closed`: month-day, by year.
# The days of later years follow the rules of today; closures that an exchange decides by itself are not known beforehand.
"""

_TITLES = {
    "XEEE": "European Energy Exchange (EEX): trading days",
    "IEPA": "ICE Futures US: trading days",
    "CMES": "CME Globex: trading days, those on which its markets close early included",
    "XLON": "London Stock Exchange: business days of London",
}
_NYMEX = "NYMEX: days with settlements"
_NYMEX_CLOSED = {date(2001, 9, day) for day in (11, 12, 13)} | {date(2004, 6, 11), date(2007, 1, 2)}
"""The attack on New York, and the mournings of two presidents; on those of 2018 and 2025 energy was traded and settled."""


def main() -> None:
    """Write the file."""
    library = importlib.import_module("exchange_calendars")
    calendars = [(name, title, _closed(library, name)) for name, title in _TITLES.items()]
    # On holidays of US exchanges CME Globex trades for some hours, and those trades settle on the next day.
    calendars.append(("NYMEX", _NYMEX, _us_holidays(library) | _NYMEX_CLOSED))
    tables = [_table(name, title, sorted(closed)) for name, title, closed in calendars]
    PAGE.write_text("\n".join([_BEGINNING.format(version=library.__version__), *tables]), encoding="utf-8")


def _closed(library: Any, name: str) -> set[date]:
    calendar = library.get_calendar(name, start=FIRST.isoformat(), end=LAST.isoformat())
    sessions = {session.date() for session in calendar.sessions}
    assert all(day.isoweekday() < _SATURDAY for day in sessions), name
    return {day for day in _weekdays() if day not in sessions}


def _us_holidays(library: Any) -> set[date]:
    """Return the holidays that the New York Stock Exchange has by rule, without its closures for other causes."""
    regular = library.get_calendar("XNYS").regular_holidays.holidays(FIRST.isoformat(), LAST.isoformat())
    return {day.date() for day in regular if day.isoweekday() < _SATURDAY}


def _weekdays() -> Iterator[date]:
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return (day for day in days if day.isoweekday() < _SATURDAY)


def _table(name: str, title: str, closed: list[date]) -> str:
    years = [
        f'{year} = "{" ".join(f"{day:%m-%d}" for day in days)}"' for year, days in groupby(closed, key=lambda day: day.year)
    ]
    head = ["[[calendar]]", f'name = "{name}"', f'title = "{title}"', f'first = "{FIRST}"', f'last = "{LAST}"']
    return "\n".join([*head, "[calendar.closed]", *years, ""])


if __name__ == "__main__":
    main()
