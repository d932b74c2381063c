"""Drawing of lines through time, and of bars by name."""

# pyright: reportUnknownMemberType=false
# The types of matplotlib leave out those of keyword arguments.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from aurum.charts.bands import Band, band_of
from aurum.charts.canvas import EDGE, MARKER, Canvas, Entry, Panel, left_of, numbers_of, points, scale_of
from aurum.charts.palette import DASHED, LineStyle, line_styles, palette_of
from aurum.charts.paths import lone_points, path_of
from aurum.charts.specs import BarChart, Caption, Flags, Instants, Line, LineChart, Size, Theme
from aurum.charts.text import plain, width, wrapped
from aurum.charts.ticks import change_labels, instant_text

_LINE, _FINE, _OVERLAY = 1.9, 1.2, 1.1
_BAND, _FAINT = 9.0, 0.28
"""Weight of a band in the legend, and its opacity."""
_AROUND = 94.0
"""Pixels beside the panel, about."""
_MANY = 1_500
"""Points above which a line is drawn fine."""
_MARKS = 12
"""Markers on a line, about: each of so few values has one."""
_DAY_S = 86_400.0
_SMALL = 11.0


def draw_lines(chart: LineChart, size: Size, theme: Theme) -> Canvas:
    """Return the picture of lines. Raises ``ValueError`` for ones without a value."""
    together = np.concatenate([one.values for one in chart.lines]) if chart.lines else np.array([])
    values = together[~np.isnan(together)]
    if not len(values):
        raise ValueError("the chart has no value")
    palette = palette_of(theme)
    styles = line_styles(palette, len(chart.lines))
    wide = size.width / scale_of(size) - _AROUND
    bands = [None if chart.of_days else band_of(line, wide, chart.caption.zone) for line in chart.lines]
    entries = _entries(chart, styles, bands)
    if chart.marks:
        entries.append(Entry(plain(chart.marks[0].label), palette.faint, 1.0, DASHED))
    instants = np.concatenate([_instants(one, ~np.isnan(one.values)) for one in chart.lines]) / 1e6
    start, end = float(instants.min()), float(instants.max())
    canvas = Canvas(_with_bounds(chart, start, end), size, theme, entries)
    if end <= start:  # a single instant
        start, end = start - _DAY_S, end + _DAY_S
    scale = numbers_of(float(values.min()), float(values.max()), canvas.room)
    (panel,) = canvas.panels(1.0, left=left_of(scale))
    canvas.value_axis(panel, scale, unit=chart.caption.unit)
    canvas.time_axis(panel, start, end, days=instants.tolist() if chart.of_days else None)
    for mark in chart.marks:
        panel.axes.axvline(mark.at / 1e6, color=palette.faint, linewidth=points(1.0), linestyle=(0, (3, 3)), zorder=1.8)
    for place, (line, style, band) in enumerate(zip(chart.lines, styles, bands, strict=True)):
        if band is not None:
            _draw_band(panel, band, style)
        elif line.is_overlay:
            path = path_of(line, int(panel.room * canvas.scale))
            panel.axes.plot(*path, color=style.colour, linewidth=points(_OVERLAY), linestyle=DASHED, zorder=4.2, clip_on=False)
        else:
            _draw_line(canvas, panel, line, style, place, _plain_lines(chart))
    return canvas


def _instants(line: Line, chosen: Flags | slice) -> Instants:
    """Return the starts of some values of a line, and their ends."""
    return np.concatenate([line.starts[chosen], *([] if line.ends is None else [line.ends[chosen]])])


def _with_bounds(chart: LineChart, start: float, end: float) -> Caption:
    """Return the caption, whose footnote says where values begin or end later or sooner than the instants of the chart."""
    whole = np.concatenate([_instants(one, slice(None)) for one in chart.lines]) / 1e6
    text = partial(instant_text, zone=chart.caption.zone, is_day=chart.of_days)
    bounds = [f"before {text(start)}"] if whole.min() < start else []
    bounds += [f"after {text(end)}"] if whole.max() > end else []
    note = f"No values {' or '.join(bounds)}. " if bounds else ""
    return replace(chart.caption, footnote=f"{note}{chart.caption.footnote}")


