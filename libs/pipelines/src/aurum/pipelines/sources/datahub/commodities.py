"""Prices of Henry Hub, Brent and WTI: a date and a price, blank where there was none.

All have the same header (``Date,Price``; ``Month,Price`` for months) and nothing inside names the commodity. The file name
tells them apart, and a file with another name (``daily.csv``, as in the data set of gas) is not recognised.
Source of the description: the files of August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from aurum.core.calendars import BusinessDays
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import sample_of, usual_gap
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.datahub.datasets import GAS_DAILY, GAS_MONTHLY, OIL_DAILY
from aurum.pipelines.sources.datahub.days import with_days


@dataclass(frozen=True, slots=True)
class _Commodity:
    dataset: Dataset
    location: str
    title: str
    every: str = "1d"
    business_days: BusinessDays | None = None
    """None: those of the dataset."""


_COMMODITIES: Mapping[str, _Commodity] = {
    "henry_hub_daily": _Commodity(GAS_DAILY, "henry_hub", "Henry Hub, Louisiana"),
    "henry_hub_monthly": _Commodity(GAS_MONTHLY, "henry_hub", "Henry Hub, Louisiana", every="1mo"),
    "brent_daily": _Commodity(OIL_DAILY, "brent", "Brent crude oil, Europe", business_days=BusinessDays.ENGLAND),
    "wti_daily": _Commodity(OIL_DAILY, "wti", "WTI crude oil, Cushing, Oklahoma"),
}
_NAME = re.compile(
    r"(?<![a-z])(henry[_-]?hub[_-]daily|henry[_-]?hub[_-]monthly|brent[_-]daily|wti[_-]daily)(?![a-z])", re.IGNORECASE
)
_HEADERS = (["Date", "Price"], ["Month", "Price"])


def _header(document: SourceFile) -> list[str]:
    return [name.strip().strip('"') for name in document.head_lines(1)[0].split(",")]


def _commodity(document: SourceFile) -> _Commodity | None:
    words = {word.lower().replace("-", "_").replace("henryhub", "henry_hub") for word in _NAME.findall(document.name)}
    if len(words) != 1 or _header(document) not in _HEADERS:
        return None
    commodity = _COMMODITIES[words.pop()]
    return None if _step_problem(document, commodity) else commodity


def _step_problem(document: SourceFile, commodity: _Commodity) -> str:
    """Return why dates are not at the step that the name says; empty where they are, or are too few to tell."""
    gap = usual_gap(row[0] for row in sample_of(document).rows if row)
    low, high = (28, 31) if commodity.every == "1mo" else (1, 5)
    if gap is None or low <= gap <= high:
        return ""
    return f"name and content disagree: {document.name!r}, and dates that are {gap} days apart"


def _explain(document: SourceFile) -> str:
    if _header(document) not in _HEADERS:
        return ""
    words = {word.lower().replace("-", "_").replace("henryhub", "henry_hub") for word in _NAME.findall(document.name)}
    if len(words) == 1:
        return _step_problem(document, _COMMODITIES[words.pop()])
    return f"a date and a price do not name the commodity; one of {', '.join(_COMMODITIES)} must be in the name of the file"


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    commodity = _commodity(document)
    if commodity is None:
        raise RefusedFile(f"the file is empty, has another header, or its name, {document.name!r}, names no commodity")
    word = _header(document)[0]
    refusals = Refusals(document.raw)
    table = read_table(document, [word, "Price"], refusals)
    count = table.height + refusals.frame().height
    frame = refusals.numbers(with_days(table, word, refusals, every=commodity.every), {"price": "Price"})
    rows = observations(frame.with_columns(location=pl.lit(commodity.location)), ["price"])
    names = pl.DataFrame({"location": [commodity.location], "location_name": [commodity.title]})
    series = describe_series(commodity.dataset, rows, locations=names).with_columns(location_type=pl.lit("hub"))
    if commodity.business_days is not None:
        series = series.with_columns(business_days=pl.lit(commodity.business_days, dtype=pl.String))
    return (Parsed(commodity.dataset, rows, series, refusals.frame(), count, document.raw),)


FORMAT = FileFormat(
    name="datahub commodity prices CSV",
    datasets=(GAS_DAILY, GAS_MONTHLY, OIL_DAILY),
    recognise=lambda document: _commodity(document) is not None,
    parse=_parse,
    explain=_explain,
    columns=tuple(_HEADERS[0]),
)
