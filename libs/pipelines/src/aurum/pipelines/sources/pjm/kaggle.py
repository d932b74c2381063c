"""``PJME_hourly.csv``: hourly load of PJM East, 2002 to 2018, as re-published on Kaggle.

Local time without a zone, rows in no order. The labels are hour ending: on spring days 03:00 is the one that is missing, on
fall days 02:00 may occur twice. The two hours of a fall day cannot be distinguished, not even by their order, so
they are refused. Original dates are ``YYYY-MM-DD HH:MM:SS``; there are copies with ``DD-MM-YYYY HH:MM``.
"""

from __future__ import annotations

import polars as pl

from aurum.core.markettime import to_utc
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.pjm.datasets import PJME_HOURLY as DATASET
from aurum.pipelines.tabular import Refusals, observations, read_table

_STAMP, _LOAD = "Datetime", "PJME_MW"


def _recognise(document: SourceFile) -> bool:
    return document.head_lines(1)[0].replace('"', "").strip() == f"{_STAMP},{_LOAD}"


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, [_STAMP, _LOAD], refusals)
    rows_read = table.height + refusals.frame().height
    table = table.with_columns(start=_label().dt.offset_by("-1h"), location=pl.lit("PJME"))
    table = table.with_columns(ts=to_utc(pl.col("start"), DATASET.zone))
    table = refusals.times(table, pl.col("start"), DATASET.zone, column=_STAMP)
    rows = observations(refusals.numbers(table, {"load": _LOAD}), ["load"])
    area = pl.DataFrame({"location": ["PJME"], "location_name": ["PJM East"], "location_type": ["AREA"]})
    series = describe_series(DATASET, rows, locations=area)
    return (Parsed(DATASET, rows, series, refusals.frame(), rows_read, document.raw),)


def _label() -> pl.Expr:
    formats = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M")
    return pl.coalesce(pl.col(_STAMP).str.to_datetime(pattern, strict=False, time_unit="us") for pattern in formats)


PJME_HOURLY = FileFormat("pjm pjme_hourly (Kaggle)", (DATASET,), _recognise, _parse)
