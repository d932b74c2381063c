"""IESO ``PUB_GenOutputbyFuelHourly_<year>.xml``: the output of Ontario's generators of 20 MW and more by fuel, MW.

    Document / DocHeader / CreatedAt                            when the report was written, EST: its known time
             / DocBody / DeliveryYear                           the year of every day in the report
                       / DailyData * / Day, HourlyData * / Hour, FuelTotal * / Fuel, EnergyValue / OutputQuality, Output

One file holds a year up to yesterday and is rewritten every day. ``Hour`` is hour-ending 1..24 in Eastern Standard Time
all year: 24 hours on the days on which Toronto's clocks change, and nothing is ambiguous. ``OutputQuality`` is, in the words
of the schema, a flag that gives the number of unavailable data points: 0 is a complete sum; any other value (-1 and -2 are
seen) marks a sum from which data points are missing, which is stored as ``ESTIMATED``. ``Output`` may be left out: nothing
was published. A line is the position of a ``FuelTotal`` in the document.

Source of the description: the report of 2016, its schema GenOutputbyFuelHourly_r1.xsd as others quote it, pyiso ``ieso.py``.
"""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl

from aurum.core.catalog import Quality, Reason
from aurum.core.frames import PARSED
from aurum.core.markettime import hour_ending
from aurum.pipelines.fuels import fuel_measures, only_words, words_of
from aurum.pipelines.named_content import all_of, days_in_name
from aurum.pipelines.reading.counts import only_counted_from_one
from aurum.pipelines.reading.dates import days, local_instant_of, read_once
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import FileFormat, NamedContent, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.ieso.datasets import GEN_OUTPUT_BY_FUEL_HOURLY, ZONE
from aurum.pipelines.xmltree import Element, column, markup, read_xml, text_at

_DOCUMENT = "GenOutputbyFuelHourly"
_AREA = "IESO"
_YEAR = re.compile(r"<(?:\w+:)?DeliveryYear>\s*([12]\d{3})\s*<")


def _recognise(document: SourceFile) -> bool:
    if not document.content.strip():
        return _DOCUMENT.lower() in document.name.lower()
    return document.head.lstrip().startswith("<") and f'docID="{_DOCUMENT}"' in document.head


def _delivery_year(document: SourceFile) -> NamedContent | None:
    match = _YEAR.search(document.head)
    if match is None:
        return None
    year = int(match[1])
    return NamedContent(date(year, 1, 1), date(year, 12, 31), ZONE, where=f"DeliveryYear {year}")


def _created_at(root: Element) -> datetime | None:
    """Return ``CreatedAt``, in UTC; None when the header has none."""
    text = text_at(root, "DocHeader/CreatedAt")
    if text is None:
        return None
    created = local_instant_of(text, ("%Y-%m-%dT%H:%M:%S",), ZONE)
    if created is None:
        raise RefusedFile(f"CreatedAt {text!r} is not a time")
    return created


def _totals(root: Element) -> tuple[pl.DataFrame, list[Element]]:
    """Return one row per ``FuelTotal``, with its texts unchanged, and the elements themselves."""
    days = [(text_at(day, "Day"), day) for day in root.iter("{*}DailyData")]
    hours = [(label, text_at(hour, "Hour"), hour) for label, day in days for hour in day.iterfind("{*}HourlyData")]
    totals = [(day, label, total) for day, label, hour in hours for total in hour.iterfind("{*}FuelTotal")]
    if not totals:
        raise RefusedFile("no FuelTotal under DocBody/DailyData/HourlyData: not a report of generation by fuel")
    elements = [total for _, _, total in totals]
    rows = pl.DataFrame(
        {
            "Day": [day for day, _, _ in totals],
            "Hour": [hour for _, hour, _ in totals],
            "Fuel": column(elements, "Fuel"),
            "OutputQuality": column(elements, "EnergyValue/OutputQuality"),
            "Output": column(elements, "EnergyValue/Output"),
        },
        schema=dict.fromkeys(("Day", "Hour", "Fuel", "OutputQuality", "Output"), pl.String),
    )
    return rows.with_row_index("line", offset=1), elements


def _interval_starts(rows: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    rows = only_counted_from_one(
        rows,
        refusals,
        is_zero=pl.col("Hour").is_in(["0", "00"]),
        is_last=pl.col("Hour") == "24",
        within="Day",
        column="Hour",
        what="IESO's hours end at 1 to 24",
    )
    ts = hour_ending(days(pl.col("Day"), ("%Y-%m-%d",)), whole(pl.col("Hour")), ZONE)
    rows = read_once(rows, ["Day", "Hour"], ts.alias("ts"))
    return refusals.rows(rows, pl.col("ts").is_null(), column="Hour", reason=Reason.INVALID_TIME)


def _with_quality(rows: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    missing_points = whole(pl.col("OutputQuality"))
    has_output = pl.col("Output").is_not_null()
    rows = refusals.rows(
        rows,
        has_output & missing_points.is_null(),
        column="OutputQuality",
        reason=Reason.UNKNOWN_CODE,
        detail=pl.col("OutputQuality"),
    )
    quality = pl.when(missing_points == 0).then(int(Quality.GOOD)).otherwise(int(Quality.ESTIMATED))
    return rows.with_columns(quality.cast(pl.Int16).alias("quality"))


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    root = read_xml(document)
    totals, elements = _totals(root)

    def raw(line: int) -> str:
        return markup(elements[line - 1]) if 0 < line <= len(elements) else ""

    refusals = Refusals(raw)
    rows = _interval_starts(totals, refusals)
    rows = only_words(rows, "Fuel", refusals)
    measures = fuel_measures(GEN_OUTPUT_BY_FUEL_HOURLY, rows["Fuel"].unique())
    measure = pl.col("Fuel").replace_strict(measures, return_dtype=pl.String)
    rows = rows.with_columns(measure.alias("measure"), pl.lit(_AREA).alias("location"))
    rows = refusals.numbers(_with_quality(rows, refusals), {"value": "Output"})
    observed = (
        rows.drop_nulls("value")
        .with_columns(pl.lit(0, dtype=pl.Int16).alias("version"), pl.col("line").cast(pl.UInt32))
        .select(list(PARSED))
    )
    series = describe_series(GEN_OUTPUT_BY_FUEL_HOURLY, observed, fuels=words_of(measures))
    refused = refusals.frame()
    return (Parsed(GEN_OUTPUT_BY_FUEL_HOURLY, observed, series, refused, totals.height, raw, _created_at(root)),)


FORMAT = FileFormat(
    name="IESO GenOutputbyFuelHourly XML",
    datasets=(GEN_OUTPUT_BY_FUEL_HOURLY,),
    recognise=_recognise,
    parse=_parse,
    named=all_of(days_in_name(r"GenOutputbyFuelHourly_(?P<year>\d{4})(?!\d)", ZONE), _delivery_year),
    columns=("DocHeader", "DocBody", "DeliveryYear", "DailyData", "HourlyData", "FuelTotal", "Fuel", "Output"),
)
