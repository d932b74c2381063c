"""A station's daily summaries in US units, as NOAA's Past Weather page downloads them.

First the station in quotes, its id in brackets at the end, ``"INDIANAPOLIS WEATHER FORECAST OFFICE, IN US (USC00124260)"``,
then ``Date,TAVG (Degrees Fahrenheit),...``. An empty cell is missing. Numbers stay in the units published, so they are a
dataset of their own beside GHCN-Daily's metric one.

Source of the description: a file of Indianapolis, 2011 to 2025.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.pipelines.reading.dates import with_days
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import is_daily, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.noaa.datasets import PAST_WEATHER, ZONE
from aurum.pipelines.sources.noaa.elements import station_in_name

_TITLE = re.compile(r'^"?(?P<name>.*\S)\s*\((?P<station>[A-Z0-9]{11})\)"?\s*$')
_NUMBERS = {measure.column: measure.name for measure in PAST_WEATHER.measures}
_COLUMN = re.compile(r"[A-Z0-9]{4} \(\w[\w ]*\)")


def _header(document: SourceFile) -> list[str]:
    lines = document.head_lines(2)
    return [name.strip().strip('"') for name in lines[1].split(",")] if len(lines) > 1 else []


def _recognise(document: SourceFile) -> bool:
    header = _header(document)
    titled = _TITLE.match(document.head_lines(1)[0]) is not None
    headed = titled and header[:1] == ["Date"] and len(header) > 1 and _COLUMN.fullmatch(header[1]) is not None
    return headed and not _problem(document)


def _problem(document: SourceFile) -> str:
    """Return why a table is not one of daily summaries; empty where it may be."""
    sample = sample_of(document, header_line=2)
    if not is_daily(sample.column("Date")):
        return "past weather is daily, and most of these dates are farther apart"
    highs, lows = (sample.column(f"{element} (Degrees Fahrenheit)") for element in ("TMAX", "TMIN"))
    pairs = [(int(high), int(low)) for high, low in zip(highs, lows, strict=False) if high.isdecimal() and low.isdecimal()]
    if len(highs) == len(lows) and sum(1 for high, low in pairs if high < low) * 2 > len(pairs):
        return "TMAX is below TMIN on most days: the columns are not those that their headers say"
    return ""


def _explain(document: SourceFile) -> str:
    return _problem(document) if _TITLE.match(document.head_lines(1)[0]) and _header(document)[:1] == ["Date"] else ""


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    title = _TITLE.match(document.raw(1))
    if title is None:
        raise RefusedFile("the file is empty, or its first line names no station")
    header = _header(document)
    if unknown := [name for name in header[1:] if name not in _NUMBERS]:
        raise RefusedFile(f"columns that are not known: {', '.join(unknown)}", line=2)
    refusals = Refusals(document.raw)
    table = read_table(document, ["Date"], refusals, header_line=2)
    count = table.height + refusals.frame().height
    frame = with_days(table, "Date", refusals, zone=ZONE, patterns=("%Y-%m-%d",)).with_columns(
        location=pl.lit(title["station"])
    )
    numbers = {_NUMBERS[name]: name for name in header[1:]}
    rows = observations(refusals.numbers(frame, numbers), list(numbers))
    names = pl.DataFrame({"location": [title["station"]], "location_name": [title["name"]], "location_type": ["station"]})
    series = describe_series(PAST_WEATHER, rows, locations=names)
    return (Parsed(PAST_WEATHER, rows, series, refusals.frame(), count, document.raw),)


FORMAT = FileFormat(
    "NOAA past weather of a station CSV",
    (PAST_WEATHER,),
    _recognise,
    _parse,
    named=station_in_name,
    explain=_explain,
    columns=("Date", *_NUMBERS),
)
