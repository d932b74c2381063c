"""History downloads of EIA's Data Navigator (dnav): a workbook, a sheet of it saved as CSV, a chart saved as CSV.

* Workbook (``RNGWHHDd.xls``): ``Contents`` names the sheets ``Data 1`` ..., their frequency and the moment of writing; a data
  sheet has three header rows, ``Back to Contents``, ``Sourcekey`` with the series ids, ``Date`` with their titles.
* Sheet as CSV: the same three lines, dates like ``Oct 14, 2025``, trailing empty columns, no frequency: a title that begins
  with ``Weekly``, or dates without a day, tell it.
* Chart as CSV: title, address of the page (``rngwhhdd.htm``: id and a letter for the frequency), time, source, then ``Day``,
  ``Week of``, ``Month`` or ``Year`` and the title with its unit; newest first, dates like ``07/9/2024``.

The title ends with the unit. Months are dated on their 15th in workbooks and on no day elsewhere; they begin on their first.
Weeks are dated by their last day in all of them, also under ``Week of``; ``weeks`` tells what their values stand for.

Source of the description: workbooks of 2024 and 2026, CSV files of 2024 and 2025.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.errors import UnknownName
from aurum.core.units import Unit, parse_unit
from aurum.pipelines.reading.bounds import fields_of
from aurum.pipelines.reading.dates import local_instant_of
from aurum.pipelines.reading.ids import read_id
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import (
    PARSED_SERIES,
    Dataset,
    FileFormat,
    NamedContent,
    Parsed,
    RefusedFile,
    SourceFile,
    describe_series,
)
from aurum.pipelines.sources.eia.datasets import NAVIGATOR, business_days_of_prices, kind_of_series
from aurum.pipelines.sources.eia.days import MONTHS, SPELLINGS, ZONE, long_rows, with_days
from aurum.pipelines.sources.eia.weeks import declared, declared_weekdays
from aurum.pipelines.sources.eia.workbook import Sheet, is_workbook, mentions, raw_of, read_sheets
from aurum.pipelines.weeks import in_weeks

_MISSING = ("NA", "--", "- -", "-", "W")
_EVERY = {"daily": "1d", "weekly": "1d", "monthly": "1mo", "annual": "1y"}
_CHART_COLUMNS = 2
_LETTERS = {"d": "daily", "w": "weekly", "m": "monthly", "a": "annual"}
_PAGE = re.compile(r"/hist/(?:LeafHandler\.ashx\?.*\bs=)?([A-Za-z0-9_]+?)(?:&f=)?([dwma])(?:\.htm)?$", re.IGNORECASE)
_SERIES_NAME = re.compile(r"^([A-Z][A-Z0-9_]{4,})[dwma](?:[_.][^/]*)?\.(?:xlsx?|csv)$")
_UNIT = re.compile(r"\(([^()]+)\)\s*$|((?:Dollars|Cents) per .+)$")
_WRITTEN = re.compile(r"\b\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2} [AP]M\b")
_WITHOUT_DAY = re.compile(r"^(?:[A-Z][a-z]{2}[- ]\d{4}|\d{4})$")


@dataclass(frozen=True, slots=True)
class _Column:
    """One series: the header of its column, its id (Sourcekey), title and unit."""

    header: str
    key: str
    title: str
    unit: Unit

    @property
    def measure(self) -> str:
        return "price" if self.unit.currency else "value"


def _column(header: str, key: str, title: str) -> _Column:
    match = _UNIT.search(title)
    if match is None:
        raise RefusedFile(f"the title {title!r} names no unit")
    try:
        unit = parse_unit(match[1] or match[2])
    except UnknownName as error:
        raise RefusedFile(f"the title {title!r} names no unit that is known") from error
    series = read_id(key.upper())
    if series is None:
        raise RefusedFile(f"the series id {key!r} has characters that an id cannot have")
    return _Column(header, series, title, unit)


def _dataset(frequency: str) -> Dataset:
    if frequency not in NAVIGATOR:
        raise RefusedFile(f"frequency {frequency!r} is not among {', '.join(NAVIGATOR)}")
    return NAVIGATOR[frequency]


def _part(
    frequency: str,
    table: pl.DataFrame,
    date: str,
    columns: list[_Column],
    refusals: Refusals,
    raw: Callable[[int], str],
    known_at: datetime | None = None,
) -> Parsed:
    """Return one table as the result of a parser. Rows that were held back before count as read."""
    dataset, count = _dataset(frequency), table.height + refusals.frame().height
    spellings = MONTHS if frequency == "monthly" else ()
    frame = with_days(table, date, refusals, spellings=(*SPELLINGS, *spellings), every=_EVERY[frequency])
    frame = refusals.numbers(frame, {f"{column.key} value": column.header for column in columns}, missing=_MISSING)
    rows = long_rows(frame, {f"{column.key} value": (column.key, column.measure) for column in columns})
    parsed = Parsed(dataset, rows, _described(dataset, rows, columns), refusals.frame(), count, raw, known_at)
    return in_weeks(parsed, declared(), declared_weekdays(declared()))


def _described(dataset: Dataset, rows: pl.DataFrame, columns: list[_Column]) -> pl.DataFrame:
    about = pl.DataFrame(
        [(column.key, column.title, column.unit.text, column.unit.currency) for column in columns],
        schema={"location": pl.String, "location_name": pl.String, "unit": pl.String, "currency": pl.String},
        orient="row",
    )
    series = describe_series(dataset, rows, locations=about).drop("unit", "currency")
    joined = series.join(about.drop("location_name"), on="location", how="left", maintain_order="left")
    joined = joined.with_columns(location_type=pl.lit("series"), business_days=business_days_of_prices(), kind=kind_of_series())
    return joined.select(list(PARSED_SERIES))


def _parse_workbook(document: SourceFile) -> tuple[Parsed, ...]:
    sheets = read_sheets(document)
    contents = next((sheet for sheet in sheets if sheet.name == "Contents"), None)
    data = [sheet for sheet in sheets if "Sourcekey" in sheet.row(1)[:1]]
    if contents is None or not data:
        raise RefusedFile("wrong layout: no sheet Contents, or none with the row 'Sourcekey'")
    frequencies, known_at, raw = _frequencies(contents), _written(contents), raw_of(sheets)
    return tuple(_sheet(sheet, frequencies, known_at, raw) for sheet in data)


def _sheet(sheet: Sheet, frequencies: Mapping[str, str], known_at: datetime | None, raw: Callable[[int], str]) -> Parsed:
    keys, titles = sheet.row(1), sheet.row(2)
    places = {f"{titles[n]} [{keys[n]}]": n for n in range(1, len(keys)) if keys[n]}
    columns = [_column(header, keys[place], titles[place]) for header, place in places.items()]
    table = sheet.below(2, {"Date": 0, **places})
    return _part(frequencies.get(sheet.name, ""), table, "Date", columns, Refusals(raw), raw, known_at)


def _frequencies(contents: Sheet) -> dict[str, str]:
    header = contents.find_row(lambda cells: "Worksheet Name" in cells and "Frequency" in cells)
    if header is None:
        raise RefusedFile("wrong layout: the sheet Contents has no column 'Frequency'")
    words = contents.row(header)
    table = contents.below(header, {word: words.index(word) for word in ("Worksheet Name", "Frequency")}).drop_nulls(
        "Frequency"
    )
    return dict(zip(table["Worksheet Name"].to_list(), table["Frequency"].str.to_lowercase().to_list(), strict=True))


def _written(contents: Sheet) -> datetime | None:
    """Return when the workbook was written: the only time in Contents, which is in Eastern time."""
    texts = (_WRITTEN.search(" ".join(contents.row(n))) for n in range(contents.cells.height))
    match = next((match[0] for match in texts if match), None)
    if match is None:
        return None
    return local_instant_of(match, ("%m/%d/%Y %I:%M:%S %p",), ZONE)


def _parse_sheet_csv(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, ["Date"], refusals, header_line=3)
    keys = fields_of(document.raw(2), 2)
    headers = [name for name in table.columns if name != "line"]
    columns = [
        _column(header, key, header) for header, key in zip(headers, keys, strict=False) if key.strip() and header != "Date"
    ]
    if not columns:
        raise RefusedFile("no series id in the line 'Sourcekey'", line=2)
    weekly = columns[0].title.lower().startswith("weekly")
    first = table["Date"].drop_nulls().first()
    without_day = isinstance(first, str) and _WITHOUT_DAY.match(first) is not None
    frequency = "weekly" if weekly else "monthly" if without_day else "daily"
    return (_part(frequency, table, "Date", columns, refusals, document.raw),)


def _parse_chart_csv(document: SourceFile) -> tuple[Parsed, ...]:
    page = next((match for line in document.head_lines(5) if (match := _PAGE.search(line.strip()))), None)
    if page is None:
        raise RefusedFile("no address of a history page above the header")
    header_line = _chart_header(document)
    header = fields_of(document.raw(header_line), header_line)
    if len(header) < _CHART_COLUMNS:
        raise RefusedFile("the header of a chart has a column of times and one of values", line=header_line)
    word, title = header[:_CHART_COLUMNS]
    refusals = Refusals(document.raw)
    table = read_table(document, [word, title], refusals, header_line=header_line)
    columns = [_column(title, page[1], title)]
    return (_part(_LETTERS[page[2].lower()], table, word, columns, refusals, document.raw),)


def _chart_header(document: SourceFile) -> int:
    """Return the 1-based line of the header of a chart's CSV; 0 where there is none."""
    heads = enumerate(document.head_lines(10), start=1)
    return next((n for n, line in heads if line.split(",")[0].strip('"') in ("Day", "Week of", "Month", "Year")), 0)


