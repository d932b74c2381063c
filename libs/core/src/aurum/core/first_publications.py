"""A publication rule dates the first publication of a point only. Pure: frames in, frames out.

Where a point is stored already, a file that is dated by a rule may repeat its value, which adds nothing. Another value is a
correction: dated by the rule it would be known before what it corrects, or be lost to the greater value at the same known time.
So it becomes known when the file was taken in, if that moment is known, or it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.frames import PUBLICATIONS, UTC_US

_KEY = ["series_id", "ts"]
_CONTENT = ["value", "quality"]

RULE_DATED = pl.Schema({**PUBLICATIONS, "version": pl.Int16(), "by_rule": pl.Boolean()})
"""Publications of a file. ``by_rule``: the known time is from the dataset's rule. ``version``: as in ``core.frames.PARSED``."""


@dataclass(frozen=True, slots=True)
class FirstPublications:
    """Publications of a file after the comparison with what is stored.

    ``batch``: schema ``PUBLICATIONS``; points that are stored with the same value are left out, and corrections have the
    moment of the file. ``conflicts``: ``series_id``, ``ts``, ``value`` and ``stored``: corrections without such a moment.
    """

    batch: pl.DataFrame
    conflicts: pl.DataFrame


def first_publications(
    batch: pl.DataFrame, current: pl.DataFrame, *, corrected_at: datetime | None, republished: pl.DataFrame | None = None
) -> FirstPublications:
    """Compare rows that a rule dates with the stored points.

    ``batch``: schema ``RULE_DATED``. ``current``: schema ``PUBLICATIONS``, the values in force of the batch's points.
    ``corrected_at``: when corrections in the file became known, UTC; None if they must be refused. ``republished``: stored
    versions of points (``series_id``, ``ts``, ``value``, ``quality``) that the file may repeat, because it was loaded before.
    """
    stored = current.select(*_KEY, *(pl.col(name).alias(f"old_{name}") for name in (*_CONTENT, "known_at")))
    joined = batch.join(stored, on=_KEY, how="left", maintain_order="left")
    judged = joined.filter(pl.col("by_rule") & pl.col("old_known_at").is_not_null() & (pl.col("version") == 0))
    if judged.is_empty():
        return FirstPublications(batch.select(list(PUBLICATIONS)), _no_conflicts())
    differs = ~pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"old_{name}")) for name in _CONTENT)
    corrections = judged.filter(differs)
    if republished is not None and not corrections.is_empty():
        corrections = corrections.join(republished, on=[*_KEY, *_CONTENT], how="anti", nulls_equal=True, maintain_order="left")
    is_later = pl.lit(corrected_at, UTC_US) > pl.col("old_known_at") if corrected_at is not None else pl.lit(value=False)
    conflicts = corrections.filter(~is_later).select(*_KEY, "value", pl.col("old_value").alias("stored"))
    moved = corrections.filter(is_later).select(*_KEY, pl.lit(value=True).alias("is_moved"))
    is_stored = pl.col("by_rule") & pl.col("old_known_at").is_not_null()
    moment = pl.lit(corrected_at, UTC_US) + pl.duration(microseconds=pl.col("version").cast(pl.Int64))
    remaining = (
        joined.join(moved, on=_KEY, how="left", maintain_order="left")
        .with_columns(is_moved=pl.col("is_moved").fill_null(value=False) & pl.col("by_rule"))
        .filter(~is_stored | pl.col("is_moved"))
        .with_columns(known_at=pl.when("is_moved").then(moment.cast(UTC_US)).otherwise("known_at"))
    )
    return FirstPublications(remaining.select(list(PUBLICATIONS)), conflicts)


def same_issue(batch: pl.DataFrame, stored: pl.DataFrame, *, corrected_at: datetime | None) -> FirstPublications:
    """Compare an issue, dated by a rule, with the stored issues of its usual publication time.

    ``batch``: schema ``RULE_DATED``. ``stored``: the publications of the stored issues, each issue at one known time; schema
    ``PUBLICATIONS``, not empty. Rows that repeat one of the issues get its known time. If rows differ from all of them, the
    file is another issue, known at ``corrected_at``; without such a later moment, the rows that differ from the newest issue
    are conflicts.
    """
    judged = batch.filter(pl.col("by_rule") & (pl.col("version") == 0))
    times = stored["known_at"].unique().sort(descending=True).to_list()
    differing = [_differing(judged, stored.filter(pl.col("known_at") == pl.lit(known, UTC_US))) for known in times]
    repeated = next((known for known, conflicts in zip(times, differing, strict=True) if conflicts.is_empty()), None)
    if repeated is None and (corrected_at is None or corrected_at <= times[0]):
        return FirstPublications(batch.clear().select(list(PUBLICATIONS)), differing[0])
    known = pl.lit(repeated or corrected_at, UTC_US) + pl.duration(microseconds=pl.col("version").cast(pl.Int64))
    dated = batch.with_columns(known_at=pl.when("by_rule").then(known.cast(UTC_US)).otherwise("known_at"))
    return FirstPublications(dated.select(list(PUBLICATIONS)), _no_conflicts())


def _differing(judged: pl.DataFrame, issue: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that an issue has with another content: ``series_id``, ``ts``, ``value`` and ``stored``."""
    stated = issue.select(*_KEY, *(pl.col(name).alias(f"old_{name}") for name in _CONTENT))
    joined = judged.join(stated, on=_KEY, how="inner", maintain_order="left")
    differs = ~pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"old_{name}")) for name in _CONTENT)
    return joined.filter(differs).select(*_KEY, "value", pl.col("old_value").alias("stored"))


def _no_conflicts() -> pl.DataFrame:
    return pl.DataFrame(schema={"series_id": pl.Int32, "ts": UTC_US, "value": pl.Float64, "stored": pl.Float64})
