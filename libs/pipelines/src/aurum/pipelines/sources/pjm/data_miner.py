"""Reads the parts that all Data Miner 2 CSV exports share: header, UTC column, labels, table of numbers.

Every feed prints the interval's beginning twice, ``datetime_beginning_utc`` and ``datetime_beginning_ept``, as
``M/D/YYYY h:mm:ss AM``. The UTC column names the instant: it has no gap and no repetition on the days clocks change. The EPT
column, where it is not empty, must name the same one. The JSON interface writes ``2025-05-01T04:00:00``; spreadsheets that
re-save an export drop seconds or the century.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.dates import read_once, times
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.reading.two_times import hold_to_second_time, local_clock
from aurum.pipelines.source import Dataset, SourceFile, describe_series
from aurum.pipelines.sources.pjm.datasets import ZONE

UTC_COLUMN, EPT_COLUMN = "datetime_beginning_utc", "datetime_beginning_ept"

_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")


def read_feed(
    document: SourceFile, dataset: Dataset, location: str, numbers: Mapping[str, str], refusals: Refusals
) -> tuple[pl.DataFrame, int]:
    """Return the feed's rows with ``location``, ``ts`` (UTC) and a Float64 column for each measure, and their number.

    ``location``: the header of the location's id. ``numbers``: header by measure. Rows without a valid id, or with an
    invalid time, go to ``refusals``.
    """
    table = read_table(document, [UTC_COLUMN, location, *numbers.values()], refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, location, refusals, rule=dataset.ids)
    return refusals.numbers(_with_utc(table, refusals), numbers), rows_read


def labels_json(*columns: str) -> pl.Expr:
    """Return a JSON object of the non-empty columns, in the order of ``columns``, for example ``{"zone":"AEP"}``."""
    parts = [
        pl.when(pl.col(column).is_not_null()).then(pl.struct(column).struct.json_encode().str.strip_chars("{}"))
        for column in columns
    ]
    body = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.concat_str(pl.lit("{"), body, pl.lit("}"))


def described(dataset: Dataset, rows: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """Return the ``SERIES`` frame of ``rows``; ``locations`` has one row per location, with ``labels`` (``labels_json``)."""
    series = describe_series(dataset, rows, locations=locations)
    return series.drop("labels").join(locations.select("location", "labels"), on="location", how="left", maintain_order="left")


def _with_utc(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    utc = times(pl.col(UTC_COLUMN), _FORMATS).dt.replace_time_zone("UTC")
    table = _only_with_time(read_once(table, UTC_COLUMN, utc.alias("ts")), refusals)
    if EPT_COLUMN not in table.columns:
        return table
    return hold_to_second_time(
        table,
        refusals,
        first=UTC_COLUMN,
        second=[EPT_COLUMN],
        label=times(pl.col(EPT_COLUMN), _FORMATS),
        expected=[local_clock(pl.col("ts"), ZONE)],
    )


def _only_with_time(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    invalid = pl.col("ts").is_null()
    return refusals.rows(table, invalid, column=UTC_COLUMN, reason=Reason.INVALID_TIME, detail=pl.col(UTC_COLUMN))
