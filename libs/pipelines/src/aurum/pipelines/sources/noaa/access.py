"""NOAA's own CSV of a station in GHCN-Daily (``access/USW00094728.csv``): one row per day, two columns per element.

``STATION,DATE,LATITUDE,LONGITUDE,ELEVATION,NAME``, then each element and its ``_ATTRIBUTES``: measurement, quality and source
flag and perhaps a time, joined by commas in one cell. All cells are quoted, numbers padded with blanks. Monthly and yearly
summaries have the same first columns; their dates have no day and they are not recognised.

Source of the description: NOAA/NCEI, GHCN-Daily access files, as quoted by their users. No real file was available.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import is_daily, sample_of
from aurum.pipelines.source import FileFormat, Parsed, SourceFile
from aurum.pipelines.sources.noaa.datasets import GHCN_DAILY
from aurum.pipelines.sources.noaa.elements import STATION, Elements, parse_elements, station_in_name

_PLACE = ["STATION", "DATE", "LATITUDE", "LONGITUDE", "ELEVATION", "NAME"]
_FLAGS = "_ATTRIBUTES"
_DAILY = re.compile(r'^"?\w{11}"?,\s*"?\d{4}-\d{2}-\d{2}"?,')
_SUMMARY_OF_DAY = {"TEMP", "DEWP", "SLP", "STP", "VISIB", "WDSP", "MXSPD", "GUST", "FRSHTT"}
_ELEMENT = re.compile(r"[A-Z]{2}[A-Z0-9]{2}")


def _recognise(document: SourceFile) -> bool:
    lines = document.head_lines(2)
    header = [name.strip().strip('"') for name in lines[0].split(",")]
    paired = len(header) > 7 and header[7] == header[6] + _FLAGS and _ELEMENT.fullmatch(header[6]) is not None
    daily = header[:6] == _PLACE and paired and len(lines) > 1 and _DAILY.match(lines[1]) is not None
    # The Global Summary of the Day has the same first columns and other units.
    return daily and _SUMMARY_OF_DAY.isdisjoint(header) and _holds_days(document)


def _holds_days(document: SourceFile) -> bool:
    sample = sample_of(document)
    stations = [STATION.fullmatch(text) for text in sample.column("STATION")]
    return stations.count(None) * 2 < len(stations) and is_daily(sample.column("DATE"))


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, _PLACE, refusals)
    count = table.height + refusals.frame().height
    elements = [name for name in table.columns if f"{name}{_FLAGS}" in table.columns]
    flags = pl.col("flags").str.split(",")
    frame = pl.concat([_column(table, element) for element in elements]).select(
        "line",
        "station",
        "day",
        "element",
        "value",
        flags.list.get(0, null_on_oob=True).replace("", None).alias("measured"),
        flags.list.get(1, null_on_oob=True).replace("", None).alias("failed"),
    )
    names = dict(table.select("STATION", "NAME").drop_nulls().unique("STATION").iter_rows())  # rows: one a station
    return (parse_elements(Elements(frame, refusals, document.raw, count, names)),)


def _column(table: pl.DataFrame, element: str) -> pl.DataFrame:
    return table.filter(pl.col(element).is_not_null()).select(
        "line",
        pl.col("STATION").alias("station"),
        pl.col("DATE").alias("day"),
        pl.lit(element).alias("element"),
        pl.col(element).alias("value"),
        pl.col(f"{element}{_FLAGS}").alias("flags"),
    )


FORMAT = FileFormat(
    "NOAA GHCN-Daily access CSV", (GHCN_DAILY,), _recognise, _parse, named=station_in_name, columns=tuple(_PLACE)
)
