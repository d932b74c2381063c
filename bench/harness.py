"""Measurements side by side: Aurum and the reference in turns, medians of both, their ratio, a verdict."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Run = Callable[[], Awaitable[float]]
"""One round of a measurement. Returns a rate (more is better) or a duration (less is better)."""

Verdict = Literal["stretch", "reached", "missed", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    ``ours`` (Aurum's) and ``reference``: medians, in ``unit``. ``ratio``: the ratio of the two, above 1 if Aurum is better.
    ``target`` and ``stretch``: goals for the ratio (None: no goal). ``ratios``: the ratio of each round, which shows the noise.
    """

    name: str
    ours: float
    reference: float
    unit: str
    against: str
    ratio: float
    target: float | None = None
    stretch: float | None = None
    ratios: Sequence[float] = field(default_factory=tuple[float, ...])

    @property
    def verdict(self) -> Verdict:
        if self.target is None:
            return ""
        if self.stretch is not None and self.ratio >= self.stretch:
            return "stretch"
        return "reached" if self.ratio >= self.target else "missed"


async def side_by_side(
    name: str,
    ours: Run,
    reference: Run,
    *,
    unit: str,
    against: str,
    rounds: int,
    target: float | None = None,
    stretch: float | None = None,
    less_is_better: bool = False,
) -> Figure:
    """Measure in turns, A B A B; the first round of each is a warm-up and does not count."""
    await ours()
    await reference()
    pairs = [(await ours(), await reference()) for _ in range(rounds)]
    our_median, reference_median = (statistics.median(side) for side in zip(*pairs, strict=True))

    def ratio(a: float, b: float) -> float:
        return b / a if less_is_better else a / b

    ratios = tuple(ratio(a, b) for a, b in pairs)
    return Figure(
        name, our_median, reference_median, unit, against, ratio(our_median, reference_median), target, stretch, ratios
    )


def limit(name: str, measurements: Sequence[float], most: float, *, unit: str, stretch: float | None = None) -> Figure:
    """Return a figure whose median must be under ``most``, at best under ``stretch``. The ratio is ``most`` over the median."""
    median = statistics.median(measurements)
    best = None if stretch is None else most / stretch
    return Figure(name, median, most, unit, "limit", most / median, 1.0, best, tuple(most / one for one in measurements))


def none_at_all(name: str, count: int, *, unit: str) -> Figure:
    """Return a figure of a count that must be zero. The ratio is 1 if it is, else 0."""
    return Figure(name, count, 0, unit, "none", 0.0 if count else 1.0, 1.0)


def timed() -> Callable[[], float]:
    """Return a stopwatch: calling it returns the seconds since it was made."""
    started = time.perf_counter()
    return lambda: time.perf_counter() - started
