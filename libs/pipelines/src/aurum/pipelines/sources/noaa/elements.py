"""Turns rows of GHCN-Daily (station, day, element, value, flags) into observations in the units of their elements.

Values are whole numbers in the unit of the element, often a tenth: 6 of TMAX is 0.6 °C. -9999 is missing. A quality flag says
which check a value failed: it is stored as suspect. Measurement flag P, "missing presumed zero": marked estimated.
Elements that are not quantities (weather types, directions in degrees, times of day) are stored as published, unit ``index``.

Source of the description: NOAA/NCEI, GHCN-Daily readme.txt, section III.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.reading.dates import with_days
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import NamedContent, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.noaa.datasets import ELEMENTS, GHCN_DAILY, ZONE

_PUBLISHED = r"^(?:W[TV]\d{2}|WDF.|AWDR|PGTM|FMTM|TSUN|DA(?:EV|PR|SF|TN|TX|WM))$"
"""Elements that are stored as published: types of weather, degrees, hours and minutes, numbers of days."""

STATION = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[A-Z0-9]{5}\d{4}(?![A-Z0-9])")


def station_in_name(document: SourceFile) -> NamedContent | None:
    """Return the station in the name of a file (``USW00094728.csv``); None where it holds none, or several."""
    stations = set(STATION.findall(document.name.upper()))
    return NamedContent(locations=frozenset(stations)) if len(stations) == 1 else None


@dataclass(frozen=True, slots=True)
class Elements:
    """The rows of a file.

    ``frame``: ``station``, ``day``, ``element``, ``value``, ``measured`` and ``failed`` (flags), all text, and ``line``.
    ``names``: name by station, where known. ``count``: rows of the file.
    """

    frame: pl.DataFrame
    refusals: Refusals
    raw: Callable[[int], str]
    count: int
    names: Mapping[str, str]


def parse_elements(elements: Elements) -> Parsed:
    """Return the result of a parser for rows of elements of any layout."""
    refusals = elements.refusals
    frame = with_ids(_known(elements.frame, refusals), "station", refusals, rule=GHCN_DAILY.ids)
    frame = with_days(frame.rename({"day": "date"}), "date", refusals, zone=ZONE, patterns=("%Y%m%d", "%Y-%m-%d"))
    frame = refusals.numbers(frame, {"number": "value"}, missing=("-9999",))
    flag = (
        pl.when(pl.col("failed").is_not_null())
        .then(int(Quality.SUSPECT))
        .when(pl.col("measured") == "P")
        .then(int(Quality.ESTIMATED))
        .otherwise(int(Quality.GOOD))
    )
    rows = frame.filter(pl.col("number").is_not_null()).select(
        "location",
        pl.col("element").str.to_lowercase().alias("measure"),
        "ts",
        (pl.col("number") / pl.col("divisor")).alias("value"),
        flag.cast(pl.Int16).alias("quality"),
        pl.lit(0, dtype=pl.Int16).alias("version"),
        "line",
    )
    return Parsed(GHCN_DAILY, rows, _described(rows, elements.names), refusals.frame(), elements.count, elements.raw)


def _known(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the rows of known elements, with ``divisor``."""
    divisors = {element: divisor for element, (_, divisor) in ELEMENTS.items()}
    named = pl.col("element").replace_strict(divisors, default=None, return_dtype=pl.Int64)
    published = pl.when(pl.col("element").str.contains(_PUBLISHED)).then(1)
    frame = frame.with_columns(divisor=pl.coalesce(named, published))
    unknown = pl.col("divisor").is_null()
    return refusals.rows(frame, unknown, column="element", reason=Reason.UNKNOWN_CODE, detail=pl.col("element"))


def _described(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    stations = pl.DataFrame(
        {"location": list(names), "location_name": list(names.values())},
        schema=dict.fromkeys(("location", "location_name"), pl.String),
    )
    series = describe_series(GHCN_DAILY, rows, locations=stations)
    return series.with_columns(pl.col("unit").fill_null("index"), location_type=pl.lit("station"))
