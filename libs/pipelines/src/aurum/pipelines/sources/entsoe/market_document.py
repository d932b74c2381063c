"""Reads market documents (IEC 62325): XML into a frame of points, and points into intervals.

A document holds ``TimeSeries``, each with attributes and ``Period``s of a start, an end, a resolution and ``Point``s of a
1-based position and a number. Times are UTC. ``curveType`` says what a missing position means: in A01 (also where there is
no ``curveType``) nothing was published; in A03 the point is equal to the one before and holds until the next position or
the end of the period. Namespaces change with the version of a document, so names are matched without them. On days when
clocks change the period is an hour shorter or longer, and nothing else happens.

The interval that a document states for all its series is not used: answers hold series of other days, too.

Source of the description: ENTSO-E "Transparency Platform RESTful API user guide" and "Introduction of different Timeseries
possibilities (curveType) with ENTSO-E electronic documents"; answers of 2017, 2024 and 2025.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl

from aurum.core.catalog import Kind, Reason
from aurum.core.frames import PARSED
from aurum.pipelines.reading.counts import only_counted_from_one
from aurum.pipelines.reading.dates import instant_of, time_of, times
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import PARSED_SERIES, Dataset, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.entsoe.codes import AREAS
from aurum.pipelines.sources.entsoe.datasets import PRICES, STEPS
from aurum.pipelines.xmltree import Element, column, read_xml, text_at

_ROOT = re.compile(r"<(?:\w+:)?(\w+_MarketDocument)[\s>]")
_MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
_STAMPS = ("%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ")
_POINT = pl.Schema({"period": pl.UInt32(), "line": pl.UInt32(), "position": pl.String(), "text": pl.String()})
_RAW_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one document.

    ``frame``: one row per point: ``line``, ``position``, ``text`` (its number), ``start``, ``end``, ``resolution``, ``curve``
    of its period and series, and the requested attributes; all text except ``line``. ``count``: number of points read.
    ``created``: when the platform answered, UTC, which says nothing of when the points were published.
    """

    document: SourceFile
    process: str
    created: datetime | None
    frame: pl.DataFrame
    count: int
    refusals: Refusals


def root_name(document: SourceFile) -> str:
    """Return the local name of the root element of a market document, from the head of the file; empty for other files."""
    match = _ROOT.search(document.head)
    return match[1] if match else ""


def is_document(root: str, code: str) -> Callable[[SourceFile], bool]:
    """Return a recogniser of market documents with a root element and a document type, for example A75."""
    wanted = re.compile(rf"<(?:\w+:)?type>\s*{code}\s*</")
    return lambda document: root_name(document) == root and wanted.search(document.head) is not None


def read_points(document: SourceFile, number: str, attributes: Mapping[str, str]) -> Points:
    """Return all points of a document. ``number``: the element of a point that holds its number; ``attributes``: paths in a
    ``TimeSeries`` by column name. Raises ``RefusedFile`` when the file is empty, malformed or without any point.
    """
    root = read_xml(document)
    periods: list[dict[str, str | None]] = []
    points: list[pl.DataFrame] = []
    for series in root.iterfind("{*}TimeSeries"):
        shared = {name: text_at(series, path) for name, path in attributes.items()} | {"curve": text_at(series, "curveType")}
        for period in series.iterfind("{*}Period"):
            points.append(_points_of(period, len(periods), number))
            periods.append(shared | _frame_of(period))
    if not any(part.height for part in points):
        raise RefusedFile("the document holds no point")
    texts = ["start", "end", "resolution", "curve", *attributes]
    about = pl.DataFrame(periods, schema=dict.fromkeys(texts, pl.String)).with_row_index("period")
    frame = pl.concat(points).join(about, on="period", how="left", maintain_order="left")
    refusals = Refusals(partial(_raw, document))
    process = text_at(root, "process.processType") or ""
    return Points(document, process, _created(root), frame, frame.height, refusals)


