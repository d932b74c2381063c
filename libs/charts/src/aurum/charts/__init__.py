"""Charts of prices over delivery or time: what a chart shows, and its drawing as SVG or PNG.

    chart = LineChart(Caption("Day-ahead price", unit="EUR/MWh", zone="Europe/Berlin"), (Line("DE", starts, ends, values),))
    picture = draw(chart, PictureFormat.SVG, Size(960, 540))

specs        what a chart shows: frozen descriptions without any drawing     messages     a request to draw, as bytes
draw         pictures of charts, by matplotlib                               sparkline    tiny pictures, without it

Only ``draw`` and what it calls import matplotlib, when the first chart is drawn: that takes most of a second and 70 MiB.
"""

from aurum.charts.draw import draw
from aurum.charts.specs import (
    BarChart,
    Caption,
    Chart,
    Curve,
    ForwardCurveChart,
    Line,
    LineChart,
    Mark,
    PictureFormat,
    Size,
    Steps,
    Theme,
    WaterfallChart,
)

__all__ = [
    "BarChart",
    "Caption",
    "Chart",
    "Curve",
    "ForwardCurveChart",
    "Line",
    "LineChart",
    "Mark",
    "PictureFormat",
    "Size",
    "Steps",
    "Theme",
    "WaterfallChart",
    "draw",
]
