"""Pictures are valid files whose bytes depend on the chart alone, and hold whatever text they get."""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from aurum.charts import (
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
    draw,
)
from aurum.charts.messages import DrawRequest, decode, encode
from aurum.charts.palette import line_styles, palette_of

pytestmark = pytest.mark.needs_process
"""The first picture on a machine looks for fonts, with ``fc-list``."""

HOUR, DAY = 3_600_000_000, 86_400_000_000
START = 1_735_686_000_000_000  # 2024-12-31T23:00Z, midnight in Berlin
CAPTION = Caption("German power", "settlement on 2024-10-14", "EUR/MWh", "As known at 2024-10-14T18:00:00Z.", "Europe/Berlin")
SVG, PNG = PictureFormat.SVG, PictureFormat.PNG


def steps(label: str, count: int, days: int, *, first: int = 0, values: list[float] | None = None) -> Steps:
    starts = START + DAY * (first + days * np.arange(count, dtype=np.int64))
    numbers = np.arange(count, dtype=np.float64) * 7 % 11 - 3 if values is None else np.array(values)
    return Steps(label, starts, starts + days * DAY, numbers)


def forward(caption: Caption = CAPTION) -> ForwardCurveChart:
    built = replace(steps("quarters", 4, 90), built=np.array([False, True, False, False]))
    layers = (steps("months", 6, 30, values=[90, 85, np.nan, 60, -5, 70]), built, steps("years", 3, 360))
    curve = Curve("14 Oct 2024", layers)
    reference = Curve("11 Oct 2024", (steps("months", 6, 30),))
    return ForwardCurveChart(caption, curve, reference, steps("Move", 6, 30))


def lines(caption: Caption = CAPTION, count: int = 48) -> LineChart:
    starts = START + HOUR * np.arange(count, dtype=np.int64)
    values = np.sin(np.arange(count) / 5) * 40
    values[10:12] = np.nan
    held = Line("held", starts, starts + HOUR, values)
    joined = Line("joined", starts[::3], None, values[::3] + 5, 4 * HOUR)
    return LineChart(caption, (held, joined), (Mark(int(starts[20]), "roll"),))


def trade_dates(caption: Caption = CAPTION, labels: tuple[str, ...] = ("price", "adjusted"), count: int = 2) -> LineChart:
    starts = START + DAY * 3 * np.arange(count, dtype=np.int64)
    drawn = (Line(label, starts, None, 60 + place + np.arange(count) * 0.5) for place, label in enumerate(labels))
    return LineChart(caption, tuple(replace(one, is_overlay=one.label == "price") for one in drawn), of_days=True)


def bars(caption: Caption = CAPTION) -> BarChart:
    return BarChart(caption, (("Q1-25", 2.5), ("Q2-25", -1.25), ("2026", 0.0)))


def waterfall(caption: Caption = CAPTION, names: tuple[str, ...] = ("M+1", "M+2", "Q+1")) -> WaterfallChart:
    changes = ((-1.5, 10.5, 0.0, 0.0), (-0.75, 6.5, 0.25, 0.0), (0.0, 0.0, 0.0, 0.0))
    parts = ("quote move", "roll down", "correction", "methodology")
    return WaterfallChart(caption, parts, tuple(zip(names, changes, strict=False)))


CHARTS = [forward(), lines(), trade_dates(), bars(), waterfall()]


