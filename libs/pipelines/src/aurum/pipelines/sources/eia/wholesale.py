"""EIA's daily wholesale power workbook, prices of ICE hubs: ``ice_electric-<year>final.xlsx`` and earlier .xls.

One sheet, one row per hub and trade date: delivery start and end day, high, low and volume-weighted mean price, change,
volume, numbers of trades and of counterparties (companies, in early years). Header words break over lines; volumes of some
days are text with blanks and thousands separators; some days are text, ``11/22/2022``.

``ts`` is the start of the delivery start day: the price is for delivery, and the first rows of a year were traded in the
year before. A price may be for several days (Friday and Saturday in the West): it occurs once, on the first. Days begin
in New York for all hubs. Where a delivery was traded on two dates (before a holiday) the later one is current and the
earlier an earlier version. A row whose delivery starts before its trade date is a mistake in the file and is held back.

Source of the description: the workbooks of 2016 and 2021 to 2025.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.eia.datasets import WHOLESALE
from aurum.pipelines.sources.eia.days import ZONE, with_days
from aurum.pipelines.sources.eia.workbook import Sheet, is_workbook, mentions, raw_of, read_sheets

_HUB, _TRADED, _FIRST, _LAST = "Price hub", "Trade date", "Delivery start date", "Delivery end date"
_NUMBERS = {measure.name: measure.column for measure in WHOLESALE.measures}
_OPTIONAL = {"Number of trades", "Number of counterparties"}
_DRIFT = {"number of companies": "number of counterparties"}
_GAS = re.compile(r"ice_(?:natural)?_?gas", re.IGNORECASE)
_NAME = re.compile(r"ice_electric[^/]*\.xlsx?$", re.IGNORECASE)


def _recognise(document: SourceFile) -> bool:
    if not is_workbook(document):
        return False
    # The workbook of gas has the same header words, and its prices are per MMBtu.
    if _GAS.search(document.name) is not None or mentions(document, "$/MMBtu"):
        return False
    return _NAME.search(document.name) is not None or mentions(document, "Price hub", "Trade date", "Wtd avg price")


def _explain(document: SourceFile) -> str:
    gas = is_workbook(document) and mentions(document, "Price hub", "$/MMBtu")
    return "EIA's workbook of gas hubs (ice_naturalgas) is not read, only the one of power (ice_electric)" if gas else ""


def _places(cells: list[str]) -> dict[str, int]:
    """Return the position of each known header word."""
    known = {word.lower(): word for word in (_HUB, _TRADED, _FIRST, _LAST, *_NUMBERS.values())}
    words = [" ".join(cell.split()).lower() for cell in cells]
    headers = [known.get(_DRIFT.get(word, word)) for word in words]
    return {word: place for place, word in enumerate(headers) if word is not None}


def _table(sheet: Sheet) -> pl.DataFrame | None:
    """Return the rows of a sheet, columns by header word; None without a header. An absent optional column is null."""
    header = sheet.find_row(lambda cells: _HUB in _places(cells))
    if header is None:
        return None
    places = _places(sheet.row(header))
    missing = [word for word in (_TRADED, _FIRST, _LAST, *_NUMBERS.values()) if word not in places and word not in _OPTIONAL]
    if missing:
        raise RefusedFile(f"wrong header in sheet {sheet.name!r}: no {', '.join(map(repr, missing))}")
    absent = [pl.lit(None, dtype=pl.String).alias(word) for word in sorted(_OPTIONAL - set(places))]
    return sheet.below(header, places).with_columns(absent).select("line", _HUB, _TRADED, _FIRST, _LAST, *_NUMBERS.values())


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    sheets = read_sheets(document)
    tables = [table for sheet in sheets if (table := _table(sheet)) is not None]
    if not tables:
        raise RefusedFile("wrong header: no sheet has a column 'Price hub'")
    table, raw = pl.concat(tables), raw_of(sheets)
    refusals = Refusals(raw)
    hubs = table.with_columns(pl.col(_HUB).str.replace_all(r"\s+", " "))
    frame = _dated(with_ids(hubs, _HUB, refusals, rule=WHOLESALE.ids), refusals)
    plain = [pl.col(word).str.replace_all(" ", "", literal=True) for word in _NUMBERS.values()]
    frame = refusals.numbers(frame.with_columns(plain), _NUMBERS, thousands=True)
    version = -(pl.col("traded").rank("dense", descending=True).over("location", "ts").cast(pl.Int16) - 1)
    rows = observations(frame, list(_NUMBERS), version=version)
    series = describe_series(WHOLESALE, rows).with_columns(location_type=pl.lit("hub"))
    return (Parsed(WHOLESALE, rows, series, refusals.frame(), table.height, raw),)


def _dated(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the rows with ``ts`` (delivery start) and ``traded``, in order of both."""
    frame = with_days(frame, _TRADED, refusals).rename({"ts": "traded"})
    frame = with_days(frame, _LAST, refusals).rename({"ts": "finish"})
    frame = with_days(frame, _FIRST, refusals)
    backwards = (pl.col("ts") < pl.col("traded")) | (pl.col("finish") < pl.col("ts"))
    return refusals.rows(
        frame,
        backwards,
        column=_FIRST,
        reason=Reason.INVALID_TIME,
        detail=pl.format("traded {}, delivery {} to {}", _TRADED, _FIRST, _LAST),
    )


FORMAT = FileFormat(
    "EIA wholesale power workbook",
    (WHOLESALE,),
    _recognise,
    _parse,
    # The first rows of a year were traded in the year before, the last ones are delivered in the next.
    named=days_in_name(r"ice_electric[-_](?P<year>\d{4})(?!\d)", ZONE, before=7, after=7, flags=re.IGNORECASE),
    explain=_explain,
    columns=(_HUB, _TRADED, _FIRST, _LAST, *_NUMBERS.values()),
)
