"""Which series moved most from one market day to another, by the means of their values.

Both days are sums by the hour (``core.series.partials``), so that days of 23, 24 and 25 hours and blocks are sets of hours.
Only a series that is complete on both days is ranked: a mean over the half of a day says nothing of the whole.
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
"""Series, and how many intervals each has on the earlier and the later of two days; null where its step has no such number."""

COMPARED = pl.Schema(
    {
        **EXPECTED,
        "present_before": pl.Int64(),
        "present_after": pl.Int64(),
        "before": pl.Float64(),
        "after": pl.Float64(),
    }
)
"""The same with what there is on both days: values that count, and their means; a mean is null where there are none."""

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
"""``change`` = after - before; ``relative_change`` = change / \\|before\\|, null where ``before`` is 0."""

_DIGITS = 9
_COMPLETE = (pl.col("present_before") >= pl.col("expected_before")) & (pl.col("present_after") >= pl.col("expected_after"))


def hours_of_day(day: date, zone: str, block: Block | None = None) -> pl.Series:
    """Return the starts, in UTC and ascending, of the hours of a local day; with a block, of those that belong to it.

    For clocks at whole hours from UTC, as those of all markets are.
    """
    start, end = day_bounds(day, zone)
    hours = pl.datetime_range(start, end, BUCKET, closed="left", time_unit="us", eager=True).alias("ts")
    return hours if block is None else hours.filter(block_mask(hours, block))


def expected_intervals(frequency: Frequency, hours: int, block: Block | None = None) -> int | None:
    """Return the number of intervals of a series in some hours of a day; None where its step is longer or has no length.

    A daily series has one in a whole day, and none that a block of hours could hold.
    """
    if frequency.step is not None:
        return hours * (BUCKET // frequency.step)
    return 1 if frequency is Frequency.DAY and block is None else None


def compare(series: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Compare the hours of two days, schema ``PARTIALS`` each: schema ``COMPARED``, a row for each series, in their order.

    ``series``: schema ``EXPECTED``. Hours in which a value is too great for sums (``VAST``) count as hours without values.
    """
    return (
        conform(series, EXPECTED)
        .join(_means(before, "before"), on="series_id", how="left", maintain_order="left")
        .join(_means(after, "after"), on="series_id", how="left", maintain_order="left")
        .with_columns(pl.col("present_before", "present_after").fill_null(0))
        .select(list(COMPARED))
    )


def rank(compared: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """Return the series that are complete on both days and moved most, either way: schema ``MOVERS``.

    The greatest change comes first; of two that are equal, in nine digits, the lesser key: what differs further on is rounding.
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
    """Return the series that lack an interval on either day, or have no number of them, by key: schema ``COMPARED``."""
    return conform(compared, COMPARED).filter(~_COMPLETE.fill_null(value=False)).sort("key")


def _means(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    count = pl.col("count").cast(pl.Int64)
    return (
        conform(hours, PARTIALS)
        .filter((pl.col("count") > 0) & pl.col("sum").is_not_nan())
        .group_by("series_id")
        .agg(count.sum().alias(f"present_{name}"), (pl.col("sum").sum() / count.sum()).alias(name))
    )
