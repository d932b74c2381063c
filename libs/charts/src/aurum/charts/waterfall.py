"""Drawing of changes in parts: steps from zero to the sum of the parts; of many names, the parts above each sum."""

# pyright: reportUnknownMemberType=false
# The types of matplotlib leave out those of keyword arguments.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aurum.charts.canvas import EDGE, Canvas, Entry, Panel, left_of, numbers_of, points
from aurum.charts.palette import palette_of
from aurum.charts.specs import Size, Theme, Values, WaterfallChart
from aurum.charts.text import plain, width, wrapped
from aurum.charts.ticks import change_labels, number_labels

_SMALL = 11.0
_SWATCH = 9.0
_GROUP = 0.84
"""Share of the room of a name that its bars take."""
_SLIM = 0.88
"""Share of the room of a bar that it fills."""
_AROUND = 110.0
"""Pixels beside the panel, about."""


@dataclass(frozen=True, slots=True)
class _Bars:
    """Bars by name (rows) and part (columns), the last the sum. ``lows``: their beginnings; a size below zero goes down."""

    labels: Sequence[str]
    lows: Values
    sizes: Values
    colours: Sequence[str]

    @property
    def totals(self) -> list[float]:
        return self.sizes[:, -1].tolist()

    @property
    def bottoms(self) -> Values:
        return self.lows + np.minimum(self.sizes, 0)

    @property
    def tops(self) -> Values:
        return self.lows + np.maximum(self.sizes, 0)

    @property
    def tips(self) -> list[float]:
        """How far the bars of each name reach, on the side of their total."""
        highest: Values = self.tops.max(axis=1)
        lowest: Values = self.bottoms.min(axis=1)
        return [high if total >= 0 else low for high, low, total in zip(highest, lowest, self.sizes[:, -1], strict=True)]

    def places(self, part: int) -> Values:
        """Return the middles of the bars of a part."""
        return np.arange(len(self.labels), dtype=np.float64) - _GROUP / 2 + (part + 0.5) * self.room

    @property
    def room(self) -> float:
        """Room of a bar, in rooms of a name."""
        return _GROUP / len(self.colours)


def draw_waterfall(chart: WaterfallChart, size: Size, theme: Theme) -> Canvas:
    """Return the picture of changes in parts. Raises ``ValueError`` without any.

    Names are side by side where they fit, each with its steps. Else they are one below the other, each with its parts from zero
    to either side, in one bar, and its sum under it. Parts that are zero in all of them have no room.
    """
    if not chart.rows:
        raise ValueError("the chart has no change")
    parts = np.array([values for _, values in chart.rows], np.float64)
    shown: list[int] = np.flatnonzero(parts.any(axis=0)).tolist()
    palette = palette_of(theme)
    colours = [palette.parts[place % len(palette.parts)] for place in shown]
    entries = [Entry(chart.parts[place], colour, _SWATCH) for place, colour in zip(shown, colours, strict=True)]
    canvas = Canvas(chart.caption, size, theme, [*entries, Entry("total", palette.total, _SWATCH)])
    steps = parts[:, shown]
    # A step begins where the one before ended, the sum at zero.
    lows = np.column_stack([np.cumsum(steps, axis=1) - steps, np.zeros(len(parts))])
    sizes = np.column_stack([steps, parts.sum(axis=1)])
    bars = _Bars([plain(name) for name, _ in chart.rows], lows, sizes, [*colours, palette.total])
    widest = max(width(label, _SMALL) for label in bars.labels)
    fits = 1.15 * widest <= (canvas.width - _AROUND) / len(bars.labels)
    (_draw_side_by_side if fits else _draw_below_each_other)(canvas, bars)
    return canvas


