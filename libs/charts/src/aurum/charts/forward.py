"""Drawing of forward curves: prices as steps by delivery, the finest kind strong and each coarser one thinner behind it."""

# pyright: reportUnknownMemberType=false
# The types of matplotlib leave out those of keyword arguments.
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aurum.charts.canvas import Canvas, Entry, Panel, left_of, numbers_of, points
from aurum.charts.layers import by_cover, uncovered
from aurum.charts.palette import DASHED, DOTTED, SOLID, Dash, Palette, palette_of
from aurum.charts.paths import step_path
from aurum.charts.specs import Curve, ForwardCurveChart, Size, Steps, Theme, Values

_WEIGHTS = (2.6, 1.9, 1.4)
"""Weights of kinds of periods in pixels, the finest first; kinds after the last have that of the last."""
_DASHED = 1.6


def draw_forward(chart: ForwardCurveChart, size: Size, theme: Theme) -> Canvas:
    """Return the picture of a forward curve. Raises ``ValueError`` for one without a price."""
    curves = [chart.curve, *([chart.reference] if chart.reference is not None else [])]
    prices = _priced([layer.values for curve in curves for layer in curve.layers])
    if not len(prices):
        raise ValueError("the chart has no price")
    priced = [layer.of(~np.isnan(layer.values)) for curve in curves for layer in curve.layers]
    days = np.unique(np.concatenate([one for layer in priced for one in (layer.starts, layer.ends)]) / 1e6).tolist()
    canvas = _canvas(chart, size, theme)
    moves = _priced([chart.moves.values]) if chart.moves is not None else np.array([])
    shares = (3.0, 1.0) if len(moves) else (1.0,)
    room = canvas.room
    scale = numbers_of(float(prices.min()), float(prices.max()), room * 3 / 4 if len(moves) else room)
    below = numbers_of(min(0.0, float(moves.min())), max(0.0, float(moves.max())), room / 1.5) if len(moves) else scale
    panels = canvas.panels(*shares, left=left_of(scale, below))
    panel = panels[0]
    canvas.value_axis(panel, scale, unit=chart.caption.unit)
    _delivery_axis(canvas, panel, days, labelled=not len(moves))
    _draw_layers(panel, chart.curve, canvas.palette)
    if chart.reference is not None:
        _draw_reference(panel, chart.reference, canvas.palette)
    if chart.moves is not None and len(moves):
        canvas.value_axis(panels[1], below, unit=f"{chart.moves.label}, {chart.caption.unit}")
        _delivery_axis(canvas, panels[1], days)
        _draw_moves(panels[1], chart.moves, canvas.palette)
    return canvas


def _delivery_axis(canvas: Canvas, panel: Panel, days: Sequence[float], *, labelled: bool = True) -> None:
    canvas.time_axis(panel, days[0], days[-1], days=days, labelled=labelled)


def _canvas(chart: ForwardCurveChart, size: Size, theme: Theme) -> Canvas:
    palette = palette_of(theme)
    entries = [
        Entry(_named(chart.curve, layer, place), _colour(palette, place), _weight(place))
        for place, layer in enumerate(chart.curve.layers)
        if not np.isnan(layer.values).all()
    ]
    if any(layer.built is not None and layer.built.any() for layer in chart.curve.layers):
        entries.append(Entry("from a build", palette.faint, _WEIGHTS[1], DOTTED))
    if chart.reference is not None:
        entries.append(Entry(chart.reference.label, palette.reference, _DASHED, DASHED))
    return Canvas(chart.caption, size, theme, entries)


def _named(curve: Curve, layer: Steps, place: int) -> str:
    return f"{curve.label}, {layer.label}" if place == 0 and curve.label else layer.label


def _draw_layers(panel: Panel, curve: Curve, palette: Palette) -> None:
    """Draw all quotes, and join the finest of each delivery."""
    for place, (finest, covered) in enumerate(by_cover(curve.layers)):
        for steps, joined in ((covered, False), (finest, True)):
            for part, dash in _by_origin(steps):
                panel.axes.plot(
                    *step_path(part, joined=joined),
                    color=_colour(palette, place),
                    linewidth=points(_weight(place)),
                    linestyle=dash,
                    solid_capstyle="butt",
                    dash_capstyle="butt",
                    solid_joinstyle="miter",
                    clip_on=False,
                    zorder=5 - place * 0.1,
                )


def _by_origin(steps: Steps) -> Iterator[tuple[Steps, Dash]]:
    """Yield the steps that quotes state, and those from a build, each with its dash."""
    if steps.built is None:
        yield steps, SOLID
        return
    yield steps.of(~steps.built), SOLID
    yield steps.of(steps.built), DOTTED


def _draw_reference(panel: Panel, curve: Curve, palette: Palette) -> None:
    for finest in uncovered(curve.layers):
        panel.axes.plot(
            *step_path(finest),
            color=palette.reference,
            linewidth=points(_DASHED),
            linestyle=DASHED,
            dash_capstyle="butt",
            clip_on=False,
            zorder=6,
        )


def _draw_moves(panel: Panel, moves: Steps, palette: Palette) -> None:
    priced = ~np.isnan(moves.values)
    starts, ends, values = moves.starts[priced] / 1e6, moves.ends[priced] / 1e6, moves.values[priced]
    gap = (ends - starts) * 0.12
    panel.axes.bar(
        starts + gap,
        values,
        width=ends - starts - 2 * gap,
        align="edge",
        color=[palette.up if one >= 0 else palette.down for one in values.tolist()],
        linewidth=0,
        zorder=3,
    )
    if not panel.axes.get_ylim()[0] < 0 < panel.axes.get_ylim()[1]:
        panel.axes.axhline(0, color=palette.faint, linewidth=points(1.0), zorder=2)


def _colour(palette: Palette, place: int) -> str:
    return palette.layers[min(place, len(palette.layers) - 1)]


def _weight(place: int) -> float:
    return _WEIGHTS[min(place, len(_WEIGHTS) - 1)]


def _priced(values: Sequence[Values]) -> Values:
    together = np.concatenate([*values, np.array([])])
    return together[~np.isnan(together)]
