"""The Drought Severity and Coverage Index as CSV: ``Name,MapDate,DSCI``, or ``State,County,FIPS,MapDate,DSCI`` by county.

Source of the description: an export of 2001 to 2010 for the contiguous states (``dm_export_20010101_20101231.csv``).
"""

from __future__ import annotations

from calendar import TUESDAY

import polars as pl

from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import is_weekly, sample_of
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.drought_monitor.datasets import DSCI
from aurum.pipelines.sources.drought_monitor.maps import WEEK, days_of_export, header_of, with_area
from aurum.pipelines.weeks import in_weeks

_KNOWN = {"MapDate", "DSCI", "ValidStart", "ValidEnd", "StatisticFormatID"}


def _recognise(document: SourceFile) -> bool:
    header = set(header_of(document))
    index = {"MapDate", "DSCI"} <= header and bool(header - _KNOWN - {""}) and "D0" not in header
    return index and is_weekly(sample_of(document).column("MapDate"), TUESDAY)


def _explain(document: SourceFile) -> str:
    index = {"MapDate", "DSCI"} <= set(header_of(document))
    other_days = index and not is_weekly(sample_of(document).column("MapDate"), TUESDAY)
    return "a map is of a Tuesday, and most of these dates are other days" if other_days else ""


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, ["MapDate", "DSCI"], refusals)
    count = table.height + refusals.frame().height
    frame = refusals.numbers(with_area(table, _KNOWN, refusals), {"dsci": "DSCI"})
    rows = observations(frame, ["dsci"])
    series = describe_series(DSCI, rows, locations=frame)
    return (in_weeks(Parsed(DSCI, rows, series, refusals.frame(), count, document.raw), WEEK, pl.lit(TUESDAY)),)


FORMAT = FileFormat(
    "US Drought Monitor DSCI CSV",
    (DSCI,),
    _recognise,
    _parse,
    named=days_of_export,
    explain=_explain,
    columns=("MapDate", "DSCI"),
)