def _draw_side_by_side(canvas: Canvas, bars: _Bars) -> None:
    low, high = min(0.0, float(bars.bottoms.min())), max(0.0, float(bars.tops.max()))
    room = (high - low or 1.0) * 0.06  # for the numbers beyond the bars
    scale = numbers_of(low - room if low < 0 else low, high + room if high > 0 else high, canvas.room)
    (panel,) = canvas.panels(1.0, left=left_of(scale))
    axes = panel.axes
    canvas.value_axis(panel, scale, unit=canvas.caption.unit)
    axes.set_xlim(-0.5, len(bars.labels) - 0.5)
    axes.set_xticks(range(len(bars.labels)), bars.labels, parse_math=False, color=canvas.palette.ink)
    for part, colour in enumerate(bars.colours):
        at, lows, sizes = bars.places(part), bars.lows[:, part], bars.sizes[:, part]
        axes.bar(at, sizes, bottom=lows, width=bars.room * _SLIM, color=colour, linewidth=0, zorder=3)
        if part:
            level = bars.lows[:, part - 1] + bars.sizes[:, part - 1]
            axes.hlines(level, at - bars.room, at, color=canvas.palette.faint, linewidth=points(0.8), zorder=2.5)
    axes.axhline(0, color=canvas.palette.faint, linewidth=points(1.0), zorder=4)
    texts = change_labels(bars.totals)
    if max(width(text, _SMALL - 1) for text in texts) > panel.room / len(texts):
        return
    for place, (text, tip, total) in enumerate(zip(texts, bars.tips, bars.totals, strict=True)):
        side = 1 if total >= 0 else -1
        _note(canvas, panel, text, (place, tip), (0, 4 * side), "center", "bottom" if side > 0 else "top")


def _draw_below_each_other(canvas: Canvas, bars: _Bars) -> None:
    names = [wrapped(label, _SMALL, canvas.width * 0.4, lines=1)[0] for label in bars.labels]
    texts = change_labels(bars.totals)
    steps = bars.sizes[:, :-1]
    ups, downs = np.maximum(steps, 0), np.minimum(steps, 0)
    beside = np.where(steps >= 0, np.cumsum(ups, axis=1) - ups, np.cumsum(downs, axis=1) - downs)
    bars = replace(bars, lows=np.column_stack([beside, bars.lows[:, -1]]))
    (panel,) = canvas.panels(1.0, left=max(width(name, _SMALL) for name in names) * 0.95 + 30)
    axes = panel.axes
    low, high = min(0.0, float(bars.bottoms.min())), max(0.0, float(bars.tops.max()))
    scale = numbers_of(low, high, panel.room / 2)
    # Room for the numbers beyond the longest bars.
    share = (max(width(text, _SMALL) for text in texts) + 12) / panel.room
    room = (high - low or 1.0) * share / max(1 - 2 * share, 0.2)
    axes.set_xticks(list(scale.ticks), list(number_labels(scale.ticks)), parse_math=False)
    axes.set_xlim(min(low - room, scale.low), max(high + room, scale.high))
    axes.grid(axis="x", color=canvas.palette.grid, linewidth=points(0.8))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, parse_math=False, color=canvas.palette.ink)
    axes.spines["bottom"].set_visible(False)
    axes.axvline(0, color=canvas.palette.faint, linewidth=points(1.0), zorder=4)
    places = np.arange(len(names))
    for part, colour in enumerate(bars.colours):
        at = places + (_GROUP / 4 if part == len(bars.colours) - 1 else -_GROUP / 4)
        lows, sizes = bars.lows[:, part], bars.sizes[:, part]
        axes.barh(at, sizes, left=lows, height=_GROUP / 2 * _SLIM, color=colour, linewidth=0, zorder=3)
    for place, (text, tip, total) in enumerate(zip(texts, bars.tips, bars.totals, strict=True)):
        side = 1 if total >= 0 else -1
        _note(canvas, panel, text, (tip, place), (5 * side, 0), "left" if side > 0 else "right", "center")
    canvas.text(EDGE, canvas.top - 22, plain(canvas.caption.unit), _SMALL, canvas.palette.faint)


def _note(
    canvas: Canvas,
    panel: Panel,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    across: str,
    down: str,
) -> None:
    panel.axes.annotate(
        text,
        at,
        xytext=(points(offset[0]), points(offset[1])),
        textcoords="offset points",
        ha=across,
        va=down,
        fontsize=points(_SMALL - 1),
        color=canvas.palette.ink,
        parse_math=False,
        # The grid must not cross the number.
        bbox={"facecolor": canvas.palette.paper, "edgecolor": "none", "pad": points(1)},
        zorder=2.8,
    )
