"""The changes that a batch of publications makes, computed in columns. Pure: a writer reads the frames and stores the result.

A ``Shape`` names the columns that identify a point and those with its published content: (``series_id``, ``ts``) and
(``value``, ``quality``) for observations; a quote of a forward curve has more of both. The publications of a point, by known
time, are a list of *changes* (each differs from the one before) and *confirmations* (each repeats the content in force).
Reads need the changes only, but a publication that arrives late can turn a confirmation into a change: if A, B, A are published
but loaded as A, A, B, the second A must become a change. So confirmations are stored too, apart from what readers scan. The law
is in ``aurum.core.asof``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_KNOWN = "known_at"


@dataclass(frozen=True, slots=True)
class Classified:
    """A batch, split by its effect on the stored points. All frames have the columns of the batch.

    ``fresh``: points that are not stored. ``revising``: newer than the current content and different from it; its ``old_*``
    columns have the content it replaces. ``confirming``: newer and equal. ``late``: publications that need the point's history.
    Publications that repeat the current content at its own known time are in none of them.
    """

    fresh: pl.DataFrame
    revising: pl.DataFrame
    confirming: pl.DataFrame
    late: pl.DataFrame


@dataclass(frozen=True, slots=True)
class History:
    """All stored publications of some points.

    ``changes``: key, content, ``known_at``, and after ``rewrite`` ``superseded_at`` (null: current), ascending by key and known
    time. ``confirmations``: key and ``known_at``.
    """

    changes: pl.DataFrame
    confirmations: pl.DataFrame

    def publications(self) -> pl.DataFrame:
        """Return all publications: the changes without ``superseded_at``, and the confirmations with their content."""
        columns = [name for name in self.changes.columns if name != "superseded_at"]
        stated = self.changes.select(columns)
        if self.confirmations.is_empty():
            return stated
        key = [name for name in self.confirmations.columns if name != _KNOWN]
        repeated = (
            self.confirmations.sort(_KNOWN)
            .join_asof(
                stated.with_columns(pl.lit(True).alias("__stated")).sort(_KNOWN),
                on=_KNOWN,
                by=key,
                strategy="backward",
                check_sortedness=False,
            )
            .drop_nulls("__stated")
            .select(columns)
        )
        return pl.concat([stated, repeated])


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a kind of point. ``key``: columns that identify it, never null. ``content``: columns that are published.

    Two publications of a point at one known time are compared field by field in the order of ``content``, null lowest, NaN
    above every number; the greater one is in force.
    """

    key: tuple[str, ...]
    content: tuple[str, ...]

    @property
    def published(self) -> list[str]:
        """The columns to sort by, so that the last publication of a point is the one in force."""
        return [*self.key, _KNOWN, *self.content]

    def classify(self, batch: pl.DataFrame, current: pl.DataFrame) -> Classified:
        """Split a batch that has at most one publication a key.

        ``current``: the publication in force of each key of the batch that has one.
        """
        if current.is_empty():
            none = batch.clear()
            return Classified(fresh=batch, revising=none, confirming=none, late=none)
        joined = batch.join(
            current.select(*self.key, *(pl.col(name).alias(f"old_{name}") for name in (*self.content, _KNOWN))),
            on=list(self.key),
            how="left",
            maintain_order="left",
        )
        equal = self._equals_old()
        newer = pl.col(_KNOWN) > pl.col("old_known_at")
        known = joined.filter(pl.col("old_known_at").is_not_null())
        columns = batch.columns
        return Classified(
            fresh=joined.filter(pl.col("old_known_at").is_null()).select(columns),
            revising=known.filter(newer & ~equal),
            confirming=known.filter(newer & equal).select(columns),
            late=known.filter(~newer & ~(equal & (pl.col(_KNOWN) == pl.col("old_known_at")))).select(columns),
        )

    def rewrite(self, history: History, late: pl.DataFrame) -> History:
        """Return the history with late publications inserted; their order does not matter, and they may be repeated."""
        publications = (
            pl.concat([history.publications().select(late.columns), late])
            # Of two at one known time the greater is in force; Polars also sorts null below and NaN above every number.
            .sort(self.published)
            .unique([*self.key, _KNOWN], keep="last", maintain_order=True)
        )
        # The rows of a point are neighbours: comparing keys with the row before costs a tenth of a window over the key.
        marked = publications.with_columns(
            *(self._beside(name, 1).alias(f"old_{name}") for name in (*self.content, _KNOWN))
        ).with_columns((pl.col("old_known_at").is_not_null() & self._equals_old()).alias("repeats"))
        changes = marked.filter(~pl.col("repeats")).select(late.columns)
        return History(
            changes=changes.with_columns(self._beside(_KNOWN, -1).alias("superseded_at")),
            confirmations=marked.filter("repeats").select(*self.key, _KNOWN),
        )

    def layers(self, batch: pl.DataFrame) -> list[pl.DataFrame]:
        """Split a batch, in ascending order of its keys, into parts with one publication a key each, the older ones first.

        Two publications of a key at one known time are one: the greater, as everywhere.
        """
        ordered = batch.sort(self.published)
        repeated = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in self.key)
        if not ordered.select(repeated.any()).item():
            return [ordered]
        distinct = ordered.unique([*self.key, _KNOWN], keep="last", maintain_order=True)
        ranked = distinct.with_columns(pl.int_range(pl.len()).over(self.key).alias("layer"))
        return [part.drop("layer") for part in ranked.partition_by("layer", maintain_order=True)]

    def in_force(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the publication in force after the whole batch, for each key."""
        return batch.sort(self.published).unique(list(self.key), keep="last", maintain_order=True)

    def _beside(self, name: str, rows: int) -> pl.Expr:
        """Return a column of the row that is ``rows`` earlier, if it is of the same point, else null. The frame is in order."""
        is_same = pl.all_horizontal(pl.col(key) == pl.col(key).shift(rows) for key in self.key)
        return pl.when(is_same).then(pl.col(name).shift(rows))

    def _equals_old(self) -> pl.Expr:
        """Return whether the content equals that in ``old_*``: NaN equals NaN and null equals null."""
        return pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"old_{name}")) for name in self.content)


OBSERVATIONS = Shape(key=("series_id", "ts"), content=("value", "quality"))
"""The shape of observations."""
