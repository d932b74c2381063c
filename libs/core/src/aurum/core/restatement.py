"""Restatement: publications that were dated by the moment at which they were taken in get the time of a publication rule.

It changes answers about the past, and nothing else does but a late publication. Pure: frames in, frames out.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from aurum.core.frames import UTC_US
from aurum.core.merge import OBSERVATIONS, History

MOVES = pl.Schema({"series_id": pl.Int32(), "ts": UTC_US, "known_at": UTC_US, "restated_at": UTC_US})
"""Publications, by the known time they have, and the known time they get."""

LONGEST_VERSION = timedelta(milliseconds=1)
"""Earlier versions of a point in one file are known some microseconds before the file, never longer than this."""

_KEY = ["series_id", "ts"]


def first_moves(changes: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Return the first publications of points that are dated by the moment of a file.

    ``changes``: the versions of points, with ``series_id``, ``ts`` and ``known_at``. ``moments``: ``series_id`` and
    ``known_at``, the moments at which files with the series were taken in. Returns ``series_id``, ``ts``, ``known_at`` and
    ``moment``.
    """
    firsts = changes.group_by(_KEY).agg(pl.col("known_at").min())
    return of_moments(firsts, moments)


def of_moments(publications: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Return the publications that are dated by the moment of a file, with that ``moment``; as ``first_moves`` does."""
    times = moments.select("series_id", "known_at", pl.col("known_at").alias("moment")).unique().sort("known_at")
    return (
        publications.sort("known_at")
        .join_asof(times, on="known_at", by="series_id", strategy="forward", tolerance=LONGEST_VERSION, check_sortedness=False)
        .drop_nulls("moment")
        .sort(_KEY)
    )


def moves_before(dated: pl.DataFrame) -> pl.DataFrame:
    """Return the moves, schema ``MOVES``, of publications that were taken in longer after their usual time than ``near``.

    ``dated``: ``series_id``, ``ts``, ``known_at``, ``moment``, ``scheduled`` (null: no rule) and ``near`` (a duration).
    """
    is_history = pl.col("moment") - pl.col("scheduled") > pl.col("near")
    # Versions of one point in one file keep their order.
    restated = pl.col("scheduled") - (pl.col("moment") - pl.col("known_at"))
    moving = dated.filter(is_history.fill_null(value=False))
    return moving.select(*_KEY, "known_at", restated.cast(UTC_US).alias("restated_at"))


def restated(history: History, moves: pl.DataFrame) -> History:
    """Return the history of some points after their publications moved to other known times.

    ``history``: all publications of the points of ``moves``. Moves of publications that it does not hold have no effect.
    """
    publications = history.publications()
    columns = publications.columns
    moved = publications.join(moves, on=[*_KEY, "known_at"], how="left").with_columns(
        known_at=pl.coalesce("restated_at", "known_at")
    )
    nothing = History(history.changes.clear(), history.confirmations.clear())
    return OBSERVATIONS.rewrite(nothing, moved.select(columns))
