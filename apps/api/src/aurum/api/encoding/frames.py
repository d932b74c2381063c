"""Conversion of frames with texts, days, instants and numbers to tables."""

from __future__ import annotations

import numpy as np
import polars as pl

from aurum.api.encoding.table import Column, Instants, Labels, Numbers, Table


def frame_table(frame: pl.DataFrame, *, zone: str = "UTC") -> Table:
    """Return a frame as a table whose times are written in ``zone``.

    Columns are texts (null becomes an empty text), days (written as YYYY-MM-DD), instants in UTC or float64 (null and NaN are
    missing). Raises ``ValueError`` for any other type.
    """
    return Table({column.name: _column(column) for column in frame}, zone)


def _column(column: pl.Series) -> Column:
    if column.dtype == pl.Float64:
        return Numbers(column.fill_null(float("nan")).to_numpy())
    if isinstance(column.dtype, pl.Datetime):
        # A null becomes NaT, which has the value of NAT.
        return Instants(column.cast(pl.Datetime("us", "UTC")).to_numpy().view(np.int64))
    if column.dtype == pl.Date:
        return _labels(column.dt.to_string("%Y-%m-%d"))
    if column.dtype == pl.String:
        return _labels(column)
    raise ValueError(f"column {column.name!r} of type {column.dtype} has no form in a table")


def _labels(column: pl.Series) -> Labels:
    texts = column.fill_null("")
    words = texts.unique().sort()
    return Labels(words.search_sorted(texts).to_numpy(), tuple(words))
