"""Builds tables of market days and block hours from the calendars of ``aurum.core``, so that no SQL repeats their rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aurum.core.calendars import Block, block_hours, is_nerc_holiday
from aurum.core.frequency import Frequency
from aurum.core.markettime import MARKETS, first_instant
from aurum.storage.ports.model_inputs import BLOCK_HOUR, MARKET_DAY

_SUB_DAILY = [str(frequency) for frequency in Frequency if frequency.step is not None]


@dataclass(frozen=True, slots=True)
class CalendarFrames:
    """The calendar tables. ``days``: schema ``MARKET_DAY``. ``hours``: schema ``BLOCK_HOUR``."""

    days: pl.DataFrame
    hours: pl.DataFrame


def calendar_frames(series: pl.DataFrame, blocks: Iterable[Block]) -> CalendarFrames:
    """Return the days and block hours of all whole years that have data of series with a step shorter than a day.

    There are days for each time zone of such series, and hours for the calendar of each of their markets.
    ``series``: schema ``ports.model_inputs.SERIES_TABLE``. ``blocks``: the blocks in the catalog, with the changes of users.
    """
    stepped = series.filter(pl.col("frequency").is_in(_SUB_DAILY) & pl.col("first_ts").is_not_null())
    spans = stepped.group_by("zone", "market").agg(pl.col("first_ts").min(), pl.col("last_ts").max()).sort("zone", "market")
    zones: dict[str, tuple[int, int]] = {}
    calendars: dict[str, tuple[int, int]] = {}
    for zone, market, first, last in zip(*(spans[name] for name in spans.columns), strict=True):
        # A local day differs from the UTC day by at most one day.
        years = (first - timedelta(days=1)).year, (last + timedelta(days=1)).year
        zones[zone] = _wider(zones.get(zone), years)
        if market in MARKETS:
            calendar = MARKETS[market].calendar
            calendars[calendar] = _wider(calendars.get(calendar), years)
    chosen = [block for block in blocks if block.calendar in calendars]
    return CalendarFrames(
        days=_concat([market_days(zone, *_days_of(years)) for zone, years in sorted(zones.items())], MARKET_DAY),
        hours=_concat([_hours(block, *_days_of(calendars[block.calendar])) for block in chosen], BLOCK_HOUR),
    )


def market_days(zone: str, start: date, end: date) -> pl.DataFrame:
    """Return the local days ``[start, end)`` of a time zone, schema ``MARKET_DAY``, ascending."""
    day = pl.date_range(start, end, "1d", closed="left", eager=True).alias("market_day")
    return day.to_frame().select(
        pl.lit(zone).alias("zone"),
        "market_day",
        first_instant(pl.col("market_day").cast(pl.Datetime("us")), zone).alias("starts_at"),
        first_instant(pl.col("market_day").dt.offset_by("1d").cast(pl.Datetime("us")), zone).alias("ends_at"),
        pl.col("market_day").dt.weekday().cast(pl.Int16).alias("weekday"),
        is_nerc_holiday(pl.col("market_day")).alias("nerc_holiday"),
    )


def _hours(block: Block, start: date, end: date) -> pl.DataFrame:
    return block_hours(block, start, end).select(
        pl.lit(block.calendar).alias("calendar"),
        pl.lit(block.name).alias("block"),
        "ts",
        pl.col("day").alias("market_day"),
        pl.col("hour_ending").cast(pl.Int16),
    )


def _concat(parts: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _wider(known: tuple[int, int] | None, years: tuple[int, int]) -> tuple[int, int]:
    return years if known is None else (min(known[0], years[0]), max(known[1], years[1]))


def _days_of(years: tuple[int, int]) -> tuple[date, date]:
    return date(years[0], 1, 1), date(years[1] + 1, 1, 1)
