"""Lines of many values as the mean of each hour, day, week or month, with a band from the lowest to the highest value.

A year of hours drawn through each of them is a block of ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from aurum.charts.paths import Path, step_path
from aurum.charts.specs import Instants, Line, Steps, Values
from aurum.charts.ticks import bucket_edges

DENSE = 2
"""Values for each pixel above which a line is drawn as a band, and buckets below which one is."""
_BUCKETS = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
"""Buckets with their seconds, about, the finest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The means of a line by ``bucket``, and its lowest and highest values over the same vertices."""

    bucket: str
    mean: Path
    low: Values
    high: Values


def band_of(line: Line, pixels: float, zone: str) -> Band | None:
    """Return the band of a line that is drawn ``pixels`` wide; None: its values are few enough for a line.

    Hours, days, weeks and months are those of ``zone``, an IANA name. Means weigh values by the length of their intervals.
    """
    priced = ~np.isnan(line.values)
    starts, values = line.starts[priced], line.values[priced]
    if len(starts) <= DENSE * pixels:
        return None
    ends = starts if line.ends is None else line.ends[priced]
    span = int(ends[-1] - starts[0]) / 1e6
    bucket = next((one for one, seconds in _BUCKETS.items() if span / seconds <= DENSE * pixels), "month")
    edges = np.array(bucket_edges(bucket, int(starts[0]) / 1e6, int(ends[-1]) / 1e6, ZoneInfo(zone))) * 1_000_000
    return _band(bucket, edges.astype(np.int64), starts, ends, values)


def _band(bucket: str, edges: Instants, starts: Instants, ends: Instants, values: Values) -> Band:
    place = np.searchsorted(edges, starts, side="right") - 1
    first = np.flatnonzero(np.diff(place, prepend=-1))
    weights = (ends - starts if (ends > starts).all() else np.ones(len(starts))).astype(np.float64)
    means = np.add.reduceat(values * weights, first) / np.add.reduceat(weights, first)
    lows = np.maximum(edges[place[first]], starts[0])
    highs = np.minimum(edges[place[first] + 1], max(ends[-1], starts[-1]))
    paths = [
        step_path(Steps("", lows, highs, one))
        for one in (means, np.minimum.reduceat(values, first), np.maximum.reduceat(values, first))
    ]
    return Band(bucket, paths[0], paths[1][1], paths[2][1])
