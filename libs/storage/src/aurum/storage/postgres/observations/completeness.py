"""Completeness of the local days that a file touches, counted from all stored points of those days."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds, local_day
from aurum.storage.postgres.connection.copy import Layout, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.points import current_points
from aurum.storage.postgres.observations.threads import in_thread_if_large

_MICROSECOND = timedelta(microseconds=1)
_COMPLETENESS = Layout(series_id="int4", day="date", expected="int4", present="int4")
_COUNT_DAYS = """
INSERT INTO completeness AS c (series_id, day, expected, present)
SELECT series_id, day, expected, present FROM counted
ON CONFLICT (series_id, day) DO UPDATE SET expected = excluded.expected, present = excluded.present
WHERE (c.expected, c.present) IS DISTINCT FROM (excluded.expected, excluded.present)
"""


async def record_completeness(
    connection: Connection,
    series: pl.DataFrame,
    touched: pl.DataFrame,
    *,
    stored: pl.DataFrame | None,
    empty: Collection[int],
) -> None:
    """Count the present intervals of the days that a batch of points touches, and store the counts.

    ``series``: ``series_id``, ``frequency``, ``zone``. ``touched``: the batch. ``stored``: the points that the series now have
    from the first to the last ``ts`` of the batch; None: not known, so they are read. ``empty``: ids of the series that had
    no point before.
    """
    kinds = series.select("frequency", "zone").unique()
    steps = {Frequency(name).step for name in kinds["frequency"]}
    if steps == {None}:
        return
    first, last = touched.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")).row(0)
    start, end = _days_around(first, last, kinds["zone"].unique())
    ids = series["series_id"].unique().sort().to_list()
    ranges, parts = [(start, end - _MICROSECOND)], list[pl.DataFrame]()
    if stored is not None:
        # Series of one step and zone have no point between the last one and the one a step later.
        step = steps.pop() if kinds.height == 1 else None
        ranges = [(start, first - _MICROSECOND), (last + (step or _MICROSECOND), end - _MICROSECOND)]
        ids = [series_id for series_id in ids if series_id not in empty]
        parts.append(stored)
    parts += [await current_points(connection, ids, since, until) for since, until in ranges if ids and since <= until]
    points = pl.concat(parts)
    counts = await in_thread_if_large(points.height, day_counts, series, touched, points)
    if not counts.is_empty():
        await stage(connection, "counted", _COMPLETENESS, counts)
        await connection.execute(_COUNT_DAYS)


def day_counts(series: pl.DataFrame, touched: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return expected and present intervals of each touched day: ``series_id``, ``day``, ``expected``, ``present``.

    ``series``: ``series_id``, ``frequency``, ``zone``. ``touched`` and ``stored``: ``series_id``, ``ts``, ``value``;
    ``stored`` has every point of those days, including the touched ones. A withdrawn value (NaN) is not present.
    Series of calendar or irregular frequency have no expected intervals and are left out.
    """
    groups = series.partition_by("zone", "frequency", as_dict=True)
    parts: list[pl.DataFrame] = []
    for (zone, frequency), members in groups.items():
        step = Frequency(str(frequency)).step
        if step is None:
            continue
        is_member = pl.col("series_id").is_in(members["series_id"].implode())
        points, current = (touched, stored) if len(groups) == 1 else (touched.filter(is_member), stored.filter(is_member))
        days = _with_day(points, str(zone)).select("series_id", "day").unique()
        is_present = pl.col("value").is_not_nan().sum().cast(pl.Int32).alias("present")
        present = _with_day(current, str(zone)).group_by("series_id", "day").agg(is_present)
        counts = days.join(present, on=["series_id", "day"], how="left").with_columns(pl.col("present").fill_null(0))
        parts.append(counts.join(_expected(days.select("day").unique(), str(zone), step), on="day"))
    if not parts:
        return pl.DataFrame(schema={"series_id": pl.Int32, "day": pl.Date, "expected": pl.Int32, "present": pl.Int32})
    return pl.concat([part.select("series_id", "day", "expected", "present") for part in parts])


def _days_around(first: datetime, last: datetime, zones: Iterable[str]) -> tuple[datetime, datetime]:
    """Return start and end of the local days in which instants from ``first`` to ``last`` lie, in any of the zones."""
    starts, ends = zip(*(_days_of(first, last, zone) for zone in zones), strict=True)
    return min(starts), max(ends)


def _days_of(first: datetime, last: datetime, zone: str) -> tuple[datetime, datetime]:
    first_day, last_day = (instant.astimezone(ZoneInfo(zone)).date() for instant in (first, last))
    return day_bounds(first_day, zone)[0], day_bounds(last_day, zone)[1]


def _with_day(points: pl.DataFrame, zone: str) -> pl.DataFrame:
    # Thousands of series share their instants, so each different one is converted once.
    days = points.select(pl.col("ts").unique()).with_columns(local_day(pl.col("ts"), zone).alias("day"))
    return points.join(days, on="ts", how="left")


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
