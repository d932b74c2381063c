"""The SMD hourly workbook (``YYYY_smd_hourly.xlsx``): demand, prices and weather, one sheet per load zone, one row per hour.

    Date,Hr_End,DA_Demand,RT_Demand,DA_LMP,DA_EC,DA_CC,DA_MLC,RT_LMP,RT_EC,RT_CC,RT_MLC,Dry_Bulb,Dew_Point
        [,System_Load,Reg_Service_Price,Reg_Capacity_Price on the sheet ISO NE CA]

Locations are the sheets' names; on ``ISO NE CA`` prices are those of the Hub. Hours are hour ending. Up to 2023 every day has
24 rows: on the spring day hour 02 is the mean of 01 and 03, on the fall-back day 02 is the mean of its two hours (sheet
Notes). Neither is an observation and both are refused; 03 of the spring day is its real second hour. Since 2024 days have 23
and 25 rows, with ``02X``. Excel leaves noise in the last digits (43.730000000000004): values are rounded to 6 decimals.

A sheet saved as CSV has no zone in it: the file's name must hold the sheet's (``smd_hourly_2025_CT.csv``). Source of the
layout: the workbook's sheet Notes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from itertools import accumulate

import fastexcel
import polars as pl

from aurum.pipelines.named_content import days_in_name, first_of
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.reading.workbook import first_bytes
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.isone.datasets import SMD_HOURLY, ZONE
from aurum.pipelines.sources.isone.hours import with_instants

_DAY, _HOUR = "Date", "Hr_End"
# A date cell of a workbook has a time of day.
_KEYS = (_DAY, _HOUR, "DA_LMP", "RT_LMP")
_PATTERNS = ("%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00")
_HEADERS = {measure.name: measure.column for measure in SMD_HOURLY.measures}
_NAMES = {
    "ISO NE CA": "ISO New England control area",
    "ME": "Maine",
    "NH": "New Hampshire",
    "VT": "Vermont",
    "CT": "Connecticut",
    "RI": "Rhode Island",
    "SEMA": "Southeast Massachusetts",
    "WCMA": "West and central Massachusetts",
    "NEMA": "Northeast Massachusetts and Boston",
}
_ZONES = pl.DataFrame(
    {
        "location": list(_NAMES),
        "location_name": list(_NAMES.values()),
        "location_type": ["AREA" if name == "ISO NE CA" else "LOAD ZONE" for name in _NAMES],
    }
)
_PEEK = 65_536
_ZONE_IN_NAME = re.compile(r"(?<![A-Za-z])(ISO.?NE.?CA|ME|NH|VT|CT|RI|SEMA|WCMA|NEMA)(?![A-Za-z])")


def _recognise_workbook(document: SourceFile) -> bool:
    if not document.content.startswith(b"PK"):
        return False
    if not document.content.startswith(b"PK"):
        return False
    parts = first_bytes(document.content, ["xl/workbook.xml"], most=_PEEK)
    return any(b'"ISO NE CA"' in part for part in parts) if parts else "smd_hourly" in document.name.lower()


def _recognise_sheet(document: SourceFile) -> bool:
    names = document.head_lines(1)[0].replace('"', "").split(",")
    return set(_KEYS) <= {name.strip() for name in names}


def _parse_workbook(document: SourceFile) -> tuple[Parsed, ...]:
    sheets = _sheets(document)
    # Row numbers continue from sheet to sheet, so that a line number identifies one row of the workbook.
    starts = dict(zip(sheets, accumulate((sheet.height + 1 for sheet in sheets.values()), initial=0), strict=False))

    def raw(line: int) -> str:
        name = max((name for name, start in starts.items() if start < line), key=starts.__getitem__, default="")
        row = line - starts.get(name, 0)
        cells = sheets[name].row(row - 2) if row > 1 else tuple(sheets[name].columns)
        return f"sheet {name}, row {row}: " + ",".join("" if cell is None else str(cell) for cell in cells)

    numbered = [
        sheet.with_row_index("line", offset=starts[name] + 2).with_columns(location=pl.lit(name))
        for name, sheet in sheets.items()
    ]
    table = pl.concat(numbered, how="diagonal")
    table = table.filter(pl.col(_DAY).is_not_null() | pl.col(_HOUR).is_not_null())
    refusals = Refusals(raw)
    return (_parsed(table, refusals, rows_read=table.height, raw=raw),)


def _parse_sheet(document: SourceFile) -> tuple[Parsed, ...]:
    location = _zone_of(document.name)
    refusals = Refusals(document.raw)
    table = read_table(document, [_DAY, _HOUR], refusals)
    rows_read = table.height + refusals.frame().height
    table = table.with_columns(location=pl.lit(location))
    return (_parsed(table, refusals, rows_read=rows_read, raw=document.raw),)


def _zone_of(name: str) -> str:
    """Return the zone in the name of a sheet saved as CSV. Raises ``RefusedFile`` for none and for several."""
    zones = {zone if not zone.startswith("ISO") else "ISO NE CA" for zone in _ZONE_IN_NAME.findall(name)}
    if not zones:
        raise RefusedFile(
            "neither the sheet nor its file name says which zone it is of, as smd_hourly_2025_CT.csv does", name=name
        )
    if len(zones) > 1:
        raise RefusedFile(f"the file name says several zones: {', '.join(sorted(zones))}", name=name)
    return zones.pop()


def _sheets(document: SourceFile) -> Mapping[str, pl.DataFrame]:
    """Return the sheets of the zones with every cell as text. Raises ``RefusedFile``."""
    try:
        names = fastexcel.read_excel(document.content).sheet_names
        sheets = pl.read_excel(
            io.BytesIO(document.content),
            sheet_name=[name for name in _NAMES if name in names],
            engine="calamine",
            read_options={"dtypes": "string"},
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
        )
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise RefusedFile(f"not a readable workbook: {str(error).splitlines()[0]}") from error
    if not sheets:
        raise RefusedFile("no sheet is named as a load zone")
    for name, sheet in sheets.items():
        if not {_DAY, _HOUR} <= set(sheet.columns):
            raise RefusedFile(f"wrong header on sheet {name}: {_DAY!r} or {_HOUR!r} is missing")
    return sheets


def _parsed(table: pl.DataFrame, refusals: Refusals, *, rows_read: int, raw: Callable[[int], str]) -> Parsed:
    # On a spring day with 24 rows, 02 is the one that the Notes call an average.
    table = with_instants(table, refusals, day=_DAY, hour=_HOUR, patterns=_PATTERNS, invented=2)
    headers = {measure: column for measure, column in _HEADERS.items() if column in table.columns}
    table = refusals.numbers(table, headers).with_columns(pl.col(list(headers)).round(6))
    rows = observations(table, list(headers))
    return Parsed(SMD_HOURLY, rows, describe_series(SMD_HOURLY, rows, locations=_ZONES), refusals.frame(), rows_read, raw)


_named = first_of(
    days_in_name(r"(?<!\d)(?P<year>\d{4})[_ ]smd[_ ]hourly", ZONE, flags=re.IGNORECASE),
    days_in_name(r"smd[_ ]hourly[_ ](?P<year>\d{4})(?!\d)", ZONE, flags=re.IGNORECASE),
)

WORKBOOK = FileFormat(
    "isone SMD hourly workbook", (SMD_HOURLY,), _recognise_workbook, _parse_workbook, named=_named, columns=_KEYS
)
ZONE_SHEET = FileFormat(
    "isone SMD hourly sheet (CSV)", (SMD_HOURLY,), _recognise_sheet, _parse_sheet, named=_named, columns=_KEYS
)
