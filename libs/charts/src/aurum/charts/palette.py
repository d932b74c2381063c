"""Colours of charts: those of lines are told apart by colour-blind readers, too (Okabe and Ito, 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aurum.charts.specs import Theme

Dash: TypeAlias = Literal["-"] | tuple[float, tuple[float, ...]]
"""Style of a stroke, as matplotlib takes it: lengths are widths of the stroke."""
SOLID: Dash = "-"
DASHED: Dash = (0, (4, 2))
DOTTED: Dash = (0, (1, 1))
_DASHES = (SOLID, DASHED, (0, (5, 1.5, 1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", ">", "p", "h")
"""Markers of several lines, by which they are told apart without their colours."""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """The look of a line among others."""

    colour: str
    dash: Dash
    marker: str


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a theme. ``lines``: by place. ``layers``: kinds of periods, the finest first. ``up``, ``down``: of moves.

    ``parts``: of a change, by place, ``total`` their sum: on a grey print each is lighter than the one before.
    """

    paper: str
    ink: str
    faint: str
    grid: str
    lines: tuple[str, ...]
    layers: tuple[str, ...]
    reference: str
    up: str
    down: str
    parts: tuple[str, ...]
    total: str


_LIGHT = Palette(
    paper="#ffffff",
    ink="#1c2430",
    faint="#5b6675",
    grid="#e3e7ec",
    lines=("#0b4f8a", "#d55e00", "#009e73", "#a3507f", "#7a6a00", "#3f8fc4", "#444c56"),
    layers=("#0b4f8a", "#3f8fc4", "#8a94a1", "#b3a25a", "#7d5ba6", "#2f6f62"),
    reference="#d55e00",
    up="#0b4f8a",
    down="#d55e00",
    parts=("#0b4f8a", "#d55e00", "#e6a532", "#c3ccd8"),
    total="#1c2430",
)
_DARK = Palette(
    paper="#12161c",
    ink="#e8ecf1",
    faint="#a3adba",
    grid="#2a313b",
    lines=("#56b4e9", "#e69f00", "#2fc796", "#d98fb9", "#f0e442", "#8fc7ee", "#c3cad3"),
    layers=("#56b4e9", "#3d83b0", "#8a94a1", "#b3a25a", "#b79ad6", "#6fb5a5"),
    reference="#e69f00",
    up="#56b4e9",
    down="#e69f00",
    parts=("#56b4e9", "#d0701c", "#8f6b1e", "#4d5866"),
    total="#e8ecf1",
)


def line_styles(palette: Palette, count: int) -> tuple[LineStyle, ...]:
    """Return the styles of some lines. Where the colours are used up they come again with another dash: 21 are distinct."""
    colours = len(palette.lines)
    return tuple(
        LineStyle(palette.lines[place % colours], _DASHES[place // colours % len(_DASHES)], _MARKERS[place % len(_MARKERS)])
        for place in range(count)
    )


def palette_of(theme: Theme) -> Palette:
    """Return the colours of a theme."""
    return _DARK if theme is Theme.DARK else _LIGHT
