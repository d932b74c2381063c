"""The bases of known times: who vouches for the time since which a value has been known."""

from __future__ import annotations

import asyncio
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import InvalidParameters
from aurum.core.restatement import LONGEST_VERSION
from aurum.core.series.model import Series
from aurum.services.observations.reading import Reading


async def with_bases(reading: Reading, series: Series, frame: pl.DataFrame) -> pl.DataFrame:
    """Return observations or revisions of one series with the column ``known_at_basis`` (a ``KnownAtBasis``), in their order.

    ``frame``: has ``known_at``. A known time that no file gives is that of a publication rule. Raises ``InvalidParameters``
    where the records of files cannot be read, and ``Unavailable``.
    """
    if reading.files is None:
        raise InvalidParameters(("basis", "does not apply here: leave it out", "true"))
    first, last = frame["known_at"].min(), frame["known_at"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return frame.with_columns(pl.lit(None, pl.String).alias("known_at_basis"))
    of_files = await reading.files.bases([series.series_id], first=first, last=last + LONGEST_VERSION)
    return await asyncio.to_thread(_joined, frame, of_files)


def _joined(frame: pl.DataFrame, of_files: pl.DataFrame) -> pl.DataFrame:
    stated = of_files.select("known_at", pl.col("basis").alias("known_at_basis")).sort("known_at")
    numbered = frame.with_row_index("__row").sort("known_at")
    joined = numbered.join_asof(stated, on="known_at", strategy="forward", tolerance=LONGEST_VERSION)
    basis = pl.col("known_at_basis").fill_null(str(KnownAtBasis.SCHEDULED))
    return joined.sort("__row").drop("__row").with_columns(basis)
