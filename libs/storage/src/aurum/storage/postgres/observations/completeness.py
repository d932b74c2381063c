"""Completeness of the local days that a file touches, counted from all stored points of those days."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from aurum.core.frequency import Frequency
from aurum.core.markettime import local_day

LOOK_AROUND = timedelta(hours=26)
"""A read this far around the points of a file covers the whole of every local day that they touch."""


def day_counts(series: pl.DataFrame, touched: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return expected and present intervals of each touched day: ``series_id``, ``day``, ``expected``, ``present``.

    ``series``: ``series_id``, ``frequency``, ``zone``. ``touched`` and ``stored``: ``series_id``, ``ts``, ``value``;
    ``stored`` has every point of those days, including the touched ones. A withdrawn value (NaN) is not present.
    Series of calendar or irregular frequency have no expected intervals and are left out.
    """
    parts: list[pl.DataFrame] = []
    for (zone, frequency), members in series.partition_by("zone", "frequency", as_dict=True).items():
        step = Frequency(str(frequency)).step
        if step is None:
            continue
        ids = members["series_id"].implode()
        is_member = pl.col("series_id").is_in(ids)
        days = touched.filter(is_member).select("series_id", local_day(pl.col("ts"), str(zone)).alias("day")).unique()
        present = (
            stored.filter(is_member & pl.col("value").is_not_nan())
            .select("series_id", local_day(pl.col("ts"), str(zone)).alias("day"))
            .group_by("series_id", "day")
            .agg(pl.len().cast(pl.Int32).alias("present"))
        )
        counts = days.join(present, on=["series_id", "day"], how="left").with_columns(pl.col("present").fill_null(0))
        parts.append(counts.join(_expected(days.select("day").unique(), str(zone), step), on="day"))
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
    # Days whose midnight is skipped by daylight saving (no supported market has one) count as 24 hours.
    length = (end - start).fill_null(timedelta(days=1))
    intervals = length.dt.total_microseconds() // (step // timedelta(microseconds=1))
    return days.with_columns(intervals.cast(pl.Int32).alias("expected"))
