"""Reads GHCN-Daily files of one station with one row per element and day.

* ``date,attr,value,a,b,c,d``: an extract whose station is only in the name of the file (``USW00094728.csv``), so a file
  without one in its name is not recognised. ``a`` to ``d`` are the measurement, quality and source flags and the time.
* ``ID,DATE,ELEMENT,DATA_VALUE,M_FLAG,Q_FLAG,S_FLAG,OBS_TIME``: NOAA's own files by station.

Source of the description: a file of 2014 of Central Park; NOAA/NCEI, readme-by_station.txt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import header_of, is_daily, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.noaa.datasets import GHCN_DAILY
from aurum.pipelines.sources.noaa.elements import STATION, Elements, parse_elements, station_in_name

_EXTRACT = ("date", "attr", "value", "a", "b", "c", "d")
_OWN = ("ID", "DATE", "ELEMENT", "DATA_VALUE", "M_FLAG", "Q_FLAG", "S_FLAG", "OBS_TIME")


def _headed(document: SourceFile, header: Sequence[str]) -> bool:
    return header_of(document) == tuple(header)


def _is_daily(document: SourceFile, day: str) -> bool:
    return is_daily(sample_of(document).column(day))


def _parse(
    document: SourceFile, header: Sequence[str], station: Callable[[SourceFile], pl.Expr], day: int
) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, header, refusals)
    count = table.height + refusals.frame().height
    places = zip(("day", "element", "value", "measured", "failed"), range(day, day + 5), strict=True)
    frame = table.select("line", station(document).alias("station"), *(pl.col(header[n]).alias(name) for name, n in places))
    return (parse_elements(Elements(frame, refusals, document.raw, count, {})),)


def _by_name(document: SourceFile) -> pl.Expr:
    match = STATION.search(document.name.upper())
    if match is None:
        raise RefusedFile(f"the name of the file, {document.name!r}, names no station")
    return pl.lit(match[0])


EXTRACT = FileFormat(
    name="NOAA GHCN-Daily extract of a station CSV",
    datasets=(GHCN_DAILY,),
    recognise=lambda document: (
        _headed(document, _EXTRACT) and STATION.search(document.name.upper()) is not None and _is_daily(document, "date")
    ),
    parse=lambda document: _parse(document, _EXTRACT, _by_name, 0),
    columns=_EXTRACT,
    explain=lambda document: (
        "an extract of GHCN-Daily does not say its station: it must be in the name of the file, as in USW00094728.csv"
        if _headed(document, _EXTRACT) and STATION.search(document.name.upper()) is None
        else ""
    ),
)
BY_STATION = FileFormat(
    name="NOAA GHCN-Daily by-station CSV",
    datasets=(GHCN_DAILY,),
    recognise=lambda document: _headed(document, _OWN) and _is_daily(document, "DATE"),
    parse=lambda document: _parse(document, _OWN, lambda _: pl.col("ID"), 1),
    named=station_in_name,
    columns=_OWN,
)
