"""``PJME_hourly.csv``: hourly load of PJM East, 2002 to 2018, as re-published on Kaggle.

Local time without a zone, rows in no order. The labels are hour ending: on spring days 03:00 is the one that is missing, on
fall days 02:00 may occur twice. The two hours of a fall day cannot be distinguished, not even by their order, so
they are refused. Original dates are ``YYYY-MM-DD HH:MM:SS``; there are copies with ``DD-MM-YYYY HH:MM``.
"""

from __future__ import annotations

import polars as pl

from aurum.core.markettime import to_utc
from aurum.pipelines.reading.dates import times
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import header_of, is_within_hours, sample_of
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.pjm.datasets import PJME_HOURLY as DATASET

_STAMP, _LOAD = "Datetime", "PJME_MW"
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M")


def _recognise(document: SourceFile) -> bool:
    return header_of(document) == (_STAMP, _LOAD) and not is_within_hours(sample_of(document).column(_STAMP))


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, [_STAMP, _LOAD], refusals)
    rows_read = table.height + refusals.frame().height
    table = table.with_columns(start=times(pl.col(_STAMP), _FORMATS).dt.offset_by("-1h"), location=pl.lit("PJME"))
    table = table.with_columns(ts=to_utc(pl.col("start"), DATASET.zone))
    table = refusals.times(table, pl.col("start"), DATASET.zone, column=_STAMP)
    rows = observations(refusals.numbers(table, {"load": _LOAD}), ["load"])
    area = pl.DataFrame({"location": ["PJME"], "location_name": ["PJM East"], "location_type": ["AREA"]})
    series = describe_series(DATASET, rows, locations=area)
    return (Parsed(DATASET, rows, series, refusals.frame(), rows_read, document.raw),)


PJME_HOURLY = FileFormat("pjm pjme_hourly (Kaggle)", (DATASET,), _recognise, _parse, columns=(_STAMP, _LOAD))