def _points_of(period: Element, index: int, number: str) -> pl.DataFrame:
    points = list(period.iterfind("{*}Point"))
    lines = [point.sourceline for point in points]
    texts = {"position": column(points, "position"), "text": column(points, number)}
    return pl.DataFrame({"period": [index] * len(points), "line": lines, **texts}, schema=_POINT)


def _frame_of(period: Element) -> dict[str, str | None]:
    return {
        "start": text_at(period, "timeInterval/start"),
        "end": text_at(period, "timeInterval/end"),
        "resolution": text_at(period, "resolution"),
    }


def _created(root: Element) -> datetime | None:
    text = text_at(root, "createdDateTime")
    if text is None:
        return None
    created = instant_of(text)
    if created is None and time_of(text, ("%Y-%m-%dT%H:%M:%S",)) is None:
        raise RefusedFile(f"createdDateTime {text!r} is not a time")
    return created


def _raw(document: SourceFile, line: int) -> str:
    """Return a point's markup: the lines from its start tag to its end tag, cut short where a file has no line ends."""
    text = " ".join(part.strip() for part in document.lines[line - 1 : line + 4])
    return text.partition("</Point>")[0][:_RAW_LIMIT]


def only(points: pl.DataFrame, refusals: Refusals, column: str, header: str, codes: set[str]) -> pl.DataFrame:
    """Return the points whose code is among ``codes``; the others, and those without a code, are held back."""
    bad = ~pl.col(column).is_in(sorted(codes)).fill_null(False)
    return refusals.rows(points, bad, column=header, reason=Reason.UNKNOWN_CODE, detail=pl.col(column))


def intervals(points: Points, number: str) -> pl.DataFrame:
    """Return one row per interval: ``ts``, ``value``, ``line``, ``step`` (last word of its measure) and the attributes.

    A point of an A03 curve holds for all intervals up to the next position. Points whose position or number cannot be read
    are held back, together with the intervals they would have held for.
    """
    refusals = points.refusals
    frame = only(points.frame, refusals, "resolution", "resolution", set(_MINUTES))
    frame = only(frame.with_columns(pl.col("curve").fill_null("A01")), refusals, "curve", "curveType", {"A01", "A03"})
    frame = _runs(_placed(frame, refusals))
    frame = refusals.rows(frame, pl.col("text").is_null(), column=number, reason=Reason.MISSING_FIELD)
    frame = refusals.numbers(frame.rename({"text": number}), {"value": number}).drop_nulls("value")
    frame = frame.with_columns(offset=pl.int_ranges(0, pl.col("run"))).explode("offset")
    since = (pl.col("place") - 1 + pl.col("offset")) * pl.col("minutes")
    return frame.with_columns(
        ts=(pl.col("begin") + pl.duration(minutes=since)).dt.replace_time_zone("UTC"),
        step=pl.format("{}min", "minutes"),
    )


