"""Looks at sampled rows of a delimited file, by which its format is recognised: header words, cells, steps between stamps.

A header is not enough where a publisher's neighbouring feed has the same one: hourly and five-minute prices, daily and monthly
prices, rates on another base.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median_low

from aurum.pipelines.reading.dates import FIRST_YEAR, LAST_YEAR
from aurum.pipelines.source import SourceFile
from aurum.pipelines.spacing import LONG_WEEKEND

_DAYS_OF_WEEK = 7
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
_PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CLOCK = re.compile(r"\d[T ](\d{1,2}):(\d\d)(?::(\d\d))?")
_ISO_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?(?:[T ]|$)")
_PLAIN_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)$")
_US_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a delimited file, as text. ``header``: the stripped words of its header line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column that are not empty; none when no column has that name."""
        if name not in self.header:
            return []
        place = self.header.index(name)
        return [cell for row in self.rows if len(row) > place and (cell := row[place].strip())]


def header_of(document: SourceFile, *, header_line: int = 1) -> tuple[str, ...]:
    """Return the stripped words of a line of the head; empty when the head is shorter."""
    lines = document.head_lines(header_line)
    return _cells(lines[-1]) if len(lines) == header_line else ()


def sample_of(document: SourceFile, *, header_line: int = 1) -> Sample:
    """Return header and rows from the beginning, the middle and the end of a file."""
    lines = document.sampled_lines[header_line:]
    return Sample(header_of(document, header_line=header_line), tuple(_cells(line) for line in lines if line.strip()))


def _cells(line: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line]), list[str]()))
    except csv.Error:
        return ()


def is_within_hours(stamps: Iterable[str]) -> bool | None:
    """Return whether most of the different stamps are off the whole hour; None where as many are on it, or none has a time."""
    clocks = [match for stamp in set(stamps) if (match := _CLOCK.search(stamp)) is not None]
    off = sum(1 for match in clocks if int(match[2]) or int(match[3] or 0))
    return None if off * 2 == len(clocks) else off * 2 > len(clocks)


def days(texts: Iterable[str]) -> list[date]:
    """Return the days of ``YYYY-MM-DD``, ``YYYYMMDD``, ``M/D/YYYY``, else of months ``YYYY-MM``, in order, each once.

    Other texts are left out.
    """
    read = {day for text in texts if (day := _day(text)) is not None}
    whole = sorted(day for day, is_month in read if not is_month)
    return whole or sorted(day for day, _ in read)


def _day(text: str) -> tuple[date, bool] | None:
    """Return a day, and whether the text is a month; None where it is neither."""
    iso, american = _ISO_DAY.match(text) or _PLAIN_DAY.match(text), _US_DAY.match(text)
    try:
        if iso is not None:
            day, is_month = date(int(iso[1]), int(iso[2]), int(iso[3] or 1)), iso[3] is None
        elif american is not None:
            day, is_month = date(int(american[3]), int(american[1]), int(american[2])), False
        else:
            return None
    except ValueError:
        return None  # no such day: the parser holds the row back
    return (day, is_month) if FIRST_YEAR <= day.year <= LAST_YEAR else None


def usual_gap(texts: Iterable[str]) -> int | None:
    """Return the median distance between neighbouring days, in days; None for fewer than two."""
    gaps = [(after - before).days for before, after in pairwise(days(texts))]
    return median_low(gaps) if gaps else None


def minutes_apart(stamps: Iterable[str]) -> int | None:
    """Return the usual distance of clock times within their hours, in minutes; None for fewer than two different minutes."""
    minutes = sorted({int(match[2]) for stamp in stamps if (match := _CLOCK.search(stamp)) is not None})
    gaps = [after - before for before, after in pairwise(minutes)]
    return median_low(gaps) if gaps else None


def is_daily(texts: Iterable[str]) -> bool:
    """Return whether days may be those of a daily table: up to five apart, over a long weekend, or too few to tell."""
    gap = usual_gap(texts)
    return gap is None or gap <= LONG_WEEKEND


def is_weekly(texts: Iterable[str], weekday: int) -> bool:
    """Return whether days may be those of a weekly table: whole weeks apart, most of them on one day (Monday is 0)."""
    texts = list(texts)
    listed, gap = days(texts), usual_gap(texts)
    own = sum(1 for day in listed if day.weekday() == weekday)
    return (gap is None or gap % _DAYS_OF_WEEK == 0) and own * 2 >= len(listed)


def numbers_of(cells: Iterable[str]) -> list[float]:
    """Return the plain numbers among cells; other cells are left out, because the parser judges them."""
    return [float(cell) for cell in cells if _PLAIN_NUMBER.fullmatch(cell)]


def numeric_share(cells: Sequence[str]) -> float:
    """Return the share of cells that are numbers, 0 without any: most ids of a column being numbers, it may hold values."""
    return sum(1 for cell in cells if _NUMBER.fullmatch(cell)) / len(cells) if cells else 0.0


def named_words(name: str, words: Sequence[str]) -> list[str]:
    """Return those words, of letters, digits and underscores, that stand by themselves in a file name, whatever their case.

    Of two words at one place the longer one counts: ``rt_fivemin_hrl_lmps`` is not ``hrl_lmps``.
    """
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    matches = re.findall(rf"(?<![a-z])(?:{alternatives})(?![a-z])", name, re.IGNORECASE)
    return list(dict.fromkeys(match.lower() for match in matches))
