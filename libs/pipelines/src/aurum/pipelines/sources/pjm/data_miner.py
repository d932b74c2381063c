"""Reads the parts that all Data Miner 2 CSV exports share: header, UTC column, labels, table of numbers.

Every feed prints the interval's beginning twice, ``datetime_beginning_utc`` and ``datetime_beginning_ept``, as
``M/D/YYYY h:mm:ss AM``. Only the UTC column is read: it has no gap and no repetition on the days clocks change. The JSON
interface writes ``2025-05-01T04:00:00``; spreadsheets that re-save an export drop seconds or the century.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.source import Dataset, SourceFile, describe_series
from aurum.pipelines.tabular import Refusals, read_table

UTC_COLUMN = "datetime_beginning_utc"

# Two-digit years first: "%Y" would read 25 as the year 25.
_FORMATS = (
    "%m/%d/%y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y-%m-%dT%H:%M:%S",
    "%m/%d/%y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
)


def by_header(*columns: str) -> Callable[[SourceFile], bool]:
    """Return a recogniser of files whose first line names all the columns and the UTC one."""
    needed = {UTC_COLUMN, *columns}

    def recognise(document: SourceFile) -> bool:
        names = document.head_lines(1)[0].replace('"', "").split(",")
        return needed <= {name.strip() for name in names}

    return recognise


def read_feed(
    document: SourceFile, location: str, numbers: Mapping[str, str], refusals: Refusals, *, hourly: bool = True
) -> tuple[pl.DataFrame, int]:
    """Return the feed's rows with ``location``, ``ts`` (UTC) and a Float64 column for each measure, and their number.

    ``location``: the header of the location's id. ``numbers``: header by measure. Rows without a location, with an
    invalid time, or off the whole hour in an ``hourly`` feed go to ``refusals``.
    """
    table = read_table(document, [UTC_COLUMN, location, *numbers.values()], refusals)
    rows_read = table.height + refusals.frame().height
    table = refusals.rows(table, pl.col(location).is_null(), column=location, reason=Reason.MISSING_FIELD)
    bad = pl.col("ts").is_null()
    if hourly:
        bad = bad | (pl.col("ts").dt.truncate("1h") != pl.col("ts"))
    table = refusals.rows(_with_utc(table), bad, column=UTC_COLUMN, reason=Reason.INVALID_TIME, detail=pl.col(UTC_COLUMN))
    return refusals.numbers(table.with_columns(location=pl.col(location)), numbers), rows_read


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


def _with_utc(table: pl.DataFrame) -> pl.DataFrame:
    # Each stamp occurs on the rows of all locations, so each different text is read once.
    texts = table.select(pl.col(UTC_COLUMN).unique())
    stamps = [pl.col(UTC_COLUMN).str.to_datetime(pattern, strict=False, time_unit="us") for pattern in _FORMATS]
    instants = texts.with_columns(ts=pl.coalesce(stamps).dt.replace_time_zone("UTC"))
    return table.join(instants, on=UTC_COLUMN, how="left", maintain_order="left")
