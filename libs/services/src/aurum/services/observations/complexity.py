"""How many observations a question spans, estimated before anything is read."""

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
    # Of the source's choosing: taken for every hour.
    Frequency.IRREGULAR: timedelta(hours=1),
}


class TooManyPoints(Invalid):
    """A question spans more observations than one may, or than are left to it. Facts: ``points`` (estimated), ``limit``."""


def estimated_points(series: Iterable[Series], span: Span, freq: Frequency | None = None) -> int:
    """Observations that must be read or written for some series over a span, whichever is more.

    What a series does not hold costs nothing: an open end ends with its data.
    """
    return sum(_points(one, span, freq) for one in series)


def check_points(series: Iterable[Series], span: Span, freq: Frequency | None, *, most: int) -> None:
    """Raise ``TooManyPoints`` when a question spans more than ``most`` observations."""
    asked = list(series)
    if sum(_held(one, freq) for one in asked) <= most:
        return  # over any span
    points = estimated_points(asked, span, freq)
    if points > most:
        raise TooManyPoints(
            f"{len(asked)} series over this span are about {points:,} observations; one request may span {most:,}: "
            "ask for fewer series or a shorter span",
            points=points,
            limit=most,
            series=len(asked),
        )


def estimated_rows(series: Iterable[Series], span: Span, freq: Frequency | None = None) -> int:
    """Observations in the answer, as they would be written."""
    return sum(_steps(one, span, _step(freq or one.spec.frequency)) for one in series)


@dataclass(slots=True)
class Budget:
    """What the questions of one request may ask for together: as much as one question may by itself."""

    points: int
    rows: int

    def spend(self, points: int, rows: int) -> None:
        """Raises ``TooManyPoints`` when that is more than is left; then nothing is spent."""
        for asked, left, what in ((points, self.points, "span"), (rows, self.rows, "answer with")):
            if asked > left:
                raise TooManyPoints(
                    f"about {asked:,} observations, and the other questions of this request leave {left:,} of those that all "
                    f"may {what} together: send it by itself",
                    points=asked,
                    limit=left,
                )
        self.points -= points
        self.rows -= rows


def _held(series: Series, freq: Frequency | None) -> int:
    """No fewer than ``_points`` over any span, and quicker told."""
    if series.first_ts is None or series.last_ts is None:
        return 0
    step = _step(series.spec.frequency)
    size = step if freq is None else min(step, _step(freq))
    return (series.last_ts - series.first_ts + step) // size


def _points(series: Series, span: Span, freq: Frequency | None) -> int:
    step = _step(series.spec.frequency)
    return _steps(series, span, step if freq is None else min(step, _step(freq)))


def _steps(series: Series, span: Span, size: timedelta) -> int:
    """Steps of a size over what a series holds of a span."""
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
