"""Weekly working gas in underground storage: EIA's history workbook ``ngshistory.xls`` and a flat extract of its total.

Workbook: notes, a line that says as of when, then one row per week: ``Week ending`` (a Friday), ``Source``, stocks by region in
Bcf, ``Salt`` and ``NonSalt`` being parts of the South Central region. A second sheet holds net changes. The flat CSV has the
columns ``date,value`` and says neither what nor where: it is recognised by its name only and holds the Lower 48 total.

Locations are the area codes of EIA's own series ids (R48, R31 ...). Weeks before June 2015 were estimated again by EIA
afterwards and are marked as estimated. A stock is of the end of the Friday, [Friday, Saturday); a change is over the week that
ends with it, [Saturday, Saturday). The workbook gives the day of its report; its release is at 10:30 Eastern (noon in some
holiday weeks), which is taken as the known time.

Source of the description: the workbook of 2021-11-10; EIA, Weekly Natural Gas Storage Report, release schedule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.catalog import Quality
from aurum.pipelines.reading.dates import day_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import is_weekly, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.eia.datasets import STORAGE
from aurum.pipelines.sources.eia.days import ZONE, long_rows, with_days
from aurum.pipelines.sources.eia.weeks import declared_storage, declared_weekdays
from aurum.pipelines.sources.eia.workbook import Sheet, is_workbook, mentions, raw_of, read_sheets
from aurum.pipelines.weeks import in_weeks

_FRIDAY = 4
_WEEK, _SOURCE = "week ending", "source"
_AREAS = {
    "R31": "East Region",
    "R32": "Midwest Region",
    "R33": "South Central Region",
    "R34": "Mountain Region",
    "R35": "Pacific Region",
    "R48": "Lower 48 States",
}
_COLUMNS = {
    "east region": ("R31", ""),
    "midwest region": ("R32", ""),
    "mountain region": ("R34", ""),
    "pacific region": ("R35", ""),
    "south central region": ("R33", ""),
    "salt": ("R33", "_salt"),
    "nonsalt": ("R33", "_nonsalt"),
    "total lower 48": ("R48", ""),
}
_AS_OF = re.compile(r"AS OF (\w+ \d{1,2}, \d{4})", re.IGNORECASE)


def _words(cells: list[str]) -> dict[str, int]:
    return {" ".join(cell.lower().split()): place for place, cell in enumerate(cells) if cell}


def _recognise_workbook(document: SourceFile) -> bool:
    return is_workbook(document) and mentions(document, "Week ending", "Total Lower 48")


def _parse_workbook(document: SourceFile) -> tuple[Parsed, ...]:
    sheets = read_sheets(document)
    raw = raw_of(sheets)
    refusals = Refusals(raw)
    tables = [
        (sheet, header) for sheet in sheets if (header := sheet.find_row(lambda cells: _WEEK in _words(cells))) is not None
    ]
    if not tables:
        raise RefusedFile("wrong header: no sheet has a column 'Week ending'")
    frames = [_weeks(sheet, header, refusals) for sheet, header in tables]
    rows = pl.concat([long_rows(frame, columns, quality=_estimated(frames[0][0])) for frame, columns, _ in frames])
    return (_parsed(rows, refusals, sum(count for _, _, count in frames), raw, _as_of(tables)),)


def _weeks(sheet: Sheet, header: int, refusals: Refusals) -> tuple[pl.DataFrame, dict[str, tuple[str, str]], int]:
    """Return a sheet's rows with ``ts`` and numbers, location and measure by column, and the number of rows."""
    places = _words(sheet.row(header))
    missing = [word for word in _COLUMNS if word not in places]
    if missing:
        raise RefusedFile(f"wrong header in sheet {sheet.name!r}: no {', '.join(map(repr, missing))}")
    title = " ".join(" ".join(sheet.row(n)) for n in range(header)).lower()
    kind = "storage_change" if "net change" in title else "storage"
    headers = {word: sheet.row(header)[places[word]] for word in (_WEEK, _SOURCE, *_COLUMNS) if word in places}
    table = sheet.below(header, {text: places[word] for word, text in headers.items()})
    dated = with_days(table, headers[_WEEK], refusals)
    frame = refusals.numbers(dated, {word: headers[word] for word in _COLUMNS})
    columns = {word: (area, kind + part) for word, (area, part) in _COLUMNS.items()}
    return frame.rename({headers[_SOURCE]: _SOURCE} if _SOURCE in headers else {}), columns, table.height


