"""What a batch of publications changes, worked out in columns. Pure: the writer brings the frames and stores the answer.

Keys are (``series_id``, ``ts``). The publications of a key, by known time, are a list of *changes* (each differs from the one
before) and *confirmations* (each repeats the value in force). Answers need the changes alone, but a publication that
arrives late can turn a confirmation into a change: published A, B, A but loaded A, A, B, the second A must come back.
So confirmations are kept, out of the readers' way. The law is in ``aurum.core.asof``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

KEY = ["series_id", "ts"]
_CONTENT = ["value", "quality"]
_SAID = [*KEY, "known_at", *_CONTENT]
"""The order in which the last of a point's publications is the one that stands."""


def same(left: str, right: str) -> pl.Expr:
    """Whether two columns hold the same value, NaN being the same as NaN."""
    return pl.col(left).eq_missing(pl.col(right))


@dataclass(frozen=True, slots=True)
class Classified:
    """A batch sorted by what it means for the points now stored. All have the columns of ``PUBLICATIONS``.

    ``fresh``: points not seen before. ``revising``: newer than the current value and different from it; with it, in
    ``old_*`` columns, the value it ends. ``confirming``: newer and equal. ``late``: all that needs the point's history.
    What is left out repeats the current value at its own known time.
    """

    fresh: pl.DataFrame
    revising: pl.DataFrame
    confirming: pl.DataFrame
    late: pl.DataFrame


def classify(batch: pl.DataFrame, current: pl.DataFrame) -> Classified:
    """``batch``: at most one publication a key. ``current``: the current value of every key of the batch that has one."""
    if current.is_empty():
        none = batch.clear()
        return Classified(fresh=batch, revising=none, confirming=none, late=none)
    joined = batch.join(
        current.select(*KEY, *(pl.col(name).alias(f"old_{name}") for name in (*_CONTENT, "known_at"))),
        on=KEY,
        how="left",
        maintain_order="left",
    )
    equal = same("value", "old_value") & same("quality", "old_quality")
    newer = pl.col("known_at") > pl.col("old_known_at")
    known = joined.filter(pl.col("old_known_at").is_not_null())
    columns = batch.columns
    return Classified(
        fresh=joined.filter(pl.col("old_known_at").is_null()).select(columns),
        revising=known.filter(newer & ~equal),
        confirming=known.filter(newer & equal).select(columns),
        late=known.filter(~newer & ~(equal & (pl.col("known_at") == pl.col("old_known_at")))).select(columns),
    )


@dataclass(frozen=True, slots=True)
class History:
    """All known of some points, in the columns of ``PUBLICATIONS`` plus ``superseded_at`` (null: still current).

    ``changes``: ascending by key and known time. ``confirmations``: (``series_id``, ``ts``, ``known_at``).
    """

    changes: pl.DataFrame
    confirmations: pl.DataFrame


def rewrite(history: History, late: pl.DataFrame) -> History:
    """The history with late publications in their places. Neither order nor repetition of them changes the outcome."""
    stated = history.changes.select(late.columns)
    repeated = (
        history.confirmations.sort("known_at")
        .join_asof(stated.sort("known_at"), on="known_at", by=KEY, strategy="backward", check_sortedness=False)
        .select(late.columns)
        .drop_nulls("value")
    )
    publications = (
        pl.concat([stated, repeated, late])
        # Of two at one known time the greater stands; Polars, too, sorts NaN above every number.
        .sort(_SAID)
        .unique([*KEY, "known_at"], keep="last", maintain_order=True)
    )
    marked = publications.with_columns(
        *(pl.col(name).shift(1).over(KEY).alias(f"old_{name}") for name in (*_CONTENT, "known_at"))
    ).with_columns(
        (pl.col("old_known_at").is_not_null() & same("value", "old_value") & same("quality", "old_quality")).alias("repeats")
    )
    changes = marked.filter(~pl.col("repeats")).select(late.columns)
    return History(
        changes=changes.with_columns(pl.col("known_at").shift(-1).over(KEY).alias("superseded_at")),
        confirmations=marked.filter("repeats").select(*KEY, "known_at"),
    )


def layers(batch: pl.DataFrame) -> list[pl.DataFrame]:
    """The batch, in ascending order of its keys, as parts with one publication a key each, the older ones first.

    Two publications of a key at one known time are one: the greater, as everywhere.
    """
    ordered = batch.sort(_SAID)
    repeated_key = (pl.col("series_id") == pl.col("series_id").shift(1)) & (pl.col("ts") == pl.col("ts").shift(1))
    if not ordered.select(repeated_key.any()).item():
        return [ordered]
    distinct = ordered.unique([*KEY, "known_at"], keep="last", maintain_order=True)
    ranked = distinct.with_columns(pl.int_range(pl.len()).over(KEY).alias("layer"))
    return [part.drop("layer") for part in ranked.partition_by("layer", maintain_order=True)]


def last_said(batch: pl.DataFrame) -> pl.DataFrame:
    """Of each key the publication that stands in the end."""
    return batch.sort(_SAID).unique(KEY, keep="last", maintain_order=True)
