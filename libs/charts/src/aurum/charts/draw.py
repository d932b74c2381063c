"""Pictures of charts, by matplotlib: figures without ``pyplot``, whose bytes depend on the chart alone."""

# pyright: reportUnknownMemberType=false
# The types of matplotlib leave out those of keyword arguments.
from __future__ import annotations

import io
import logging
import re
import warnings
from typing import Any

from aurum.charts.specs import BarChart, Chart, ForwardCurveChart, PictureFormat, Size, Theme, WaterfallChart

_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    # The first comes with matplotlib, so that the places of text do not depend on the machine.
    "font.sans-serif": ["DejaVu Sans"],
    "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
    "svg.hashsalt": "aurum",  # ids in the file are the same each time
    "axes.unicode_minus": True,
    "text.usetex": False,
    "path.simplify": False,
}
_NO_DATES = {PictureFormat.SVG: {"Date": None, "Creator": "Aurum"}, PictureFormat.PNG: {"Software": None}}
_LENGTHS = re.compile(r'(<svg [^>]*?)width="[^"]*pt" height="[^"]*pt"')


def draw(chart: Chart, form: PictureFormat, size: Size | None = None, theme: Theme = Theme.LIGHT) -> bytes:
    """Return the picture of a chart. Raises ``ValueError`` for a chart without any value.

    The bytes are the same each time, with one release of matplotlib. A picture in PNG has exactly the pixels of its size.
    """
    # Before the import, which logs that it lists the fonts of the machine when it does so for the first time.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    size = size or Size()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font"
        )  # shown as boxes; in SVG as the reader's font has it
        if isinstance(chart, ForwardCurveChart):
            from aurum.charts.forward import draw_forward

            canvas = draw_forward(chart, size, theme)
        elif isinstance(chart, WaterfallChart):
            from aurum.charts.waterfall import draw_waterfall

            canvas = draw_waterfall(chart, size, theme)
        else:
            from aurum.charts.lines import draw_bars, draw_lines

            canvas = draw_bars(chart, size, theme) if isinstance(chart, BarChart) else draw_lines(chart, size, theme)
        (FigureCanvasSVG if form is PictureFormat.SVG else FigureCanvasAgg)(canvas.figure)
        out = io.BytesIO()
        canvas.figure.savefig(out, format=str(form), metadata=_NO_DATES[form], facecolor=canvas.palette.paper)
    return _in_pixels(out.getvalue(), size) if form is PictureFormat.SVG else out.getvalue()


def _in_pixels(svg: bytes, size: Size) -> bytes:
    """Return an SVG whose width and height are pixels; its coordinates stay."""
    text = svg.decode()
    return _LENGTHS.sub(rf'\1width="{size.width}" height="{size.height}"', text, count=1).encode()
