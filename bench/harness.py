"""Measurements side by side: ours and the limit in turns, medians, ratios, one table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

Run = Callable[[], Awaitable[float]]
"""One round: gives a rate (more is better) or seconds, as the figure says."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. ``ratio``: ours against the reference, so that more is better; targets are of that ratio."""

    name: str
    ours: float
    reference: float
    unit: str
    reference_name: str
    ratio: float
    target: float | None
    stretch: float | None

    @property
    def verdict(self) -> str:
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
    reference_name: str,
    target: float | None,
    stretch: float | None = None,
    rounds: int = 5,
    less_is_better: bool = False,
) -> Figure:
    """A B A B ...: medians of both, and their ratio. The first round of each warms up and does not count."""
    a: list[float] = []
    b: list[float] = []
    await ours()
    await reference()
    for _ in range(rounds):
        a.append(await ours())
        b.append(await reference())
    mine, other = statistics.median(a), statistics.median(b)
    ratio = other / mine if less_is_better else mine / other
    return Figure(name, mine, other, unit, reference_name, ratio, target, stretch)


def limit(name: str, ours: float, most: float, *, unit: str, stretch: float | None = None) -> Figure:
    """A figure against a fixed limit that it must stay under; the ratio is the limit over ours."""
    return Figure(name, ours, most, unit, "limit", most / ours if ours > 0 else 99.0, 1.0, most / stretch if stretch else None)


def timed() -> Callable[[], float]:
    """A stop watch: call it for the seconds since it was made."""
    started = time.perf_counter()
    return lambda: time.perf_counter() - started


def report(figures: Sequence[Figure], notes: Sequence[str], path: Path) -> str:
    """Write the results and give the table."""
    document = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in figures],
        "notes": list(notes),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    rows = [
        (
            figure.name,
            f"{figure.ours:,.4g}",
            f"{figure.reference:,.4g}",
            figure.unit,
            figure.reference_name,
            f"{figure.ratio:.2f}",
            "" if figure.target is None else f"{figure.target:.2f}",
            "" if figure.stretch is None else f"{figure.stretch:.2f}",
            figure.verdict,
        )
        for figure in figures
    ]
    headers = ["figure", "ours", "reference", "unit", "against", "ratio", "target", "stretch", ""]
    return tabulate(
        rows, headers, disable_numparse=True, colalign=("left", "right", "right", "left", "left", *["right"] * 3, "left")
    )
