"""Descriptions of charts. Instants are int64 microseconds since 1970-01-01 UTC, values float64; a NaN is a gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Instants: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class PictureFormat(StrEnum):
    """Format of a picture."""

    SVG = "svg"
    PNG = "png"


class Theme(StrEnum):
    """Colours of a picture: dark on white, for print, or light on dark."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels. Text and lines grow with the picture, so that a larger one is the same picture, sharper."""

    width: int = 960
    height: int = 540


@dataclass(frozen=True, slots=True)
class Caption:
    """The words around a chart. ``footnote``: as of when, and from which source. ``zone``: IANA name of its time axis."""

    title: str
    subtitle: str = ""
    unit: str = ""
    footnote: str = ""
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Values that hold over intervals ``[start, end)``, ascending.

    ``label``: of the legend, such as a kind of period. ``built``: values that no quotes state but a build; None: none of them.
    """

    label: str
    starts: Instants
    ends: Instants
    values: Values
    built: Flags | None = None

    def of(self, chosen: Flags) -> Steps:
        """Return some of the steps."""
        built = None if self.built is None else self.built[chosen]
        return Steps(self.label, self.starts[chosen], self.ends[chosen], self.values[chosen], built)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A forward curve. ``layers``: prices by kind of period, the finest first."""

    label: str
    layers: tuple[Steps, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ForwardCurveChart:
    """Prices by delivery. ``reference``: a second curve, drawn dashed. ``moves``: differences, as bars in a panel below."""

    caption: Caption
    curve: Curve
    reference: Curve | None = None
    moves: Steps | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Values through time. ``ends``: each value holds from ``starts`` to there; None: values of instants, joined by a line.

    ``breaks_after``: microseconds between neighbours that count as a gap; None: only a NaN, or intervals that are apart.
    ``is_overlay``: drawn thin and dashed above the other lines, which it may cover.
    """

    label: str
    starts: Instants
    ends: Instants | None
    values: Values
    breaks_after: int | None = None
    is_overlay: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant with a name, such as a roll."""

    at: int
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class LineChart:
    """Values through time, of several lines. The axis begins and ends where there are values.

    ``marks``: instants that are marked by a vertical line. ``of_days``: the instants are days, such as trade dates.
    """

    caption: Caption
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    of_days: bool = False


@dataclass(frozen=True, slots=True)
class BarChart:
    """Values by name, from top to bottom."""

    caption: Caption
    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class WaterfallChart:
    """Changes by name, each in parts that follow from one another: a step for each part, and a bar for their sum.

    ``parts``: names of the parts. ``rows``: names with the values of their parts.
    """

    caption: Caption
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]


Chart: TypeAlias = ForwardCurveChart | LineChart | BarChart | WaterfallChart