def _entries(chart: LineChart, styles: Sequence[LineStyle], bands: Sequence[Band | None]) -> list[Entry]:
    """Return the entries of lines that have a label, and of bands."""
    entries: list[Entry] = []
    for line, style, band in zip(chart.lines, styles, bands, strict=True):
        if band is not None:
            mean = f"mean of each {band.bucket}"
            entries.append(Entry(f"{line.label}, {mean}" if line.label else mean, style.colour, _LINE))
            entries.append(Entry(f"lowest to highest of the {band.bucket}", style.colour, _BAND, alpha=_FAINT))
        elif line.is_overlay:
            entries.append(Entry(line.label, style.colour, _OVERLAY, DASHED))
        elif line.label:
            marker = style.marker if _plain_lines(chart) > 1 else ""
            entries.append(Entry(line.label, style.colour, _LINE, style.dash, marker))
    return entries


def _plain_lines(chart: LineChart) -> int:
    return sum(not line.is_overlay for line in chart.lines)


def _draw_band(panel: Panel, band: Band, style: LineStyle) -> None:
    times, means = band.mean
    panel.axes.fill_between(times, band.low, band.high, color=style.colour, alpha=_FAINT, linewidth=0, zorder=2)
    panel.axes.plot(times, means, color=style.colour, linewidth=points(_LINE), solid_joinstyle="round", zorder=4, clip_on=False)


def _draw_line(canvas: Canvas, panel: Panel, line: Line, style: LineStyle, place: int, count: int) -> None:
    """Draw a line, the one at ``place`` of about ``count``."""
    path = path_of(line, int(panel.room * canvas.scale))
    drawn = np.flatnonzero(~np.isnan(path[1]))
    few = line.ends is None and len(drawn) <= _MARKS
    apart = 1 if few else max(1, len(drawn) // _MARKS)
    panel.axes.plot(
        *path,
        color=style.colour,
        linewidth=points(_FINE if len(line.values) > _MANY else _LINE),
        linestyle=style.dash,
        solid_joinstyle="round",
        zorder=4 - place * 0.01,
        clip_on=False,
        marker=style.marker if count > 1 or few else "",
        # Each line has its own places, so that markers of lines that are close do not hide each other.
        markevery=drawn[apart * (place % count) // count :: apart].tolist(),
        markersize=points(MARKER),
    )
    lone = lone_points(path)
    panel.axes.plot(*lone, color=style.colour, marker=style.marker, markersize=points(MARKER), linestyle="none", zorder=4.5)


def draw_bars(chart: BarChart, size: Size, theme: Theme) -> Canvas:
    """Return the picture of bars. Raises ``ValueError`` without any."""
    if not chart.bars:
        raise ValueError("the chart has no bar")
    canvas = Canvas(chart.caption, size, theme, ())
    palette = canvas.palette
    values = [value for _, value in chart.bars]
    names = [wrapped(name, _SMALL, canvas.width * 0.4, lines=1)[0] for name, _ in chart.bars]
    left = max(width(name, _SMALL) for name in names) * 0.95 + 30
    (panel,) = canvas.panels(1.0, left=left)
    axes = panel.axes
    places = list(range(len(values)))
    low, high = min(0.0, *values), max(0.0, *values)
    room = (high - low or 1.0) * 0.12
    axes.set_xlim(low - room if low < 0 else 0, high + room if high > 0 else 0)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_yticks(places, names, parse_math=False, color=palette.ink)
    axes.barh(places, values, height=0.66, color=[palette.up if one >= 0 else palette.down for one in values], zorder=3)
    axes.axvline(0, color=palette.faint, linewidth=points(1.0), zorder=4)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    for place, value, label in zip(places, values, change_labels(values), strict=True):
        axes.annotate(
            label,
            (value, place),
            xytext=(points(5 if value >= 0 else -5), 0),
            textcoords="offset points",
            ha="left" if value >= 0 else "right",
            va="center",
            fontsize=points(_SMALL),
            color=palette.ink,
            parse_math=False,
        )
    canvas.text(EDGE, canvas.top - 22, plain(chart.caption.unit), _SMALL, palette.faint)
    return canvas
