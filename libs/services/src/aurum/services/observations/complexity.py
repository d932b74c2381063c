"""Estimates of the number of observations of a question, made before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aurum.core.asof import Span
from aurum.core.errors import Invalid
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series

_DAY = timedelta(days=1)
_STEPS = {
    Frequency.DAY: _DAY,
    Frequency.WEEK: 7 * _DAY,
    Frequency.MONTH: 30 * _DAY,
    Frequency.QUARTER: 91 * _DAY,
    Frequency.YEAR: 365 * _DAY,
    # An irregular series has no step; it is estimated as hourly.
    Frequency.IRREGULAR: timedelta(hours=1),
}


class TooManyPoints(Invalid):
    """A question spans more observations than the limit, or than its request has left. Facts: ``points``, ``limit``."""


def estimated_points(series: Iterable[Series], span: Span, freq: Frequency | None = None) -> int:
    """Return the observations to read or to write for some series over a span, whichever are more.

    An open or distant end of the span counts only as far as the series has data.
    """
    return sum(_points(one, span, freq) for one in series)


def check_points(series: Iterable[Series], span: Span, freq: Frequency | None, *, most: int) -> None:
    """Raise ``TooManyPoints`` when a question spans more than ``most`` observations."""
    series_list = list(series)
    if sum(_upper_bound(one, freq) for one in series_list) <= most:
        return  # the whole series are within the limit, so any span is
    points = estimated_points(series_list, span, freq)
    if points > most:
        raise TooManyPoints(
            f"{len(series_list)} series over this span are about {points:,} observations; one request may span {most:,}: "
            "request fewer series or a shorter span",
            points=points,
            limit=most,
            series=len(series_list),
        )


def longest_step(frequency: Frequency) -> timedelta:
    """Return a duration that steps of a frequency exceed by clock changes at most; an hour for irregular series."""
    return {
        Frequency.MONTH: timedelta(days=31),
        Frequency.QUARTER: timedelta(days=92),
        Frequency.YEAR: timedelta(days=366),
    }.get(frequency, _step(frequency))


def estimated_rows(series: Iterable[Series], span: Span, freq: Frequency | None = None) -> int:
    """Return the estimated number of observations in the answer."""
    return sum(_steps(one, span, _step(freq or one.spec.frequency)) for one in series)


@dataclass(slots=True)
class Budget:
    """The observations left to the questions of one request. Together they may span as many as a single question may."""

    points: int
    rows: int

    def spend(self, points: int, rows: int) -> None:
        """Take points and rows off the budget. Raises ``TooManyPoints`` when it has fewer left, and takes nothing then."""
        for needed, left, verb in ((points, self.points, "span"), (rows, self.rows, "return")):
            if needed > left:
                raise TooManyPoints(
                    f"this question would {verb} about {needed:,} observations; the other questions of the request leave "
                    f"{left:,}: send it in a request of its own",
                    points=needed,
                    limit=left,
                )
        self.points -= points
        self.rows -= rows


def _upper_bound(series: Series, freq: Frequency | None) -> int:
    """Return an upper bound of ``_points`` over any span; cheaper to compute."""
    if series.first_ts is None or series.last_ts is None:
        return 0
    step = _step(series.spec.frequency)
    size = step if freq is None else min(step, _step(freq))
    return (series.last_ts - series.first_ts + step) // size


def _points(series: Series, span: Span, freq: Frequency | None) -> int:
    step = _step(series.spec.frequency)
    return _steps(series, span, step if freq is None else min(step, _step(freq)))


def _steps(series: Series, span: Span, size: timedelta) -> int:
    """Return how many steps of a size fit into the part of a span in which a series has data."""
    if series.first_ts is None or series.last_ts is None:
        return 0
    step = _step(series.spec.frequency)
    held = _later(series.last_ts, step) - series.first_ts
    start = max(span.start or series.first_ts, series.first_ts)
    end = min(span.end or series.last_ts, series.last_ts)
    if end < start:
        return 0
    return min(end - start + step, held) // size


def _later(instant: datetime, step: timedelta) -> datetime:
    try:
        return instant + step
    except OverflowError:
        return instant


def _step(frequency: Frequency) -> timedelta:
    return frequency.step or _STEPS[frequency]