def _estimated(stocks: pl.DataFrame) -> pl.Expr:
    """ESTIMATED in the weeks whose stocks are derived; the sheet of changes does not say so itself."""
    derived = pl.Series([], dtype=stocks["ts"].dtype)
    if _SOURCE in stocks.columns:
        derived = stocks.filter(pl.col(_SOURCE).str.to_lowercase().str.starts_with("derived"))["ts"]
    return pl.when(pl.col("ts").is_in(derived.implode())).then(int(Quality.ESTIMATED)).otherwise(int(Quality.GOOD))


def _as_of(tables: list[tuple[Sheet, int]]) -> datetime | None:
    texts = [" ".join(sheet.row(n)) for sheet, header in tables for n in range(header)]
    as_of_text = next((match[1] for text in texts if (match := _AS_OF.search(text))), None)
    if as_of_text is None:
        return None
    day = day_of(as_of_text, ("%B %d, %Y",))
    if day is None:
        raise RefusedFile(f"as of {as_of_text!r}: that is not a date")
    return datetime.combine(day, time(10, 30), ZoneInfo(ZONE)).astimezone(UTC)


def _is_flat(document: SourceFile) -> bool:
    return "ng_storage" in document.name.lower() and document.head_lines(1)[0].strip().lower() == "date,value"


def _flat_problem(document: SourceFile) -> str:
    """Return why a flat file is not of weeks that end on Fridays, the only thing its rows show; empty where it is."""
    if is_weekly((row[0] for row in sample_of(document).rows if row), _FRIDAY):
        return ""
    return "gas storage is of weeks that end on Fridays, and most of these dates are other days"


def _recognise_flat(document: SourceFile) -> bool:
    return _is_flat(document) and not _flat_problem(document)


def _explain_flat(document: SourceFile) -> str:
    if document.head_lines(1)[0].strip().lower() == "date,value" and not _is_flat(document):
        return "columns date and value name no quantity: EIA's gas storage must have ng_storage in its name"
    return _flat_problem(document) if _is_flat(document) else ""


def _parse_flat(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, ["date", "value"], refusals)
    count = table.height + refusals.frame().height
    frame = refusals.numbers(with_days(table, "date", refusals), {"stock": "value"})
    rows = long_rows(frame, {"stock": ("R48", "storage")})
    return (_parsed(rows, refusals, count, document.raw, None),)


def _parsed(rows: pl.DataFrame, refusals: Refusals, count: int, raw: Callable[[int], str], known_at: datetime | None) -> Parsed:
    names = pl.DataFrame({"location": list(_AREAS), "location_name": list(_AREAS.values())})
    series = describe_series(STORAGE, rows, locations=names).with_columns(location_type=pl.lit("region"))
    parsed = Parsed(STORAGE, rows, series, refusals.frame(), count, raw, known_at)
    return in_weeks(parsed, declared_storage(), declared_weekdays(declared_storage()))


WORKBOOK = FileFormat(
    "EIA gas storage history workbook",
    (STORAGE,),
    _recognise_workbook,
    _parse_workbook,
    columns=("Week ending", "Total Lower 48"),
)
FLAT = FileFormat(
    "EIA gas storage flat CSV", (STORAGE,), _recognise_flat, _parse_flat, explain=_explain_flat, columns=("date", "value")
)
