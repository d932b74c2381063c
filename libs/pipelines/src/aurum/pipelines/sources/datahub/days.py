"""Dates of the data sets: ``2026-08-18``, or ``2026-07`` for a month, which begins with its first day."""

from __future__ import annotations

import polars as pl

from aurum.pipelines.reading import dates
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.sources.datahub.datasets import ZONE

# A text that names a month is not a day.
_PATTERNS = {"1d": ("%Y-%m-%d",), "1mo": ("%Y-%m-%d", "%Y-%m")}


def with_days(frame: pl.DataFrame, column: str, refusals: Refusals, *, every: str = "1d") -> pl.DataFrame:
    """Return the frame with ``ts``, the start of the period of length ``every``; rows without a valid date are held back."""
    return dates.with_days(frame, column, refusals, zone=ZONE, patterns=_PATTERNS[every], every=every)