def _placed(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the points with valid ``begin``, ``minutes``, ``place`` (position) and ``count`` (intervals of the period)."""
    frame = frame.with_columns(
        begin=_stamp("start"),
        finish=_stamp("end"),
        minutes=pl.col("resolution").replace_strict(_MINUTES, return_dtype=pl.Int64),
        place=whole(pl.col("position")),
    ).with_columns(count=(pl.col("finish") - pl.col("begin")).dt.total_minutes() // pl.col("minutes"))
    lost = pl.col("count").is_null() | (pl.col("count") < 1)
    frame = refusals.rows(frame, lost, column="timeInterval", reason=Reason.INVALID_TIME, detail=pl.col("start"))
    frame = only_counted_from_one(
        frame,
        refusals,
        is_zero=pl.col("place") == 0,
        is_last=pl.col("place") == pl.col("count"),
        within="period",
        column="position",
        what="positions begin at 1",
    )
    outside = ~pl.col("place").is_between(1, pl.col("count")).fill_null(False)
    return refusals.rows(frame, outside, column="position", reason=Reason.INVALID_TIME, detail=pl.col("position"))


def _stamp(column: str) -> pl.Expr:
    return times(pl.col(column), _STAMPS)


def _runs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the points with ``run``, the number of intervals each holds for. Two points at one position have the same run."""
    places = (
        frame.select("period", "place", "count")
        .unique(["period", "place"])
        .sort("period", "place")
        .with_columns(next=pl.col("place").shift(-1).over("period").fill_null(pl.col("count") + 1))
        .select("period", "place", "next")
    )
    joined = frame.join(places, on=["period", "place"], how="left", maintain_order="left")
    return joined.with_columns(run=pl.when(pl.col("curve") == "A03").then(pl.col("next") - pl.col("place")).otherwise(1))


def parsed(points: Points, dataset: Dataset, frame: pl.DataFrame, *, first: bool = True) -> Parsed:
    """Return the result of a parser.

    ``frame``: rows of ``intervals`` with ``location``, ``measure``, ``unit``, ``currency``, ``labels`` and, of generation by
    fuel, ``fuel``: the platform's code. Series that
    repeat an interval with the same value are one. ``first``: this part reports the refused rows and counts the rows read;
    only one part of a document may do so.
    """
    frame = frame.unique(["location", "measure", "ts", "value"], keep="first", maintain_order=True)
    rows = frame.select(
        "location",
        "measure",
        "ts",
        "value",
        pl.lit(0, dtype=pl.Int16).alias("quality"),
        pl.lit(0, dtype=pl.Int16).alias("version"),
        "line",
    ).select(list(PARSED))
    return Parsed(
        dataset=dataset,
        rows=rows,
        series=_described(dataset, frame, rows),
        refused=points.refusals.frame() if first else points.refusals.frame().clear(),
        rows_read=points.count if first else 0,
        raw=partial(_raw, points.document),
        answered_at=points.created,
    )


def _described(dataset: Dataset, frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    said = frame.select("location", "measure", "unit", "currency", "step", "labels").unique(
        ["location", "measure"], keep="first", maintain_order=True
    )
    fuels = dict(frame.select("measure", "fuel").unique().rows()) if "fuel" in frame.columns else None
    series = describe_series(dataset, rows, fuels=fuels).drop("unit", "currency", "labels", "zone", "location_name")
    return (
        series.join(said, on=["location", "measure"], how="left", maintain_order="left")
        .join(_areas(dataset), on="location", how="left", maintain_order="left")
        .with_columns(
            pl.col("zone").fill_null("UTC"),
            pl.col("location_name").fill_null(""),
            labels=pl.when(pl.col("zone").is_null()).then(_with_label("labels", "zone", "undeclared")).otherwise("labels"),
            frequency=pl.col("step").replace_strict({step: str(each) for step, each in STEPS.items()}, return_dtype=pl.String),
            location_type=pl.lit("area"),
            # That of a fuel without a name here, too, whose measure is not declared.
            kind=pl.when(pl.col("measure").str.starts_with("consumption_")).then(pl.lit(Kind.LOAD)).otherwise("kind"),
        )
        .select(list(PARSED_SERIES))
    )


def _areas(dataset: Dataset) -> pl.DataFrame:
    """Return the known areas: ``location``, ``location_name`` and the ``zone`` in which the days of a dataset are counted."""
    is_price = dataset in PRICES
    return pl.DataFrame(
        [(code, area.name, area.trading if is_price else area.civil) for code, area in AREAS.items()],
        schema={"location": pl.String, "location_name": pl.String, "zone": pl.String},
        orient="row",
    )


def _with_label(column: str, name: str, value: str) -> pl.Expr:
    """Return a column of JSON objects of strings with one more member."""
    member = json.dumps({name: value})
    separated = pl.col(column).str.strip_suffix("}") + pl.lit(", " + member[1:])
    return pl.when(pl.col(column) == "{}").then(pl.lit(member)).otherwise(separated)