def _recognise_chart(document: SourceFile) -> bool:
    above = document.head_lines(max(_chart_header(document) - 1, 0))
    return any("eia.gov/dnav/" in line for line in above)


def _named(document: SourceFile) -> NamedContent | None:
    """Return the series in the name that EIA gives a workbook of one (``RNGWHHDd.xls``); None for another name."""
    match = _SERIES_NAME.search(document.name)
    return NamedContent(locations=frozenset({match[1]})) if match is not None else None


WORKBOOK = FileFormat(
    name="EIA data navigator workbook",
    datasets=tuple(NAVIGATOR.values()),
    recognise=lambda document: is_workbook(document) and mentions(document, "Sourcekey", "Back to Contents"),
    parse=_parse_workbook,
    named=_named,
    columns=("Back to Contents", "Sourcekey", "Date"),
)
SHEET_CSV = FileFormat(
    name="EIA data navigator sheet as CSV",
    datasets=tuple(NAVIGATOR.values()),
    recognise=lambda document: (
        [line.split(",")[0].strip('"') for line in document.head_lines(2)] == ["Back to Contents", "Sourcekey"]
    ),
    parse=_parse_sheet_csv,
    named=_named,
    columns=("Sourcekey", "Date"),
)
CHART_CSV = FileFormat(
    name="EIA data navigator chart as CSV",
    datasets=tuple(NAVIGATOR.values()),
    recognise=_recognise_chart,
    parse=_parse_chart_csv,
    named=_named,
)
