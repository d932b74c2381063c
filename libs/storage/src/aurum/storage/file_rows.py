"""Rows of a file as publications of stored series, and their summaries. Pure; every adapter's writer uses them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import polars as pl

from aurum.core.as_loaded import NEW_SPANS
from aurum.core.first_publications import RULE_DATED
from aurum.core.frames import FILE_ROWS, FILE_SERIES, UTC_US, FrameMismatch, conform
from aurum.storage.ports.observations import CorrectionUndated, LockedSeries, Moment, SeriesRows

_SHOWN = 3
"""Points that a refusal names."""


def file_publications(part: SeriesRows, ids: Sequence[int], known_at: datetime | None) -> pl.DataFrame:
    """Return the rows of a part as publications, schema ``RULE_DATED``.

    ``ids``: of the series of the part, in its order. ``known_at``: of rows without a known time of their own. Raises
    ``FrameMismatch`` for a row without any known time.
    """
    rows = conform(part.rows, FILE_ROWS)
    known = pl.col("known_at").fill_null(known_at) if known_at is not None else pl.col("known_at")
    frame = rows.select(
        pl.Series("series_id", ids, dtype=pl.Int32).gather(rows["series"]),
        "ts",
        # -0.0 and 0.0 are the same value. Adding 0.0 does not work, because Polars optimises it away.
        pl.when(pl.col("value") == 0).then(0.0).otherwise("value").alias("value"),
        "quality",
        known + pl.duration(microseconds=pl.col("version").cast(pl.Int64)),
        "version",
        (pl.col("known_at").is_not_null() & pl.lit(part.rule is not None)).alias("by_rule"),
    )
    if frame["known_at"].null_count():
        raise FrameMismatch("known_at: null in a row of a file without a known time of its own")
    return conform(frame, RULE_DATED)


def touched_series(
    offered: pl.DataFrame,
    batch: pl.DataFrame,
    counts: pl.DataFrame,
    moment: Moment,
    *,
    spans: pl.DataFrame | None = None,
    sole: Collection[int] = (),
) -> pl.DataFrame:
    """Return the summary of a file by series, schema ``FILE_SERIES``.

    ``offered``: schema ``RULE_DATED``. ``batch``: schema ``PUBLICATIONS``, without the points that repeat a stored one.
    ``counts``: ``series_id``, ``new`` and ``revised``. ``spans``: of new points, schema ``core.as_loaded.NEW_SPANS``. ``sole``:
    ids of the series without a publication at the file's known time or later.
    """
    limits = offered.group_by("series_id").agg(
        pl.col("ts").min().alias("first_ts"), pl.col("ts").max().alias("last_ts"), pl.col("known_at").max().alias("offered")
    )
    accepted = batch.group_by("series_id").agg(pl.col("known_at").max())
    counted = limits.join(accepted, on="series_id", how="left").join(
        counts.select("series_id", "new", "revised"), on="series_id", how="left"
    )
    by_rule = pl.lit(bool(offered["by_rule"].any()))
    of_file = (pl.col("known_at") == pl.lit(moment.time, UTC_US)).fill_null(value=False)
    new = (spans if spans is not None else pl.DataFrame(schema=NEW_SPANS)).rename({"first": "_first", "last": "_last"})
    filled = (
        counted.join(new, on="series_id", how="left")
        .with_columns(
            pl.col("new", "revised").fill_null(0),
            pl.col("known_at").fill_null(pl.col("offered")),
            pl.col("_first").fill_null(pl.col("first_ts")).alias("new_first_ts"),
            pl.col("_last").fill_null(pl.col("first_ts") - pl.duration(microseconds=1)).alias("new_last_ts"),
            pl.col("series_id").is_in(list(sole)).alias("is_sole"),
        )
        .with_columns((by_rule & ~of_file).alias("is_scheduled"))
    )
    return conform(filled.sort("series_id"), FILE_SERIES)


def issues_of(batch: pl.DataFrame, part: SeriesRows) -> pl.DataFrame | None:
    """Return the issues in publications: ``known_at``, ``first_ts``, ``last_ts`` and number of ``series``, ascending.

    None for a part that is neither a forecast nor has several known times of its own, such as the vintages of an answer.
    """
    has_vintages = part.rule is None and part.rows["known_at"].null_count() < part.rows.height
    if not (part.is_forecast or has_vintages):
        return None
    return (
        batch.group_by("known_at")
        .agg(
            pl.col("ts").min().alias("first_ts"),
            pl.col("ts").max().alias("last_ts"),
            pl.col("series_id").n_unique().alias("series"),
        )
        .sort("known_at")
    )


def correction_undated(conflicts: pl.DataFrame, part: SeriesRows, locked: LockedSeries) -> CorrectionUndated:
    """Return the refusal of a file that corrects stored points without saying when the correction became known.

    ``conflicts``: as in ``core.first_publications.FirstPublications``.
    """
    keys = dict(zip(locked.ids, part.series["key"].to_list(), strict=True))
    shown = conflicts.sort("series_id", "ts").head(_SHOWN).iter_rows(named=True)
    named = "; ".join(
        f"{keys[row['series_id']]} {row['ts']:%Y-%m-%dT%H:%MZ}: stored {row['stored']}, here {row['value']}" for row in shown
    )
    count = conflicts.height
    points = "1 stored point has" if count == 1 else f"{count} stored points have"
    more = "" if count <= _SHOWN else f"; and {count - _SHOWN} more"
    return CorrectionUndated(
        f"{points} another value here ({named}{more}), and a publication rule dates first publications only: load the file "
        "with --known-at TIME, the time at which the correction was published, or with --known-at now if that was just now",
        points=count,
    )
