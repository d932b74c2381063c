"""Sparklines: the shape of a few values in the room of a word, as SVG of a few hundred bytes or as Unicode blocks."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT = 100.0, 24.0
_EDGE = 2.0
_COLOUR = "#0b4f8a"
_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline_svg(values: Sequence[float | None]) -> str:
    """Return a picture of values at equal steps, 100 by 24 pixels, with a dot at the last. None: a gap.

    Without a value it is empty; equal values are a line in the middle.
    """
    priced = [one for one in values if one is not None]
    low, high = min(priced, default=0.0), max(priced, default=0.0)
    step = (_WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)
    points = [
        None if one is None else f"{_short(_EDGE + place * step)} {_short(_height(one, low, high))}"
        for place, one in enumerate(values)
    ]
    path = ""
    before: str | None = None
    for point in points:
        if point is not None:
            path += f"{'M' if before is None else 'L'}{point}"
        before = point
    last = next((one.split(" ") for one in reversed(points) if one is not None), None)
    dot = f'<circle cx="{last[0]}" cy="{last[1]}" r="1.8" fill="{_COLOUR}"/>' if last is not None else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" '
        f'viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}"><path d="{path}" fill="none" stroke="{_COLOUR}" stroke-width="1.2" '
        f'stroke-linecap="round" stroke-linejoin="round"/>{dot}</svg>'
    )


def sparkline_blocks(values: Sequence[float | None]) -> str:
    """Return values as one block character each, from the lowest to the highest. None: a blank.

    >>> sparkline_blocks([1.0, 2.0, None, 4.0, 8.0]), sparkline_blocks([3.0, 3.0])
    ('▁▂ ▄█', '▄▄')
    """
    priced = [one for one in values if one is not None]
    low, high = min(priced, default=0.0), max(priced, default=0.0)
    return "".join(" " if one is None else _BLOCKS[_level(one, low, high)] for one in values)


def _level(value: float, low: float, high: float) -> int:
    if high <= low:
        return 3
    return min(int((value / 2 - low / 2) / (high / 2 - low / 2) * len(_BLOCKS)), len(_BLOCKS) - 1)


def _height(value: float, low: float, high: float) -> float:
    # Halves, because the difference of the largest numbers is none.
    share = 0.5 if high <= low else (value / 2 - low / 2) / (high / 2 - low / 2)
    return _HEIGHT - _EDGE - share * (_HEIGHT - 2 * _EDGE)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
