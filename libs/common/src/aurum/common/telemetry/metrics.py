"""Counters, gauges and histograms as plain Python objects, read by the modules that expose them.

``record`` of OpenTelemetry's histograms takes 4.7 µs and ``observe`` of prometheus_client 0.6 µs, while a cached answer takes
9 µs in all. A cell of these histograms costs a look-up in a dictionary and two additions. Names follow Prometheus: base units,
counters end in ``_total``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

Labels = tuple[str, ...]
Reading = Iterable[tuple[Labels, float]]


@dataclass(slots=True)
class Cell:
    """A histogram for one set of label values.

    ``counts``: values in each bucket, which are at most its bound; the last bucket has no bound. ``total``: sum of the values.
    """

    bounds: Sequence[float]
    counts: list[int]
    total: float = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Histogram:
    """A histogram: its cells by label values."""

    name: str
    description: str
    labels: Labels
    bounds: Sequence[float]
    cells: dict[Labels, Cell] = field(default_factory=dict[Labels, Cell])

    def cell(self, *values: str) -> Cell:
        """Return the cell of some label values, and create it if it is missing."""
        cell = self.cells.get(values)
        if cell is None:
            cell = self.cells[values] = Cell(self.bounds, [0] * (len(self.bounds) + 1))
        return cell


@dataclass(slots=True)
class Counter:
    """A counter: its counts by label values."""

    name: str
    description: str
    labels: Labels
    values: dict[Labels, float] = field(default_factory=dict[Labels, float])

    def add(self, *values: str, amount: float = 1) -> None:
        self.values[values] = self.values.get(values, 0) + amount


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value that is read when metrics are exposed. ``counts``: it only rises, and is exposed as a counter."""

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
        """Add a histogram. ``bounds``: upper bounds of its buckets, ascending, in its unit."""
        histogram = Histogram(name, description, labels, tuple(bounds))
        self.histograms.append(histogram)
        return histogram

    def counter(self, name: str, description: str, *, labels: Labels = ()) -> Counter:
        """Add a counter."""
        counter = Counter(name, description, labels)
        self.counters.append(counter)
        return counter

    def gauge(
        self, name: str, description: str, read: Callable[[], Reading], *, labels: Labels = (), counts: bool = False
    ) -> None:
        """Add a gauge. ``read``: returns its values by label values. ``counts``: the values only rise."""
        self.gauges.append(Gauge(name, description, labels, read, counts))
