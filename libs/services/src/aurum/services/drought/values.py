"""The index and the shares of area of some regions, by week."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.drought import SHARES, Statistics
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, read_side_by_side

SOURCE = "drought_monitor"
INDEX_DATASET, INDEX_MEASURE = "dsci", "dsci"
_MEASURES = {f"area_{share}": share for share in SHARES}
MAIN_SHARE = "area_d0"
"""The measure that every region has, beside which the others are read."""


def shares_dataset(statistics: Statistics) -> str:
    """Return the dataset with shares of area that are counted in this way."""
    return f"area_percent_{statistics}"


async def read_index(reading: Reading, series: Sequence[Series], question: Question) -> pl.DataFrame:
    """Read the index of some series: ``key``, ``ts`` (UTC), ``day`` (local), ``known_at``, ``value``.

    ``value`` is float64, null where it was withdrawn. Ascends by (``key``, ``ts``). Raises like ``read_many``.
    """
    frame = await read_side_by_side(reading, series, question, main="value", beside={})
    return _with_days(frame, series)


async def read_shares(reading: Reading, series: Sequence[Series], question: Question) -> pl.DataFrame:
    """Read shares of area: ``key``, ``ts`` (UTC), ``day`` (local), ``known_at``, ``d0``, then the other ``SHARES``, percent.

    ``series``: of the measure ``MAIN_SHARE``. Shares are float64, null where one is missing. Ascends by (``key``, ``ts``).
    Raises like ``read_many``.
    """
    beside = {measure: share for measure, share in _MEASURES.items() if measure != MAIN_SHARE}
    frame = await read_side_by_side(reading, series, question, main=_MEASURES[MAIN_SHARE], beside=beside)
    return _with_days(frame, series)


def _with_days(frame: pl.DataFrame, series: Sequence[Series]) -> pl.DataFrame:
    # Usually a single zone: that of the source.
    zones = {one.spec.zone for one in series}
    parts: list[pl.DataFrame] = []
    for zone in sorted(zones):
        keys = [str(one.key) for one in series if one.spec.zone == zone]
        part = frame if len(zones) == 1 else frame.filter(pl.col("key").is_in(keys))
        parts.append(part.with_columns(day=pl.col("ts").dt.convert_time_zone(zone).dt.date()))
    whole = pl.concat(parts) if parts else frame.with_columns(day=pl.lit(None, pl.Date))
    values = [name for name in whole.columns if name not in ("key", "ts", "day", "known_at")]
    return whole.select("key", "ts", "day", "known_at", *values).sort("key", "ts")
