"""The frame of a picture: its caption, legend, footnote and panels with axes. Lengths are pixels of a picture 960 by 540."""

# pyright: reportUnknownMemberType=false
# The types of matplotlib leave out those of keyword arguments.
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aurum.charts.palette import SOLID, Dash, Palette, palette_of
from aurum.charts.specs import Caption, Size, Theme
from aurum.charts.text import plain, width, wrapped
from aurum.charts.ticks import Scale, Tick, number_labels, number_scale, time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 96
_POINTS = 72 / DPI
"""Points of a pixel: matplotlib counts sizes of fonts and lines in points."""
EDGE, _RIGHT = 18.0, 36.0
_TITLE, _WORDS, _SMALL = 18.0, 12.5, 11.0
_SWATCH = 22.0
MARKER = 6.0
"""Size of a marker in pixels."""
_LEGEND_GAP = 16.0
_TICK_ROOM = 43.0
_MOST_LEGEND_LINES = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the legend: a stroke and its meaning. ``weight``: in pixels. ``marker``: on the stroke."""

    label: str
    colour: str
    weight: float
    dash: Dash = SOLID
    marker: str = ""
    alpha: float = 1.0


@dataclass(slots=True)
class Panel:
    """Axes of a picture. ``room``: its width in pixels."""

    axes: Axes
    room: float


class Canvas:
    """A picture in the making: ``panels`` gets the room that its caption, legend and footnote leave."""

    def __init__(self, caption: Caption, size: Size, theme: Theme, legend: Sequence[Entry]) -> None:
        from matplotlib.figure import Figure

        self.scale = scale_of(size)
        self.width, self.height = size.width / self.scale, size.height / self.scale
        self.palette: Palette = palette_of(theme)
        self.caption = caption
        dpi = DPI * self.scale
        self.figure: Figure = Figure(figsize=(size.width / dpi, size.height / dpi), dpi=dpi, facecolor=self.palette.paper)
        self.top = self._caption()
        self.top = self._legend(legend, self.top)
        self.bottom = self._footnote()

    @property
    def room(self) -> float:
        """Pixels of the height that panels share."""
        return self.height - self.top - self.bottom

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        """Write a text whose top is ``y`` pixels below the top of the picture."""
        # Mathematics is not parsed: a title may have a dollar sign.
        self.figure.text(
            x / self.width,
            1 - y / self.height,
            text,
            fontsize=size * _POINTS,
            color=colour,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="top",
            parse_math=False,
        )

    def panels(self, *heights: float, left: float) -> Sequence[Panel]:
        """Return panels one below the other. ``heights``: their shares. ``left``: pixels for the labels of numbers."""
        gap = 34.0
        room = self.room - gap * (len(heights) - 1)
        made: list[Panel] = []
        at = self.top
        for share in heights:
            tall = room * share / sum(heights)
            wide = self.width - left - _RIGHT
            rectangle = (left / self.width, 1 - (at + tall) / self.height, wide / self.width, tall / self.height)
            axes = self.figure.add_axes(rectangle, facecolor="none")
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
            axes.spines["bottom"].set_color(self.palette.faint)
            axes.spines["bottom"].set_linewidth(0.8 * _POINTS)
            axes.tick_params(length=0, colors=self.palette.faint, labelsize=_SMALL * _POINTS, pad=5 * _POINTS)
            axes.tick_params(axis="x", pad=8 * _POINTS)
            axes.set_axisbelow(True)
            axes.margins(0)
            made.append(Panel(axes, wide))
            at += tall + gap
        return made

    def value_axis(self, panel: Panel, scale: Scale, *, unit: str) -> None:
        """Draw the axis of values with its grid, and the unit above it."""
        axes = panel.axes
        axes.set_ylim(scale.low, scale.high)
        axes.set_yticks(list(scale.ticks), list(number_labels(scale.ticks)), parse_math=False)
        axes.grid(axis="y", color=self.palette.grid, linewidth=1.0 * _POINTS)
        if scale.low < 0 < scale.high:
            axes.axhline(0, color=self.palette.faint, linewidth=1.0 * _POINTS, zorder=1.5)
        box = axes.get_position()
        self.text(EDGE, (1 - box.y1) * self.height - 20, plain(unit), _SMALL, self.palette.faint)

    def time_axis(
        self, panel: Panel, start: float, end: float, *, days: Collection[float] | None = None, labelled: bool = True
    ) -> None:
        """Draw the axis of time of a span, in seconds since 1970-01-01 UTC.

        ``days``: as of ``time_ticks``. ``labelled``: else its grid alone.
        """
        axes = panel.axes
        ticks = time_ticks(start, end, self.caption.zone, most=max(2, int(panel.room / 62)), days=days)
        axes.set_xlim(start, end)
        axes.set_xticks([one.at for one in ticks], [_two_lines(one) if labelled else "" for one in ticks], parse_math=False)
        axes.grid(axis="x", color=self.palette.grid, linewidth=0.6 * _POINTS)

    def _caption(self) -> float:
        room = self.width - 2 * EDGE
        y = EDGE - 2
        for line in wrapped(self.caption.title, _TITLE * 1.08, room, lines=3):
            self.text(EDGE, y, line, _TITLE, self.palette.ink, bold=True)
            y += _TITLE * 1.3
        for line in wrapped(self.caption.subtitle, _WORDS, room, lines=2) if self.caption.subtitle else ():
            self.text(EDGE, y, line, _WORDS, self.palette.faint)
            y += _WORDS * 1.45
        return y + 4

    def _legend(self, entries: Sequence[Entry], top: float) -> float:
        """Draw the legend in lines below the caption. Return where the first panel begins."""
        from matplotlib.lines import Line2D

        if not entries:
            return top + 30
        x, y, lines = EDGE, top, 1
        for place, entry in enumerate(entries):
            label = wrapped(entry.label, _SMALL, self.width / 2, lines=1)[0]
            wide = _SWATCH + 6 + width(label, _SMALL)
            if x > EDGE and x + wide > self.width - EDGE:
                x, y, lines = EDGE, y + _SMALL * 1.5, lines + 1
            if lines > _MOST_LEGEND_LINES:
                self.text(EDGE, y, f"and {len(entries) - place} more", _SMALL, self.palette.faint)
                y += _SMALL * 0.2
                break
            middle = 1 - (y + _SMALL * 0.62) / self.height
            stroke = Line2D(
                [x / self.width, (x + _SWATCH / 2) / self.width, (x + _SWATCH) / self.width],
                [middle] * 3,
                color=entry.colour,
                linewidth=entry.weight * _POINTS,
                linestyle=entry.dash,
                alpha=entry.alpha,
                solid_capstyle="butt",
                marker=entry.marker,
                markevery=[1],
                markersize=points(MARKER),
            )
            self.figure.add_artist(stroke)
            self.text(x + _SWATCH + 6, y, label, _SMALL, self.palette.ink)
            x += wide + _LEGEND_GAP
        return y + _SMALL * 1.5 + 28

    def _footnote(self) -> float:
        """Draw the footnote. Return the pixels below the last panel."""
        lines = wrapped(self.caption.footnote, _SMALL, self.width - 2 * EDGE, lines=3) if self.caption.footnote else ()
        y = self.height - 10 - len(lines) * _SMALL * 1.4
        for line in lines:
            self.text(EDGE, y, line, _SMALL - 0.5, self.palette.faint)
            y += _SMALL * 1.4
        return _TICK_ROOM + 14 + len(lines) * _SMALL * 1.4


def points(pixels: float) -> float:
    """Return a length of matplotlib, in points."""
    return pixels * _POINTS


def scale_of(size: Size) -> float:
    """Return the pixels of a picture for each pixel of one 960 by 540.

    A larger picture is the same picture, sharper: text and lines keep their share of it. In a smaller one they keep more, so
    that they can be read.
    """
    share = min(size.width / 960, size.height / 540)
    return share if share > 1 else max(0.7, share**0.5)


def left_of(*scales: Scale) -> float:
    """Return the pixels that the labels of some axes of numbers need on their left."""
    widest = max(width(label, _SMALL) for one in scales for label in number_labels(one.ticks))
    return max(EDGE + widest + 12, 58.0)


def numbers_of(low: float, high: float, tall: float) -> Scale:
    """Return an axis of numbers. ``tall``: its pixels."""
    return number_scale(low, high, most=max(3, int(tall / 44)))


def _two_lines(tick: Tick) -> str:
    return f"{tick.label}\n{tick.below}" if tick.below else tick.label
