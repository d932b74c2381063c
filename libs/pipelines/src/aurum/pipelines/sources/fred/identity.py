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
from aurum.pipelines.weeks import WEEKDAYS as NAMES

_WORD = re.compile(r"[A-Z0-9]+")
_ID = re.compile(r"(?=[A-Z0-9_]*[A-Z])[A-Z0-9][A-Z0-9_]*[A-Z0-9]")
_GAPS = {
    Frequency.DAY: (1, 5),
    Frequency.WEEK: (6, 8),
    Frequency.MONTH: (28, 31),
    Frequency.QUARTER: (89, 92),
    Frequency.YEAR: (365, 366),
}
"""Usual distance in days between the dates of a series: up to five for a daily one, over a long weekend."""

_WORDS = {
    Frequency.DAY: "day",
    Frequency.WEEK: "week",
    Frequency.MONTH: "month",
    Frequency.QUARTER: "quarter",
    Frequency.YEAR: "year",
}


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
    """Return why dates are not at the step, or on the weekday, of a known series; empty where they are, or cannot tell."""
    facts, gap = KNOWN.get(series), usual_gap(dates)
    frequency = facts.frequency if facts is not None else Frequency.WEEK if series in WEEKS else None
    if frequency is None or gap is None:
        return ""
    low, high = _GAPS[frequency]
    if low <= gap <= high:
        return _weekday_problem(series, dates)
    spacing = next((f"1 {word}" for step, word in _WORDS.items() if _GAPS[step][0] <= gap <= _GAPS[step][1]), f"{gap} days")
    return (
        f"{series} is at another step: spacing {spacing}, the dataset's is 1 {_WORDS[frequency]}; an aggregate, which "
        "FRED's download does not name, is not the series"
    )


def _weekday_problem(series: str, dates: Sequence[str]) -> str:
    due, listed = WEEKDAYS.get(series), days(dates)
    other = [day for day in listed if day.weekday() != due]
    if due is None or 2 * len(other) <= len(listed):
        return ""
    return f"{series} is stamped on a {NAMES[due]}, and {other[0]} is a {NAMES[other[0].weekday()]}: these are not its weeks"
