"""Ranks series by the change of the mean of their values from one market day to another.

Both days are read as hourly sums (``core.series.partials``), so days of 23, 24 and 25 hours and blocks are sets of hours.
Only series that are complete on both days are ranked, because the mean of half a day does not stand for the whole day.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from aurum.core.calendars import Block, block_mask
from aurum.core.frames import conform
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds
from aurum.core.series.partials import BUCKET, PARTIALS

EXPECTED = pl.Schema({"series_id": pl.Int32(), "key": pl.String(), "expected_before": pl.Int64(), "expected_after": pl.Int64()})
"""Series with the expected number of intervals on the two days; null if the step of the series does not define it."""

COMPARED = pl.Schema(
    {
        **EXPECTED,
        "present_before": pl.Int64(),
        "present_after": pl.Int64(),
        "before": pl.Float64(),
        "after": pl.Float64(),
    }
)
"""``EXPECTED`` with the numbers of valid values on both days, and their means. A mean is null if the day has no valid value."""

MOVERS = pl.Schema(
    {
        "series_id": pl.Int32(),
        "key": pl.String(),
        "before": pl.Float64(),
        "after": pl.Float64(),
        "change": pl.Float64(),
        "relative_change": pl.Float64(),
    }
)
"""Ranked series. ``change``: after - before. ``relative_change``: change / \\|before\\|; null where ``before`` is 0."""

_DIGITS = 9
_COMPLETE = (pl.col("present_before") >= pl.col("expected_before")) & (pl.col("present_after") >= pl.col("expected_after"))


def hours_of_day(day: date, zone: str, block: Block | None = None) -> pl.Series:
    """Return the starts, in UTC and ascending, of the hours of a local day; with a block, only of its hours.

    The clock must differ from UTC by whole hours, as the clocks of all markets do.
    """
    start, end = day_bounds(day, zone)
    hours = pl.datetime_range(start, end, BUCKET, closed="left", time_unit="us", eager=True).alias("ts")
    return hours if block is None else hours.filter(block_mask(hours, block))


def expected_intervals(frequency: Frequency, hours: int, block: Block | None = None) -> int | None:
    """Return the expected number of intervals of a series in ``hours`` hours of a day; None if its step does not define it.

    A daily series has one interval in a whole day. In a block of hours its number is not defined.
    """
    if frequency.step is not None:
        return hours * (BUCKET // frequency.step)
    return 1 if frequency is Frequency.DAY and block is None else None


def compare(series: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of schema ``COMPARED`` with a row for each series, in the order of ``series``.

    ``series``: schema ``EXPECTED``. ``before``, ``after``: the hours of the two days, schema ``PARTIALS``. Hours with a value
    that is too great for sums (``VAST``) count as hours without values.
    """
    return (
        conform(series, EXPECTED)
        .join(_means(before, "before"), on="series_id", how="left", maintain_order="left")
        .join(_means(after, "after"), on="series_id", how="left", maintain_order="left")
        .with_columns(pl.col("present_before", "present_after").fill_null(0))
        .select(list(COMPARED))
    )


def rank(compared: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """Return the ``most`` complete series with the greatest changes, up or down: schema ``MOVERS``.

    The greatest change comes first. Changes that are equal to nine digits are ordered by key, because later digits depend on
    rounding.
    """
    return (
        conform(compared, COMPARED)
        .filter(_COMPLETE)
        .with_columns(change=pl.col("after") - pl.col("before"))
        .with_columns(relative_change=pl.when(pl.col("before") != 0).then(pl.col("change") / pl.col("before").abs()))
        .sort(pl.col("change").abs().round_sig_figs(_DIGITS), pl.col("key"), descending=[True, False])
        .head(most)
        .select(list(MOVERS))
    )


def incomplete(compared: pl.DataFrame) -> pl.DataFrame:
    """Return the series that lack an interval on one of the days, or have no expected number: schema ``COMPARED``, by key."""
    return conform(compared, COMPARED).filter(~_COMPLETE.fill_null(value=False)).sort("key")


def _means(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    count = pl.col("count").cast(pl.Int64)
    return (
        conform(hours, PARTIALS)
        .filter((pl.col("count") > 0) & pl.col("sum").is_not_nan())
        .group_by("series_id")
        .agg(count.sum().alias(f"present_{name}"), (pl.col("sum").sum() / count.sum()).alias(name))
    )
