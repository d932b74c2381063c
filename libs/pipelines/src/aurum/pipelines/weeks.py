"""Puts weekly observations where their weeks are: publishers stamp a week with a day, and a series declares what that means.

Parsers read the stamp as the start of the stamped day, in the time zone of the series. Here flows move to the first of the
seven days that end with it, and every weekly series gets the label ``week`` (``aurum.core.series.weeks``). A value stamped
on another weekday than the publisher's is held back: the file was changed, and which week the value is of is not known.
"""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frequency import Frequency
from aurum.core.markettime import first_instant, local_day
from aurum.core.series.weeks import LABEL, Week
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Parsed

_LABELS = {str(week): json.dumps({LABEL: str(week)}) for week in Week}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_IS_WEEKLY = pl.col("frequency") == str(Frequency.WEEK)


def day_name(weekday: int) -> str:
    """Return the English name of a weekday, whatever the locale; Monday is 0."""
    return _WEEKDAYS[weekday]


def in_weeks(parsed: Parsed, week: pl.Expr, weekday: pl.Expr | None = None) -> Parsed:
    """Return the content of a file with the weekly series declared and the flows among them moved.

    ``week``: expression over ``parsed.series`` for the name of a ``Week``. It must use only what is stored with a series, so
    that a stored series and a later file always agree. ``weekday``: expression over ``parsed.series`` for the weekday of the
    stamps of a weekly series, Monday being 0, or null; values stamped on another one are held back. Series of other steps stay
    as they are.
    """
    if weekday is not None:
        parsed = _on_weekdays(parsed, weekday)
    declared = pl.when(_IS_WEEKLY).then(week)
    labels = declared.replace_strict(_LABELS, default=None, return_dtype=pl.String)
    series = parsed.series.with_columns(pl.coalesce(labels, "labels").alias("labels"), declared.alias("__week"))
    flows = series.filter(pl.col("__week") == str(Week.FLOW)).select("location", "measure", pl.col("zone").alias("__zone"))
    rows = _moved(parsed.rows, flows) if flows.height else parsed.rows
    return replace(parsed, series=series.drop("__week"), rows=rows)


def _on_weekdays(parsed: Parsed, weekday: pl.Expr) -> Parsed:
    """Return the content of a file without the values that are not stamped on the ``weekday`` of their series."""
    weekly = parsed.series.filter(_IS_WEEKLY)
    expected = weekly.select("location", "measure", "zone", weekday.alias("__expected")).drop_nulls("__expected")
    if expected.is_empty():
        return parsed
    zones: list[str] = expected["zone"].unique().to_list()
    stamped = pl.coalesce(
        pl.when(pl.col("zone") == zone).then(local_day(pl.col("ts"), zone).dt.weekday().cast(pl.Int64) - 1) for zone in zones
    )
    rows = parsed.rows.join(expected, on=["location", "measure"], how="left", maintain_order="left")
    rows = rows.with_columns(stamped.alias("__stamped"))
    names = dict(enumerate(_WEEKDAYS))
    day, usual = (pl.col(name).replace_strict(names, return_dtype=pl.String) for name in ("__stamped", "__expected"))
    refusals = Refusals(parsed.raw)
    passed = refusals.rows(
        rows,
        pl.col("__stamped") != pl.col("__expected"),
        column="ts",
        reason=Reason.INVALID_TIME,
        detail=pl.format("stamped on a {}: the weeks of {} are stamped on a {}", day, "location", usual),
    )
    refused = refusals.frame()
    return parsed if refused.is_empty() else parsed.holding_back(passed.select(parsed.rows.columns), refused)


def _moved(rows: pl.DataFrame, flows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with those of flows moved to the start of their weeks. ``flows``: location, measure and ``__zone``."""
    zones: list[str] = flows["__zone"].unique().to_list()
    starts = [pl.when(pl.col("__zone") == zone).then(_week_start(pl.col("ts"), zone)) for zone in zones]
    joined = rows.join(flows, on=["location", "measure"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(*starts, "ts").alias("ts")).drop("__zone")


def _week_start(ts: pl.Expr, zone: str) -> pl.Expr:
    day = local_day(ts, zone).dt.offset_by(f"-{Week.FLOW.days_before_stamp}d")
    return first_instant(day.cast(pl.Datetime("us")), zone)