def texts(svg: bytes) -> str:
    """Return the words that an SVG shows, in the order of the file."""
    root = etree.fromstring(svg)
    return " ".join("".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text"))


def pixels(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("chart", CHARTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("theme", Theme)
def test_an_svg_is_xml_with_its_size_and_its_words_as_text(chart: Chart, theme: Theme) -> None:
    picture = draw(chart, SVG, Size(800, 450), theme)
    root = etree.fromstring(picture)
    assert (root.get("width"), root.get("height")) == ("800", "450")
    assert {"German power", "EUR/MWh", CAPTION.footnote} <= set(map(str, root.itertext()))
    assert not root.findall(".//{*}script")


@pytest.mark.parametrize("chart", CHARTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("size", [Size(320, 240), Size(961, 541), Size(1920, 1080)], ids=str)
def test_a_png_has_exactly_its_size(chart: Chart, size: Size) -> None:
    assert pixels(draw(chart, PNG, size)) == (size.width, size.height)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("form", PictureFormat)
def test_the_bytes_of_a_picture_depend_on_the_chart_alone(chart: Chart, form: PictureFormat) -> None:
    picture = draw(chart, form)
    assert draw(chart, form) == picture
    request = decode(encode(DrawRequest(chart, form, Size(), Theme.LIGHT)))
    assert draw(request.chart, request.format, request.size, request.theme) == picture


def test_two_processes_draw_the_same_bytes() -> None:
    program = (
        "import sys; from aurum.charts import draw; from aurum.charts.messages import decode;"
        "one = decode(sys.stdin.buffer.read()); sys.stdout.buffer.write(draw(one.chart, one.format, one.size, one.theme))"
    )
    message = encode(DrawRequest(forward(), SVG, Size(), Theme.LIGHT))
    drawn = [
        subprocess.run([sys.executable, "-c", program], input=message, capture_output=True, check=True, timeout=120).stdout
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1] == draw(forward(), SVG)


@pytest.mark.parametrize("form", PictureFormat)
@pytest.mark.parametrize(
    "title",
    [
        "</text><script>alert(1)</script>",
        "$\\frac{1}{0$ 100$",
        "]]> & <!-- \"quotes' &amp;",
        "nul \x00 bell \x07 half \ud800 not \uffff",
        "日本の電力 электричество ⚡ 🔥",
        "\u202egnirts\u202c",
        "word" * 400,
        "a b " * 400,
        "line\nbreak\ttab\rreturn",
        "",
    ],
    ids=["script", "mathematics", "xml", "controls", "scripts", "direction", "long word", "long", "breaks", "empty"],
)
def test_any_title_can_be_drawn(title: str, form: PictureFormat) -> None:
    caption = Caption(title, title, title[:40], title, "UTC")
    named = Line(title, np.array([START]), None, np.array([1.0]))
    for chart in (
        forward(caption),
        LineChart(caption, (named,), (Mark(START, title),)),
        BarChart(caption, ((title, 1.0),)),
        WaterfallChart(caption, (title,), ((title, (1.0,)),)),
    ):
        picture = draw(chart, form)
        if form is PNG:
            assert pixels(picture) == (960, 540)
            continue
        root = etree.fromstring(picture)
        assert not root.findall(".//{*}script")
        assert "\u202e" not in picture.decode()


def test_a_long_title_is_wrapped_and_ends_with_an_ellipsis() -> None:
    words = texts(draw(forward(Caption("a title of many words " * 40)), SVG))
    assert words.count("a title of") > 3
    assert "…" in words


def test_a_title_with_dollar_signs_is_no_mathematics() -> None:
    assert "10 $ to 20 $" in texts(draw(forward(Caption("10 $ to 20 $", unit="$/MWh")), SVG))


@pytest.mark.parametrize(
    "chart",
    [
        ForwardCurveChart(CAPTION, Curve("", (steps("months", 2, 30, values=[np.nan, np.nan]),))),
        ForwardCurveChart(CAPTION, Curve("", ())),
        LineChart(CAPTION, ()),
        LineChart(CAPTION, (Line("", np.array([START]), None, np.array([np.nan])),)),
        BarChart(CAPTION, ()),
        WaterfallChart(CAPTION, ("move",), ()),
    ],
)
def test_a_chart_without_a_value_is_no_picture(chart: Chart) -> None:
    with pytest.raises(ValueError, match="the chart has no"):
        draw(chart, PNG)


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-5.0, -4.0], [1e-9, 2e-9], [1e12, -1e12]], ids=str)
def test_any_range_of_values_has_an_axis(values: list[float]) -> None:
    starts = START + DAY * np.arange(len(values), dtype=np.int64)
    for ends in (None, starts + DAY):
        etree.fromstring(draw(LineChart(CAPTION, (Line("", starts, ends, np.array(values)),)), SVG))


def test_a_hundred_thousand_points_are_a_small_picture() -> None:
    assert len(draw(lines(count=100_000), SVG)) < 400_000


def test_unpriced_periods_are_gaps() -> None:
    whole = steps("months", 3, 30, values=[10.0, 11.0, 12.0])
    gap = steps("months", 3, 30, values=[10.0, np.nan, 12.0])
    drawn = [draw(ForwardCurveChart(CAPTION, Curve("", (one,))), SVG).count(b"M ") for one in (whole, gap)]
    assert drawn[1] > drawn[0] - 1


@pytest.mark.parametrize(
    "names", [("M+1", "M+2", "Q+1"), tuple(f"power:{one}:base:EXCHANGE M+1" * 3 for one in "ABC")], ids=len
)
def test_a_waterfall_has_the_parts_that_something_changed_by_and_each_total(names: tuple[str, ...]) -> None:
    shown = texts(draw(waterfall(names=names), SVG))
    assert all(word in shown for word in ("quote move", "roll down", "correction", "total", "+9.00", "+6.00", "+0.00"))
    assert "methodology" not in shown
    assert all(name[:30] in shown for name in names)


def test_a_waterfall_of_nothing_but_zeros_has_its_totals() -> None:
    shown = texts(draw(WaterfallChart(CAPTION, ("quote move",), (("M+1", (0.0,)),)), SVG))
    assert "M+1" in shown
    assert "+0.00" in shown


def test_the_first_picture_of_a_machine_logs_nothing(tmp_path: Path) -> None:
    program = (
        "import logging, os, sys; os.environ['MPLCONFIGDIR'] = sys.argv[1]; "
        "logging.basicConfig(level=logging.INFO); from aurum.charts import draw, PictureFormat; "
        "from aurum.charts.messages import decode; one = decode(sys.stdin.buffer.read()); draw(one.chart, PictureFormat.SVG)"
    )
    message = encode(DrawRequest(forward(), SVG, Size(), Theme.LIGHT))
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, input=message, capture_output=True, check=True, timeout=120)
    assert list(tmp_path.glob("fontlist*")), "the fonts were listed"
    assert done.stderr == b""


