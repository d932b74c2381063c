"""How complete the local days are that a file touches, from all that is stored of them."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from aurum.core.frequency import Frequency
from aurum.core.markettime import local_day

LOOK_AROUND = timedelta(hours=26)
"""Reading this far around a file's points covers the whole of every local day they lie in."""


def day_counts(series: pl.DataFrame, touched: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Expected and present intervals (``series_id``, ``day``, ``expected``, ``present``) of each touched day and series.

    ``series``: ``series_id``, ``frequency``, ``zone``. ``touched`` and ``stored``: ``series_id``, ``ts``, ``value``;
    ``stored`` holds every point of those days, the touched ones included. A withdrawn value (NaN) is not present.
    Series of calendar or irregular frequency have no intervals to miss and are left out.
    """
    parts: list[pl.DataFrame] = []
    for (zone, frequency), members in series.partition_by("zone", "frequency", as_dict=True).items():
        step = Frequency(str(frequency)).step
        if step is None:
            continue
        ids = members["series_id"].implode()
        mine = pl.col("series_id").is_in(ids)
        days = touched.filter(mine).select("series_id", local_day(pl.col("ts"), str(zone)).alias("day")).unique()
        present = (
            stored.filter(mine & pl.col("value").is_not_nan())
            .select("series_id", local_day(pl.col("ts"), str(zone)).alias("day"))
            .group_by("series_id", "day")
            .agg(pl.len().cast(pl.Int32).alias("present"))
        )
        counted = days.join(present, on=["series_id", "day"], how="left").with_columns(pl.col("present").fill_null(0))
        parts.append(counted.join(_expected(days.select("day").unique(), str(zone), step), on="day"))
    if not parts:
        return pl.DataFrame(schema={"series_id": pl.Int32, "day": pl.Date, "expected": pl.Int32, "present": pl.Int32})
    return pl.concat([part.select("series_id", "day", "expected", "present") for part in parts])


def _expected(days: pl.DataFrame, zone: str, step: timedelta) -> pl.DataFrame:
    start = pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    end = (
        pl.col("day")
        .dt.offset_by("1d")
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    )
    # Days whose midnight is skipped (no market here has one) count 24 hours.
    length = (end - start).fill_null(timedelta(days=1))
    intervals = length.dt.total_microseconds() // (step // timedelta(microseconds=1))
    return days.with_columns(intervals.cast(pl.Int32).alias("expected"))
