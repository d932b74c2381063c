"""CSV downloads of FRED graphs: a date and one column per series, with its id as header.

The date is headed ``observation_date`` today, ``DATE`` or ``date`` before. A missing value is ``.``, ``NA`` or nothing. A file
says neither unit nor step nor when it was made: those of well-known series are listed, other steps follow from the dates.
Columns of a vintage (``CPIAUCSL_20251113``) are refused, since a vintage is a known time and not a series.

Source of the description: downloads of 2018, 2025 and 2026.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime

import polars as pl

from aurum.core.frames import PARSED
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.fred.datasets import OBSERVATIONS
from aurum.pipelines.sources.fred.series import MISSING, declared_weeks, describe, with_days
from aurum.pipelines.weeks import in_weeks

_DATES = ("observation_date", "DATE", "date")
_ID = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9][A-Z0-9_]{1,40}")
_VINTAGE = re.compile(r"_\d{8}$")
_ISO = re.compile(r'"?\d{4}-\d{2}-\d{2}"?,')


def _recognise(document: SourceFile) -> bool:
    lines = document.head_lines(2)
    header = [name.strip().strip('"') for name in lines[0].split(",")]
    named = header[0] in _DATES and len(header) > 1 and all(_ID.fullmatch(name) and name != "VALUE" for name in header[1:])
    return named and (len(lines) < 2 or not lines[1].strip() or _ISO.match(lines[1]) is not None)


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    header = [name.strip() for name in next(csv.reader([document.raw(1)]))]
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
    return (in_weeks(parsed, declared_weeks()),)


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


FORMAT = FileFormat("FRED graph CSV", (OBSERVATIONS,), _recognise, _parse)
