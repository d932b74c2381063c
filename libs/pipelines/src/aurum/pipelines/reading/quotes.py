"""Reads the numbers of quotes: a publication states a whole row, so a row with an unreadable cell is held back whole."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.quotes import FIELDS, PARSED_QUOTES
from aurum.pipelines.reading.numbers import numbers
from aurum.pipelines.reading.tabular import Refusals


def read_fields(
    frame: pl.DataFrame, columns: Mapping[str, str], refusals: Refusals, *, decimal_comma: bool = False
) -> pl.DataFrame:
    """Return the frame with the fields of quotes (keys of ``columns``) read from String columns (its values).

    Null cells are null: nothing was published. A row with other text that cannot be read is held back.
    """
    values = frame.select(
        numbers(pl.col(header), decimal_comma=decimal_comma).alias(f"#{name}") for name, header in columns.items()
    )
    read = frame.with_columns(values.get_columns())
    for name, header in columns.items():
        unread = pl.col(header).is_not_null() & pl.col(f"#{name}").is_null()
        read = refusals.rows(read, unread, column=header, reason=Reason.NON_NUMERIC, detail=pl.col(header))
    return read.drop(list(columns), strict=False).rename({f"#{name}": name for name in columns})


def as_quotes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of quotes in the schema ``PARSED_QUOTES``, null in the fields that it lacks."""
    lacking = [pl.lit(None, pl.Float64).alias(name) for name in FIELDS if name not in frame.columns]
    return frame.with_columns(*lacking, pl.col("line").cast(pl.UInt32)).select(list(PARSED_QUOTES))
