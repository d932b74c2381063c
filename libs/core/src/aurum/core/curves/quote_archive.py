"""Publications of quotes in history, and how two copies of them are compared."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.quotes import FIELDS, QUOTES
from aurum.core.frames import conform
from aurum.core.history import row_checksums

RECORDED_QUOTES = pl.Schema({**QUOTES, "recording_id": pl.Int64()})
"""Publications of quotes with the recordings that brought them."""

QUOTE_TALLY = pl.Schema({"curve_id": pl.Int32(), "month": pl.Date(), "rows": pl.Int64(), "checksum": pl.Int64()})
"""Count and checksum of the publications of each product and month of trade dates."""

ORDER = ("curve_id", "trade_date", "delivery_start", "delivery_end", "known_at", "recording_id")
"""Order of publications in a file of history."""

_NO_VALUE = -1
"""Bits that stand for a missing field: those of a NaN, which is not stored."""


def quote_tally(publications: pl.DataFrame) -> pl.DataFrame:
    """Return count and checksum of the publications of each product and month, schema ``QUOTE_TALLY``, ascending.

    ``publications``: schema ``RECORDED_QUOTES``, in any order. A repeated row changes the checksum.
    """
    frame = conform(publications, RECORDED_QUOTES)
    fields = (_bits(frame[name]) for name in RECORDED_QUOTES if name != "curve_id")
    return (
        frame.lazy()
        .with_columns(pl.Series("checksum", row_checksums(frame.height, fields)))
        .group_by("curve_id", pl.col("trade_date").dt.truncate("1mo").alias("month"))
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("checksum").sum().reinterpret(signed=True))
        .sort("curve_id", "month")
        .select(list(QUOTE_TALLY))
        .collect()
    )


def _bits(column: pl.Series) -> NDArray[np.int64]:
    """Return the bits of a column as integers."""
    if column.name not in FIELDS:
        return column.to_physical().cast(pl.Int64).to_numpy()
    bits = column.fill_null(0.0).to_numpy().view(np.int64)
    return np.where(column.is_null().to_numpy(), np.int64(_NO_VALUE), bits)
