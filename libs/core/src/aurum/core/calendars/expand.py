"""The hours of a block: which instants belong to it, and how many it has in a range of days."""

from __future__ import annotations

from datetime import date
from typing import overload

import polars as pl

from aurum.core.asof import InvalidSpan
from aurum.core.calendars.blocks import Block, Holidays
from aurum.core.calendars.nerc import is_nerc_holiday
from aurum.core.frames import UTC_US
from aurum.core.markettime import day_start

BLOCK_HOURS = pl.Schema({"ts": UTC_US, "day": pl.Date(), "hour_ending": pl.Int8()})
"""Hours: their start in UTC, their local day, and their hour-ending label 1..24. One label occurs twice on the fall day."""


@overload
def block_mask(ts: pl.Series, block: Block) -> pl.Series: ...
@overload
def block_mask(ts: pl.Expr, block: Block) -> pl.Expr: ...
def block_mask(ts: pl.Series | pl.Expr, block: Block) -> pl.Series | pl.Expr:
    """Return which UTC interval starts lie in the block: Boolean, null where ``ts`` is null.

    Valid for intervals of an hour or shorter. The caller must refuse longer ones, which do not fit into a block of hours. The
    local clock decides: on the fall day both hours that end at 2 belong to the same blocks.
    """
    if isinstance(ts, pl.Series):
        return ts.to_frame("ts").select(block_mask(pl.col("ts"), block)).to_series().alias(ts.name)
    local = ts.dt.convert_time_zone(block.zone)
    return (_kind_of_day(local, block.holidays) * 24 + local.dt.hour()).is_in(sorted(block.slots))


def block_hours(block: Block, start: date, end: date) -> pl.DataFrame:
    """Return the hours of a block in the local days ``[start, end)``, ascending, in schema ``BLOCK_HOURS``.

    Raises ``InvalidSpan`` when ``start`` is after ``end``. Clocks must change by whole hours (not so on Lord Howe Island).
    """
    if start > end:
        raise InvalidSpan(f"start {start} is after end {end}", start=str(start), end=str(end))
    ts = pl.datetime_range(
        day_start(start, block.zone), day_start(end, block.zone), "1h", closed="left", time_unit="us", eager=True
    )
    local = pl.col("ts").dt.convert_time_zone(block.zone)
    return (
        ts.alias("ts")
        .to_frame()
        .filter(block_mask(pl.col("ts"), block))
        .with_columns(day=local.dt.date(), hour_ending=local.dt.hour() + 1)
    )


def count_hours(block: Block, start: date, end: date) -> int:
    """Return the number of hours of the block in the local days ``[start, end)``."""
    return block_hours(block, start, end).height


def _kind_of_day(local: pl.Expr, holidays: Holidays) -> pl.Expr:
    """Return 0 = Monday ... 6 = Sunday, 7 = holiday: the order of ``blocks.DAYS``."""
    weekday = local.dt.weekday().cast(pl.Int16) - 1
    match holidays:
        case Holidays.NERC:
            return pl.when(is_nerc_holiday(local)).then(pl.lit(7, pl.Int16)).otherwise(weekday)
        case Holidays.NONE:
            return weekday
