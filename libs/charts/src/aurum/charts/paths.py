"""Paths of lines: intervals and points become vertices with gaps, and more of them than pixels are thinned without loss."""

from __future__ import annotations

import numpy as np

from aurum.charts.specs import Instants, Line, Steps, Values

Path = tuple[Values, Values]
"""Vertices: seconds since 1970-01-01 UTC, and values; a NaN in both ends a stroke."""

_US = 1_000_000.0
_DENSE = 4
"""Points for each pixel above which a line is thinned: to the first, lowest, highest and last of each pixel."""


def path_of(line: Line, pixels: int) -> Path:
    """Return the path of a line that is drawn ``pixels`` wide."""
    starts, ends, values = line.starts, line.ends, line.values
    if len(starts) > _DENSE * pixels:
        return _thinned(starts, values, pixels, with_gaps=ends is not None)
    if ends is not None and (ends > starts).all():
        return step_path(Steps(line.label, starts, ends, values))
    seconds = starts / _US
    breaks = np.isnan(values)
    if line.breaks_after is not None:
        breaks = breaks | np.concatenate([[False], np.diff(starts) > line.breaks_after])
    places = np.flatnonzero(breaks)
    return np.insert(seconds, places, np.nan), np.insert(values, places, np.nan)


def step_path(steps: Steps, *, joined: bool = True) -> Path:
    """Return the path of steps. ``joined``: steps that adjoin are joined by a vertical stroke."""
    priced = ~np.isnan(steps.values)
    starts, ends, values = steps.starts[priced] / _US, steps.ends[priced] / _US, steps.values[priced]
    x, y = np.column_stack([starts, ends]).ravel(), np.repeat(values, 2)
    apart = np.flatnonzero(starts[1:] != ends[:-1]) + 1 if joined else np.arange(1, len(starts))
    return np.insert(x, 2 * apart, np.nan), np.insert(y, 2 * apart, np.nan)


def _thinned(starts: Instants, values: Values, pixels: int, *, with_gaps: bool) -> Path:
    """Return the first, lowest, highest and last point of each pixel. ``with_gaps``: a pixel without any point is a gap."""
    priced = np.flatnonzero(~np.isnan(values))
    if not len(priced):
        return np.array([]), np.array([])
    at, prices = starts[priced], values[priced]
    span = max(int(at[-1] - at[0]), 1)
    pixel = np.minimum((at - at[0]) * pixels // span, pixels - 1)
    first = np.flatnonzero(np.diff(pixel, prepend=-1))
    last = np.append(first[1:] - 1, len(at) - 1)
    by_value = np.lexsort((prices, pixel))
    chosen = np.unique(np.concatenate([first, last, by_value[first], by_value[last]]))
    gaps = np.flatnonzero(np.diff(pixel[chosen]) > 1) + 1 if with_gaps else np.array([], np.int64)
    return np.insert(at[chosen] / _US, gaps, np.nan), np.insert(prices[chosen], gaps, np.nan)


def lone_points(path: Path) -> Path:
    """Return the vertices of a path that no stroke joins to another: a line would not show them."""
    x, y = path
    empty = np.isnan(y)
    before, after = np.concatenate([[True], empty[:-1]]), np.concatenate([empty[1:], [True]])
    lone = ~empty & before & after
    return x[lone], y[lone]
