"""Ticks of axes: instants of a local clock with short labels, and round numbers.

An axis of time is one of elapsed time: a local day on which clocks change is an hour shorter or longer on it, and an hour that
comes twice has the abbreviation of its time below it. The ends of an axis of numbers depend on the numbers alone: a smaller
picture has fewer labels on the same axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_HOURS = (1, 2, 3, 6, 12)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 3, 6)
_YEARS = (1, 2, 5, 10, 20, 50)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_S = 86_400.0
_NO_DECIMALS = 10_000
"""Changes from which on decimals tell nothing."""
_ROUND = (1.0, 2.0, 2.5, 5.0)
_MARGIN = 0.07
"""Share of a range of numbers that an axis has beyond either end, unless it ends at zero."""
_ABBREVIATED = 3
"""Hours between labels up to which an hour that comes twice is labelled."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis of time. ``at``: seconds since 1970-01-01 UTC. ``below``: a second line, such as the year."""

    at: float
    label: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis of numbers from ``low`` to ``high``. ``ticks``: the round numbers between that it labels, at least two."""

    low: float
    high: float
    ticks: Sequence[float]


def time_ticks(start: float, end: float, zone: str, *, most: int, days: Collection[float] | None = None) -> Sequence[Tick]:
    """Return at most about ``most`` ticks of a span, in seconds since 1970-01-01 UTC.

    ``days``: instants of the days of a chart that knows no hours. In a span of some weeks each of them has a tick where all
    fit; else some of them have, or Mondays. None: the chart knows hours.
    """
    clock = ZoneInfo(zone)
    span = end - start
    for hours in _HOURS if days is None else ():
        if span / (hours * 3_600) <= most:
            return _hour_ticks(start, end, clock, hours, apart=0.6 * span / most)
    first, last = _day_of(start, clock), _day_of(end, clock)
    for step in _DAYS:
        if span / (step * _DAY_S) <= most:
            return _day_ticks(start, end, clock, step, days, apart=span / most)
    for months in _MONTHS:
        if span / (months * 30.4 * _DAY_S) <= most:
            return list(_named(_months(first, last, months), start, end, clock, _month_name))
    years = next((one for one in _YEARS if span / (one * 365.25 * _DAY_S) <= most), _YEARS[-1])
    days_of_years = (date(year, 1, 1) for year in range(first.year, last.year + 1) if year % years == 0)
    return [Tick(at, str(day.year)) for day in days_of_years if start <= (at := _midnight(day, clock)) <= end]


def instant_text(at: float, zone: str, *, is_day: bool) -> str:
    """Return an instant as words on a chart have it: its day, or its day and time.

    >>> instant_text(1_735_686_000.0, "Europe/Berlin", is_day=True), instant_text(1_735_686_000.0, "UTC", is_day=False)
    ('1 Jan 2025', '31 Dec 2024 23:00')
    """
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    return f"{_day_name(local.date())} {local.year}{'' if is_day else f' {local:%H:%M}'}"


def bucket_edges(bucket: str, start: float, end: float, clock: ZoneInfo) -> Sequence[float]:
    """Return the edges of the hours, days, weeks from Monday or months that cover a span; ``start`` and ``end`` as of ticks.

    ``bucket``: ``hour``, ``day``, ``week`` or ``month``.
    """
    if bucket == "hour":
        return [float(at) for at in range(int(start // 3_600) * 3_600, int(end) + 3_600 + 1, 3_600)]
    first, last = _day_of(start, clock), _day_of(end, clock) + timedelta(days=31)
    days = _months(first, last, 1) if bucket == "month" else _days(first, last, 7 if bucket == "week" else 1)
    edges = [_midnight(day, clock) for day in days]
    return edges[: next(place for place, at in enumerate(edges) if at > end) + 1]


def number_scale(low: float, high: float, *, most: int) -> Scale:
    """Return the axis of a range, with the most round numbers up to ``most``, three or more."""
    margin = (high - low) * _MARGIN if high > low else abs(low) * _MARGIN or 1.0
    low, high = (low - margin if low or high <= low else low), (high + margin if high or high <= low else high)
    magnitude = 10.0 ** math.floor(math.log10((high - low) / most))
    # From coarse to fine, so that the last with few enough is the finest. Of three steps in a row one fits.
    steps = [factor * power * magnitude for power in (10, 1) for factor in reversed(_ROUND)]
    ticks: Sequence[float] = ()
    for step in steps:
        places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        if len(places) > most and len(ticks) > 1:
            break
        ticks = [place * step for place in places]
    return Scale(low, high, ticks)


def number_labels(ticks: Sequence[float]) -> Sequence[str]:
    """Return the labels of numbers, with the decimals that their step needs."""
    step = ticks[1] - ticks[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    return [f"{one if abs(one) > step / 1e6 else 0.0:,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for one in ticks]


def change_labels(values: Sequence[float]) -> Sequence[str]:
    """Return the labels of changes with their signs, all with the decimals that tell the largest of them.

    >>> change_labels([-0.0123, 0.002]), change_labels([12.5, -1.0]), change_labels([120000.0])
    (['−0.012', '+0.002'], ['+12.50', '−1.00'], ['+120,000'])
    """
    largest = max(map(abs, values), default=0.0)
    decimals = 0 if largest >= _NO_DECIMALS else max(2, 1 - math.floor(math.log10(largest))) if largest > 0 else 2
    return [f"{round(one, decimals) or 0.0:+,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for one in values]


def _day_name(day: date) -> str:
    return f"{day.day} {_MONTH_NAMES[day.month - 1]}"


def _month_name(day: date) -> str:
    return _MONTH_NAMES[day.month - 1]


def _hour_ticks(start: float, end: float, clock: ZoneInfo, step: int, *, apart: float) -> Sequence[Tick]:
    """Return ticks of hours. ``apart``: seconds from an hour that comes the second time within which others have no label."""
    # Every quarter of an hour: some clocks are not whole hours from UTC.
    quarters = range(math.ceil(start / 900) * 900, math.floor(end) + 1, 900)
    locals_ = [(at, datetime.fromtimestamp(at, UTC).astimezone(clock)) for at in quarters]
    hours = [(at, local) for at, local in locals_ if local.minute == 0 and (local.fold or local.hour % step == 0)]
    second = [at for at, local in hours if local.fold and step <= _ABBREVIATED]
    ticks: list[Tick] = []
    shown: date | None = None
    for at, local in hours:
        if at not in second and (local.fold or any(abs(at - one) < apart for one in second)):
            ticks += [] if local.fold else [Tick(at, "")]
            continue
        day = local.date()
        zone = f"{local:%Z}" if _comes_twice(local) else ""
        ticks.append(Tick(at, f"{local:%H:%M}", f"{_day_name(day)} {day.year}" if day != shown else zone))
        shown = day
    return ticks


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _day_ticks(
    start: float, end: float, clock: ZoneInfo, step: int, days: Collection[float] | None, *, apart: float
) -> Sequence[Tick]:
    """Return ticks of days. ``days``: as of ``time_ticks``. ``apart``: least seconds between two that both have a label."""
    first, last = _day_of(start, clock), _day_of(end, clock)
    if days is None:
        return list(_named(_days(first, last, step), start, end, clock, _day_name))
    own = sorted({one for one in days if start <= one <= end})
    dates = {_day_of(one, clock): one for one in own}
    if all(after - before >= apart for before, after in pairwise(own)):
        return list(_placed(dates.items(), _day_name))
    regular = (day for day in _days(first, last, step) if step % 7 == 0 or day in dates)
    return list(_named(regular, start, end, clock, _day_name))


def _named(days: Iterable[date], start: float, end: float, clock: ZoneInfo, name: Callable[[date], str]) -> Iterator[Tick]:
    placed = ((day, _midnight(day, clock)) for day in days)
    yield from _placed(((day, at) for day, at in placed if start <= at <= end), name)


def _placed(days: Iterable[tuple[date, float]], name: Callable[[date], str]) -> Iterator[Tick]:
    """Yield ticks of days at their instants, with the year below the first of each."""
    year = 0
    for day, at in days:
        yield Tick(at, name(day), str(day.year) if day.year != year else "")
        year = day.year


def _days(first: date, last: date, step: int) -> Iterator[date]:
    """Yield days; of steps of whole weeks the Mondays."""
    day = first - timedelta(days=first.weekday()) if step % 7 == 0 else first
    while day <= last:
        yield day
        day += timedelta(days=step)


def _months(first: date, last: date, step: int) -> Iterator[date]:
    place = first.year * 12 + (first.month - 1) // step * step
    while place <= last.year * 12 + last.month - 1:
        yield date(place // 12, place % 12 + 1, 1)
        place += step


def _day_of(at: float, clock: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(clock).date()


def _midnight(day: date, clock: ZoneInfo) -> float:
    return datetime.combine(day, time(), clock).timestamp()
