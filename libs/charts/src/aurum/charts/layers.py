"""Layers of a forward curve. Each has the quotes of one kind of period; layers of long periods overlap those of short ones."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from aurum.charts.specs import Steps


def uncovered(layers: Sequence[Steps]) -> Sequence[Steps]:
    """Return the steps of each layer that no priced step of a finer layer overlaps. ``layers``: the finest first."""
    return [one for one, _ in by_cover(layers)]


def by_cover(layers: Sequence[Steps]) -> Sequence[tuple[Steps, Steps]]:
    """Return the priced steps of each layer: those that no priced step of a finer layer overlaps, and the others."""
    starts, ends = np.array([], np.int64), np.array([], np.int64)
    split: list[tuple[Steps, Steps]] = []
    for layer in layers:
        # A step overlaps a finer one that begins before its end unless all of those end before its start.
        overlapped = np.searchsorted(starts, layer.ends) > np.searchsorted(ends, layer.starts, side="right")
        priced = ~np.isnan(layer.values)
        split.append((layer.of(priced & ~overlapped), layer.of(priced & overlapped)))
        starts, ends = np.sort(np.append(starts, layer.starts[priced])), np.sort(np.append(ends, layer.ends[priced]))
    return split


def visible_pieces(layers: Sequence[Steps]) -> Sequence[Steps]:
    """Return the pieces of the steps of each layer that no priced step of a finer layer overlaps. ``layers``: the finest first.

    If a week covers the first days of a month, the piece of the month is the days after that week. So the bars of a layer
    hide no finer ones, and every step that is not wholly covered has a bar.
    """
    covered: list[tuple[int, int]] = []
    visible: list[Steps] = []
    for layer in layers:
        priced = [
            (start, end, value)
            for start, end, value in zip(layer.starts.tolist(), layer.ends.tolist(), layer.values.tolist(), strict=True)
            if not math.isnan(value)
        ]
        pieces = [(*piece, value) for start, end, value in priced for piece in _without(start, end, covered)]
        starts, ends, values = zip(*pieces, strict=True) if pieces else ((), (), ())
        visible.append(Steps(layer.label, np.array(starts, np.int64), np.array(ends, np.int64), np.array(values, np.float64)))
        covered = _union([*covered, *((start, end) for start, end, _ in priced)])
    return visible


def _union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans that cover the same, ascending, apart from each other."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _without(start: int, end: int, covered: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pieces of a span outside others. ``covered``: ascending, apart from each other."""
    pieces: list[tuple[int, int]] = []
    for low, high in covered[max(bisect_right(covered, (start, start)) - 1, 0) :]:
        if low >= end:
            break
        if low > start:
            pieces.append((start, low))
        start = max(start, high)
    return [*pieces, (start, end)] if start < end else pieces
