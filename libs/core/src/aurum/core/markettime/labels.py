"""Conversion of the local time labels of market files to UTC, in columns; null where a label does not name exactly one instant.

A label that does not exist (02:30 on the spring day), or that names two instants (01:30 on the fall day, without anything that
distinguishes them), becomes null, never a guess. The caller sends such rows to quarantine with ``label_problem``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def to_utc(naive: pl.Expr, zone: str, *, second: pl.Expr | None = None) -> pl.Expr:
    """Return UTC instants (``Datetime("us", "UTC")``) of naive local date-times; null where none, or two, match.

    ``second``: Boolean column, true on the second of two equal labels (standard time: ``02X``, ``EST``, a repeated-hour
    flag of Y). Without it, and where it is null, an ambiguous label becomes null. On labels that name one instant it
    has no effect.
    """
    import polars as pl

    local = naive.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    if second is not None:
        # Not with an expression as ``ambiguous``: polars 2.1 panics on it over an empty frame.
        first = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        last = naive.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
        local = pl.when(second.is_null()).then(local).when(second).then(last).otherwise(first)
    return local.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def hour_ending(day: pl.Expr, hour: pl.Expr, zone: str, *, second: pl.Expr | None = None) -> pl.Expr:
    """Return the UTC interval start of hour-ending labels 1..24 of a local day (Date); null outside 1..24.

    A label means "the local hour that begins at hour - 1", as PJM, ERCOT, NYISO and ISO-NE number them: on the spring day
    label 3 (02:00 to 03:00) does not exist; on the fall day label 2 exists twice.
    """
    import polars as pl

    naive = (
        pl.when(hour.is_between(1, 24))
        .then(day.cast(pl.Datetime("us")) + pl.duration(hours=hour.cast(pl.Int64) - 1))
        .otherwise(None)
    )
    return to_utc(naive, zone, second=second)


def label_problem(naive: pl.Expr, zone: str) -> pl.Expr:
    """Return why ``to_utc`` returns null: ``non_existent_time``, ``ambiguous_time``, ``invalid_time`` (null in ``naive``).

    Null where a label names exactly one instant.
    """
    import polars as pl

    first = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    last = naive.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    return (
        pl.when(naive.is_null())
        .then(pl.lit("invalid_time"))
        .when(first.is_null())
        .then(pl.lit("non_existent_time"))
        .when(first != last)
        .then(pl.lit("ambiguous_time"))
        .otherwise(None)
    )


def occurrence(*key: pl.Expr) -> pl.Expr:
    """Return 0 on the first row of a key, 1 on the second, and so on, in row order.

    For files that distinguish the two rows of the repeated hour only by their order (NYISO public files: EDT first).
    """
    import polars as pl

    return pl.int_range(pl.len(), dtype=pl.Int64).over(*key)
