"""Vintages: all versions of a series side by side, one column of values for each known time.

The vintage of a known time has, for each interval, the value in force then (``core.asof``), so a column is the series as it was
published at that time. A value that a vintage withdraws is NaN in its column; null stands before the first version.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.core.asof import ALL_TIME, Span
from aurum.core.frames import REVISIONS, conform


def vintages_of(revisions: pl.DataFrame, known: Span = ALL_TIME) -> Sequence[datetime]:
    """Return the known times of revisions (schema ``REVISIONS``) that lie in a half-open span, ascending."""
    times: list[datetime] = within(revisions, known)["known_at"].unique().sort().to_list()
    return times


def within(revisions: pl.DataFrame, known: Span) -> pl.DataFrame:
    """Return the revisions whose known time lies in a half-open span."""
    if known.start is not None:
        revisions = revisions.filter(pl.col("known_at") >= known.start)
    if known.end is not None:
        revisions = revisions.filter(pl.col("known_at") < known.end)
    return revisions


def side_by_side(revisions: pl.DataFrame, vintages: Sequence[datetime]) -> pl.DataFrame:
    """Return ``ts`` and one Float64 column for each vintage, named by its position, ascending by ``ts``.

    ``revisions``: schema ``REVISIONS``, all versions of the points up to the last vintage. ``vintages``: known times,
    ascending, at least one. Points that have no version by the last vintage have no row. Raises ``FrameMismatch``.
    """
    names = [str(position) for position in range(len(vintages))]
    frame = conform(revisions, REVISIONS).filter(pl.col("known_at") <= vintages[-1])
    # A version counts in the first vintage at or after its known time; of several in one, the last.
    of_vintage = pl.Series("known_at", vintages, dtype=frame.schema["known_at"])
    numbered = frame.with_columns(of_vintage.search_sorted(frame["known_at"], side="left").cast(pl.String).alias("vintage"))
    wide = numbered.pivot(on="vintage", on_columns=names, index="ts", values="value", aggregate_function="last").sort("ts")
    in_force = [pl.lit(None, pl.Float64).alias("before"), *map(pl.col, names)]
    columns = [pl.coalesce(list(reversed(in_force[: position + 2]))).alias(name) for position, name in enumerate(names)]
    return wide.select("ts", *columns)
