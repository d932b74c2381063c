"""Tells which series a file of FRED is of: by its name, and by the step and the weekday of its dates.

FRED aggregates a series on request: monthly means of ``DHHNGSP`` come under the same id as its days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from aurum.core.frequency import Frequency
from aurum.pipelines.sampling import days, usual_gap
from aurum.pipelines.sources.fred.datasets import IDS, KNOWN, WEEKDAYS, WEEKS
from aurum.pipelines.spacing import DAYS, LONG_WEEKEND, WORDS
from aurum.pipelines.weeks import day_name

_WORD = re.compile(r"[A-Z0-9]+")
_ID = re.compile(r"(?=[A-Z0-9_]*[A-Z])[A-Z0-9][A-Z0-9_]*[A-Z0-9]")
_GAPS = {**DAYS, Frequency.DAY: (1, LONG_WEEKEND)}
"""Usual distance in days between the dates of a series, by step."""


def series_in_name(name: str) -> tuple[str, ...]:
    """Return the ids of series that a file name holds: those that are known, else the one in capitals beside words and dates.

    >>> series_in_name("fred_CPIAUCSL_2025.json"), series_in_name("XNEW.csv"), series_in_name("load_export.csv")
    (('CPIAUCSL',), ('XNEW',), ())
    """
    stem = PurePath(name).stem
    words = _WORD.findall(re.sub(r"[A-Za-z]*[a-z][A-Za-z]*", " ", stem))
    known = tuple(dict.fromkeys(word for word in words if word in IDS))
    if known:
        return known
    # An id may hold underscores; a date or a year at its side is none of it.
    rest = re.sub(r"(?<![A-Z0-9])\d+(?![A-Z0-9])", " ", re.sub(r"[A-Za-z]*[a-z][A-Za-z]*", " ", stem))
    return tuple(dict.fromkeys(match.strip("_") for match in _ID.findall(rest)))


def step_problem(series: str, dates: Sequence[str]) -> str:
    """Return why dates are not at the step, or on the weekday, of a known series.

    Empty where they are, where the series is unknown, and where they are too few.
    """
    facts, gap = KNOWN.get(series), usual_gap(dates)
    frequency = facts.frequency if facts is not None else Frequency.WEEK if series in WEEKS else None
    if frequency is None or gap is None:
        return ""
    low, high = _GAPS[frequency]
    if low <= gap <= high:
        return _weekday_problem(series, dates)
    spacing = next((WORDS[step] for step, (low, high) in _GAPS.items() if low <= gap <= high), f"{gap} days")
    return (
        f"{series} is at another step: spacing {spacing}, the dataset's is {WORDS[frequency]}; an aggregate, which "
        "FRED's download does not name, is not the series"
    )


def _weekday_problem(series: str, dates: Sequence[str]) -> str:
    expected, stamps = WEEKDAYS.get(series), days(dates)
    others = [day for day in stamps if day.weekday() != expected]
    if expected is None or 2 * len(others) <= len(stamps):
        return ""
    return (
        f"{series} is stamped on a {day_name(expected)}, and {others[0]} is a {day_name(others[0].weekday())}: "
        "these are not its weeks"
    )
