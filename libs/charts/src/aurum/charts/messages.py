"""A request to draw a chart as bytes, for a drawing process: JSON whose arrays are lists, and a NaN is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

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

_Document = Mapping[str, Any]
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SERIALIZE_DATACLASS


@dataclass(frozen=True, slots=True, eq=False)
class DrawRequest:
    """A chart to draw, with the form of its picture."""

    chart: Chart
    format: PictureFormat
    size: Size
    theme: Theme


def encode(request: DrawRequest) -> bytes:
    """Return the bytes of a request."""
    kind = type(request.chart).__name__
    document = {"kind": kind, "chart": request.chart, "format": request.format, "size": request.size, "theme": request.theme}
    return orjson.dumps(document, option=_OPTIONS, default=_listed)


def decode(message: bytes) -> DrawRequest:
    """Return the request of ``encode``. Raises ``ValueError`` for other bytes."""
    document: _Document = orjson.loads(message)
    kind = document["kind"]
    kinds = {"ForwardCurveChart": _forward, "LineChart": _lines, "BarChart": _bars, "WaterfallChart": _waterfall}
    if kind not in kinds:
        raise ValueError(f"{kind!r} is not a kind of chart")
    chart = kinds[kind](document["chart"])
    return DrawRequest(chart, PictureFormat(document["format"]), Size(**document["size"]), Theme(document["theme"]))


def _forward(chart: _Document) -> ForwardCurveChart:
    reference, moves = chart["reference"], chart["moves"]
    return ForwardCurveChart(
        Caption(**chart["caption"]),
        _curve(chart["curve"]),
        None if reference is None else _curve(reference),
        None if moves is None else _steps(moves),
    )


def _lines(chart: _Document) -> LineChart:
    lines = tuple(
        Line(
            one["label"],
            _instants(one["starts"]),
            None if one["ends"] is None else _instants(one["ends"]),
            _values(one["values"]),
            one["breaks_after"],
            one["is_overlay"],
        )
        for one in chart["lines"]
    )
    return LineChart(Caption(**chart["caption"]), lines, tuple(Mark(**one) for one in chart["marks"]), chart["of_days"])


def _bars(chart: _Document) -> BarChart:
    return BarChart(Caption(**chart["caption"]), tuple((label, value) for label, value in chart["bars"]))


def _waterfall(chart: _Document) -> WaterfallChart:
    rows = tuple((label, tuple(values)) for label, values in chart["rows"])
    return WaterfallChart(Caption(**chart["caption"]), tuple(chart["parts"]), rows)


def _curve(curve: _Document) -> Curve:
    return Curve(curve["label"], tuple(_steps(one) for one in curve["layers"]))


def _steps(steps: _Document) -> Steps:
    built = None if steps["built"] is None else np.array(steps["built"], np.bool_)
    return Steps(steps["label"], _instants(steps["starts"]), _instants(steps["ends"]), _values(steps["values"]), built)


def _listed(value: object) -> object:
    if isinstance(value, np.ndarray):  # one that is not contiguous
        return np.ascontiguousarray(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    raise TypeError(f"{type(value).__name__} is not part of a chart")


def _instants(values: Sequence[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, np.int64)


def _values(values: Sequence[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, np.float64)