def test_trade_dates_are_days_with_a_marker_each() -> None:
    colour = palette_of(Theme.LIGHT).lines[0]
    for labels, markers in ((("",), 2), (("Jan-25", "Q1-25"), 3)):  # of two lines the legend has the marker as well
        shown = draw(trade_dates(labels=labels), SVG, Size(480, 270))
        assert sum(colour in str(one.get("style")) for one in etree.fromstring(shown).iter("{*}use")) == markers
        assert "1 Jan" in texts(shown)
        assert "4 Jan" in texts(shown)
        assert ":00" not in texts(shown).replace(CAPTION.footnote, "")
        assert "2 Jan" not in texts(shown)


@pytest.mark.parametrize("theme", Theme)
def test_lines_are_told_apart_by_colour_or_dash_and_by_marker(theme: Theme) -> None:
    styles = line_styles(palette_of(theme), 21)
    assert len({(one.colour, one.dash) for one in styles}) == 21
    assert len({one.marker for one in styles[:12]}) == 12


def test_an_axis_of_time_begins_and_ends_with_the_values_and_the_footnote_says_so() -> None:
    whole = trade_dates(labels=("price",), count=200)
    values = whole.lines[0].values.copy()
    values[:150] = values[190:] = np.nan
    shown = texts(draw(replace(whole, lines=(replace(whole.lines[0], values=values),)), SVG))
    assert "No values before 27 Mar 2026 or after 22 Jul 2026." in shown
    assert "2025" not in shown
    assert "No values" not in texts(draw(whole, SVG))


def test_a_year_of_hours_is_a_band_and_its_mean() -> None:
    shown = draw(lines(count=8_760), SVG)
    assert "held, mean of each day" in texts(shown)
    assert "lowest to highest of the day" in texts(shown)
    assert len(shown) < 250_000
    assert "mean of each" not in texts(draw(lines(count=100), SVG))
    assert "mean of each" not in texts(draw(trade_dates(count=8_760), SVG))


def test_prices_from_a_build_are_marked_in_the_legend() -> None:
    assert "from a build" in texts(draw(forward(), SVG))
    quoted = ForwardCurveChart(CAPTION, Curve("", (steps("months", 3, 30),)))
    assert "from a build" not in texts(draw(quoted, SVG))


def test_a_kind_of_period_has_one_weight_in_the_picture_and_in_the_legend() -> None:
    years = steps("years", 2, 360, values=[10.0, 12.0])
    chart = ForwardCurveChart(CAPTION, Curve("", (steps("months", 3, 30, values=[9.0, 9.5, 9.0]), years)))
    colour = palette_of(Theme.LIGHT).layers[1]
    root = etree.fromstring(draw(chart, SVG))
    styles = [str(one.get("style")) for one in root.iter("{*}path") if f"stroke: {colour}" in str(one.get("style"))]
    assert len(styles) >= 3
    assert len({style.split("stroke-width: ")[1].split(";")[0] for style in styles}) == 1


def test_the_axis_of_a_small_picture_is_no_wider_than_that_of_a_large_one() -> None:
    chart = ForwardCurveChart(CAPTION, Curve("", (steps("months", 4, 30, values=[65.0, 105.0, 90.0, 80.0]),)))
    shown = texts(draw(chart, SVG, Size(320, 240))).split()
    assert {"80", "100"} <= set(shown)
    assert not {"50", "125", "150"} & set(shown)


def test_the_grid_does_not_cross_the_number_of_a_bar() -> None:
    root = etree.fromstring(draw(waterfall(), SVG))
    group = next(one.getparent() for one in root.iter("{*}text") if one.text == "+9.00")
    while group.find("./{*}g/{*}path") is None:
        group = group.getparent()
    assert f"fill: {palette_of(Theme.LIGHT).paper}" in str(group.find("./{*}g/{*}path").get("style"))


def test_charts_are_described_without_matplotlib() -> None:
    program = "import aurum.charts, aurum.charts.messages, aurum.charts.sparkline, sys; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
