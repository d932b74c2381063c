"""Hours that a file counts through the day, 1 to 25 on the fall day and 1 to 23 on the spring day, turned into ERCOT's labels.

ERCOT labels the hours of a day by the clock: the fall day has 2 twice, the second with a flag, and the spring day has no 3.
Files that passed through other programs count them instead. Then every hour after 2 stands an hour off unless it is noticed.
"""

from __future__ import annotations

import polars as pl

from aurum.core.markettime import first_instant

_FALL, _SPRING = 25, 23


def hours_as_labelled(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return the rows with the labels of the clock in ``hour`` and ``second``; ``hour`` becomes null where it is not certain.

    ``rows``: with ``day`` (Date), ``hour`` (Int64) and ``second`` (Boolean, null without a flag). The hours of a fall day are
    counted when only the third has the flag, or when they go to 25 and none has it. If the second has it, the day is labelled
    and an hour 25 is wrong; with any other flag none of its hours is certain. Those of a spring day are counted when there is
    an hour 3 and none above 23: certain if all of 1 to 23 are there; else the hours from 3 on are not. Other days stay as
    they are.
    """
    hour = pl.col("hour")
    counted = (
        rows.drop_nulls("day")
        .group_by("day", maintain_order=True)
        .agg(
            hour.max().alias("last"),
            (hour == 3).any().alias("has_3"),
            hour.filter(hour.is_between(1, _SPRING)).n_unique().alias("distinct"),
            hour.filter(pl.col("second").fill_null(False)).unique().alias("flagged"),
        )
    )
    other_flag = pl.col("flagged").list.eval(pl.element() != 2).list.any()
    special = counted.filter((pl.col("last") == _FALL) | other_flag | ((pl.col("last") <= _SPRING) & pl.col("has_3")))
    if special.is_empty():
        return rows
    special = special.with_columns(length=_hours_of("day", zone))
    fall = special.filter((pl.col("length") == _FALL) & ((pl.col("last") == _FALL) | other_flag))
    spring = special.filter((pl.col("length") == _SPRING) & (pl.col("last") <= _SPRING))
    is_counted, is_labelled = (pl.col("flagged").list.eval(pl.element() == label).list.all() for label in (3, 2))
    fall_days = fall.filter(is_counted)["day"].implode()
    contradictory = fall.filter(~is_counted & ~is_labelled)["day"].implode()
    spring_days = spring.filter(pl.col("distinct") == _SPRING)["day"].implode()
    uncertain = spring.filter(pl.col("distinct") != _SPRING)["day"].implode()
    day, is_later = pl.col("day"), hour >= 3
    labelled = (
        pl.when(day.is_in(contradictory) | (day.is_in(uncertain) & (hour > 3)))
        .then(None)
        .when(day.is_in(fall_days) & is_later)
        .then(hour - 1)
        .when(day.is_in(spring_days) & is_later)
        .then(hour + 1)
        .otherwise(hour)
    )
    second = pl.when(day.is_in(fall_days)).then(hour == 3).otherwise("second")
    return rows.with_columns(labelled.alias("hour"), second.alias("second"))


def _hours_of(day: str, zone: str) -> pl.Expr:
    start, end = pl.col(day), pl.col(day).dt.offset_by("1d")
    midnights = [first_instant(each.cast(pl.Datetime("us")), zone) for each in (start, end)]
    return (midnights[1] - midnights[0]).dt.total_hours()
