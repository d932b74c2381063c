"""Dates of the data sets: ``2026-08-18``, or ``2026-07`` for a month, which begins with its first day."""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import to_utc
from aurum.pipelines.sources.datahub.datasets import ZONE
from aurum.pipelines.tabular import Refusals


def with_days(frame: pl.DataFrame, column: str, refusals: Refusals, *, every: str = "1d") -> pl.DataFrame:
    """Return the frame with ``ts``, the start of the period of length ``every``; rows without a valid date are held back."""
    days = pl.coalesce(pl.col(column).str.to_date(pattern, strict=False) for pattern in ("%Y-%m-%d", "%Y-%m"))
    frame = frame.with_columns(ts=to_utc(days.dt.truncate(every).cast(pl.Datetime("us")), ZONE))
    return refusals.rows(frame, pl.col("ts").is_null(), column=column, reason=Reason.INVALID_TIME, detail=pl.col(column))
