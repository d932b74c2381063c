"""CSV downloads of FRED graphs: a date and one column per series, with its id as header.

The date is headed ``observation_date`` today, ``DATE`` or ``date`` before. A missing value is ``.``, ``NA`` or nothing. A file
says neither unit nor step nor when it was made: those of well-known series are listed, other steps follow from the dates.
Columns of a vintage (``CPIAUCSL_20251113``) are refused, since a vintage is a known time and not a series.

Source of the description: downloads of 2018, 2025 and 2026.
"""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from aurum.core.frames import PARSED
from aurum.pipelines.reading.bounds import fields_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import Sample, header_of, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.fred.datasets import IDS, OBSERVATIONS
from aurum.pipelines.sources.fred.identity import series_in_name, step_problem
from aurum.pipelines.sources.fred.series import MISSING, declared_weekdays, declared_weeks, describe, with_days
from aurum.pipelines.weeks import in_weeks

_DATES = ("observation_date", "DATE", "date")
_ID = re.compile(r"(?=[A-Z0-9_]*[A-Z])[A-Z0-9][A-Z0-9_]{1,40}")
_VINTAGE = re.compile(r"_\d{8}$")
_GRAPH = re.compile(r"(?<![A-Za-z])fredgraph(?![A-Za-z])", re.IGNORECASE)
_ISO = re.compile(r'"?\d{4}-\d{2}-\d{2}"?,')


def _looks_similar(document: SourceFile) -> bool:
    lines = document.head_lines(2)
    header = header_of(document)
    named = header[:1] and header[0] in _DATES and len(header) > 1
    ids = all(_ID.fullmatch(name) and name != "VALUE" for name in header[1:])
    return bool(named and ids) and (len(lines) < 2 or not lines[1].strip() or _ISO.match(lines[1]) is not None)


def _problem(document: SourceFile) -> str:
    """Return why a table of days and columns in capitals is not a FRED download; empty for one that is.

    FRED names a graph ``fredgraph.csv`` and a single series by its id. Without either, every column must be a known series.
    """
    sample = sample_of(document)
    ids = sample.header[1:]
    alone = len(ids) == 1 and "_" not in ids[0] and ids == series_in_name(document.name)
    own = alone or _GRAPH.search(document.name) is not None
    unknown = [name for name in ids if name not in IDS and not _VINTAGE.search(name)]
    if unknown and not own:
        return (
            f"a table of days whose columns {', '.join(unknown[:3])} are not known series of FRED: FRED's downloads are named "
            "fredgraph.csv, or by the id of their one series"
        )
    named = [name for name in series_in_name(document.name) if name in IDS]
    if named and not set(named) & set(ids) and not any(_VINTAGE.search(name) for name in ids):
        return f"name and content disagree: {document.name!r} says {', '.join(named)}, the column is {', '.join(ids)}"
    dates = {name: _dates_of(sample, name, alone=len(ids) == 1) for name in ids if name in IDS}
    return next((why for name, days in dates.items() if (why := step_problem(name, days))), "")


def _dates_of(sample: Sample, name: str, *, alone: bool) -> list[str]:
    place = sample.header.index(name)
    return [row[0] for row in sample.rows if row and (alone or (len(row) > place and row[place] not in ("", *MISSING)))]


def _recognise(document: SourceFile) -> bool:
    return _looks_similar(document) and not _problem(document)


def _explain(document: SourceFile) -> str:
    return _problem(document) if _looks_similar(document) else ""


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    header = [name.strip() for name in fields_of(document.raw(1), 1)]
    refusals = Refusals(document.raw)
    table = read_table(document, header[:1], refusals)
    count = table.height + refusals.frame().height
    ids = [name for name in header[1:] if name]
    if vintages := [name for name in ids if _VINTAGE.search(name)]:
        raise RefusedFile(f"columns of vintages are not read: {', '.join(vintages)}", line=1)
    frame = refusals.numbers(with_days(table, header[0], refusals), {name: name for name in ids}, missing=MISSING)
    rows = _rows(frame, ids)
    dates = {name: _dates(frame, name, alone=len(ids) == 1) for name in ids if frame[name].count()}
    parsed = Parsed(OBSERVATIONS, rows, describe(rows, dates), refusals.frame(), count, document.raw)
    return (in_weeks(parsed, declared_weeks(), declared_weekdays()),)


def _dates(frame: pl.DataFrame, name: str, *, alone: bool) -> list[datetime]:
    """Return the dates of a series: all of the file's, or those with a value when series of several steps share the file."""
    return (frame if alone else frame.filter(pl.col(name).is_not_null()))["ts"].to_list()


def _rows(frame: pl.DataFrame, ids: list[str]) -> pl.DataFrame:
    long = frame.select("ts", "line", *ids).unpivot(on=ids, index=["ts", "line"], variable_name="location")
    return (
        long.drop_nulls("value")
        .with_columns(
            measure=pl.lit("value"),
            quality=pl.lit(0, dtype=pl.Int16),
            version=pl.lit(0, dtype=pl.Int16),
        )
        .select(list(PARSED))
    )


FORMAT = FileFormat("FRED graph CSV", (OBSERVATIONS,), _recognise, _parse, explain=_explain, columns=_DATES[:1])
