"""Observations of one series as plain arrays, for slices of a few rows, for which a frame would cost more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Points:
    """Observations of one series: arrays of equal length, ascending by ``ts``.

    ``ts`` (interval start) and ``known_at``: int64, microseconds since 1970-01-01 UTC. ``value``: float64, NaN where it is
    withdrawn. ``quality``: int16, codes of ``core.catalog.Quality``.
    """

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]
    known_at: NDArray[np.int64]

    def frame(self) -> pl.DataFrame:
        """Return the observations in schema ``core.frames.OBSERVATIONS``."""
        return pl.DataFrame(
            [
                pl.Series("ts", self.ts).cast(_INSTANT),
                pl.Series("value", self.value),
                pl.Series("quality", self.quality),
                pl.Series("known_at", self.known_at).cast(_INSTANT),
            ]
        )

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Points:
        """Return the points of a frame in schema ``OBSERVATIONS``."""
        return cls(
            frame["ts"].to_numpy().view(np.int64),
            frame["value"].to_numpy(),
            frame["quality"].to_numpy(),
            frame["known_at"].to_numpy().view(np.int64),
        )
