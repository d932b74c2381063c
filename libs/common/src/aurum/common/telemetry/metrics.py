"""Counters, gauges and histograms as plain Python objects, read by whoever exposes them.

``record`` of OpenTelemetry's histograms takes 4.7 µs here and ``observe`` of prometheus_client 0.6 µs; a kept answer has 9 µs
in all. A cell of these costs a look-up in a dictionary and two additions. Names follow Prometheus: base units, counters end in
``_total``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

Labels = tuple[str, ...]
Reading = Iterable[tuple[Labels, float]]


@dataclass(slots=True)
class Cell:
    """One histogram: how many values lie in each bucket (at most its bound; the last has none), and their sum."""

    bounds: Sequence[float]
    counts: list[int]
    total: float = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Histogram:
    """Cells by the values of its labels."""

    name: str
    description: str
    labels: Labels
    bounds: Sequence[float]
    cells: dict[Labels, Cell] = field(default_factory=dict[Labels, Cell])

    def cell(self, *values: str) -> Cell:
        """The cell of some label values, made when it is not there."""
        found = self.cells.get(values)
        if found is None:
            found = self.cells[values] = Cell(self.bounds, [0] * (len(self.bounds) + 1))
        return found


@dataclass(slots=True)
class Counter:
    """Counts by the values of its labels."""

    name: str
    description: str
    labels: Labels
    values: dict[Labels, float] = field(default_factory=dict[Labels, float])

    def add(self, *values: str, amount: float = 1) -> None:
        self.values[values] = self.values.get(values, 0) + amount


@dataclass(frozen=True, slots=True)
class Gauge:
    """What is read when it is asked for; ``counts``: it only ever rises, as a counter does that somebody else keeps."""

    name: str
    description: str
    labels: Labels
    read: Callable[[], Reading]
    counts: bool = False


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.histograms: list[Histogram] = []
        self.counters: list[Counter] = []
        self.gauges: list[Gauge] = []

    def histogram(self, name: str, description: str, *, labels: Labels = (), bounds: Sequence[float]) -> Histogram:
        """A new histogram; ``bounds``: ascending, in its unit."""
        made = Histogram(name, description, labels, tuple(bounds))
        self.histograms.append(made)
        return made

    def counter(self, name: str, description: str, *, labels: Labels = ()) -> Counter:
        """A new counter."""
        made = Counter(name, description, labels)
        self.counters.append(made)
        return made

    def gauge(
        self, name: str, description: str, read: Callable[[], Reading], *, labels: Labels = (), counts: bool = False
    ) -> None:
        """Something that is read when it is asked for."""
        self.gauges.append(Gauge(name, description, labels, read, counts))
