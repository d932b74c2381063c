"""Months that move to history: which are closed, and how two copies of their rows are compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import cycle
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.frames import HISTORY, conform

TALLY = pl.Schema({"series_id": pl.Int32(), "month": pl.Date(), "rows": pl.Int64(), "checksum": pl.Int64()})
"""Count and checksum of the rows of each series and month."""

_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
"""Odd constants of 64 bits: multiplication by an odd number modulo 2^64 is invertible, so it loses no information."""
_OPEN = 0x7FFFFFFFFFFFFFFF
_SHIFT = 29


def month_of(ts: pl.Expr) -> pl.Expr:
    """Return the first day of the month (UTC) in which ``ts`` lies, as Date."""
    return ts.dt.date().dt.truncate("1mo")


def first_open_month(now: datetime, *, closed_after: timedelta) -> date:
    """Return the first month that is not closed. A month is closed once ``closed_after`` has passed since its end.

    ``now``: in UTC.

    >>> from datetime import UTC
    >>> first_open_month(datetime(2026, 3, 31, tzinfo=UTC), closed_after=timedelta(days=30))
    datetime.date(2026, 3, 1)
    """
    return (now - closed_after).date().replace(day=1)


def tally(rows: pl.DataFrame) -> pl.DataFrame:
    """Return count and checksum of the rows of each series and month, in schema ``TALLY``, ascending.

    ``rows``: schema ``HISTORY``, in any order. The checksum of a row mixes the bits of its instants, value and quality. The
    checksum of a month is the sum of its rows modulo 2^64, so it does not depend on their order, and a repeated row changes it.
    All NaN are one value, whatever their bits.
    """
    frame = conform(rows, HISTORY)
    return (
        frame.lazy()
        .with_columns(pl.Series("checksum", _mixed(frame)))
        .group_by("series_id", month_of(pl.col("ts")).alias("month"))
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("checksum").sum().reinterpret(signed=True))
        .sort("series_id", "month")
        .select(list(TALLY))
        .collect()
    )


def _mixed(frame: pl.DataFrame) -> NDArray[np.uint64]:
    superseded_at = frame["superseded_at"].to_physical().fill_null(_OPEN).to_numpy()
    fields = (
        frame["ts"].to_physical().to_numpy(),
        frame["known_at"].to_physical().to_numpy(),
        superseded_at,
        frame["value"].fill_nan(float("nan")).to_numpy().view(np.int64),
        frame["quality"].cast(pl.Int64).to_numpy(),
    )
    return row_checksums(frame.height, fields)


def row_checksums(rows: int, fields: Iterable[NDArray[Any]]) -> NDArray[np.uint64]:
    """Return a checksum of 64 bits for each of ``rows`` rows. ``fields``: their columns, as integers.

    Unsigned arithmetic of arrays wraps around.
    """
    mixed = np.zeros(rows, np.uint64)
    for part, factor in zip(fields, cycle(_FACTORS), strict=False):
        mixed = (mixed ^ part.astype(np.uint64)) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(_SHIFT)
    return mixed
