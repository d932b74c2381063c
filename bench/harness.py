"""Measurements side by side: ours and the reference in turns, medians of both, their ratio, a verdict."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Run = Callable[[], Awaitable[float]]
"""One round: a rate, where more is better, or a duration, where less is."""

Verdict = Literal["stretch", "reached", "missed", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    ``ours`` and ``reference``: medians, in ``unit``. ``ratio``: of the two, turned so that more is better; ``target`` and
    ``stretch`` are of that ratio (None: nothing is asked). ``ratios``: that of each round, which shows the noise.
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
    """A B A B ...; the first round of each warms up and does not count."""
    await ours()
    await reference()
    pairs = [(await ours(), await reference()) for _ in range(rounds)]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))

    def ratio(a: float, b: float) -> float:
        return b / a if less_is_better else a / b

    ratios = tuple(ratio(a, b) for a, b in pairs)
    return Figure(name, mine, other, unit, against, ratio(mine, other), target, stretch, ratios)


def limit(name: str, found: Sequence[float], most: float, *, unit: str, stretch: float | None = None) -> Figure:
    """Measurements whose median must stay under ``most``, at best under ``stretch``; the ratio is the limit over ours."""
    ours = statistics.median(found)
    best = None if stretch is None else most / stretch
    return Figure(name, ours, most, unit, "limit", most / ours, 1.0, best, tuple(most / one for one in found))


def none_at_all(name: str, found: int, *, unit: str) -> Figure:
    """A count that must be zero. The ratio is 1 when it is, else 0."""
    return Figure(name, found, 0, unit, "none", 0.0 if found else 1.0, 1.0)


def timed() -> Callable[[], float]:
    """A stop watch: call it for the seconds since it was made."""
    started = time.perf_counter()
    return lambda: time.perf_counter() - started
