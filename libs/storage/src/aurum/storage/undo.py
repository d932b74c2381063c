"""The record that lets a recording be taken back, collected while a file is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from aurum.core.as_loaded import NEW_SPANS, UNDONE, new_spans, outside
from aurum.core.frames import PUBLICATIONS

_KEY = ["series_id", "ts", "known_at"]


@dataclass(slots=True)
class Undo:
    """Publications that a recording adds and takes away, and the spans of its new points.

    ``spans``: schema ``core.as_loaded.NEW_SPANS``; None until the stored points of the file's span have been read.
    """

    spans: pl.DataFrame | None = None
    _added: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    _removed: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def begin(self, fresh: pl.DataFrame, stored: pl.DataFrame) -> None:
        """Set the spans. ``fresh``, ``stored``: as in ``core.as_loaded.new_spans``."""
        self.spans = new_spans(fresh, stored)
        limits = fresh.group_by("series_id").agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
        if not stored.is_empty() or not limits.join(self.spans, on=list(NEW_SPANS), how="anti").is_empty():
            self.add(fresh)

    def add(self, publications: pl.DataFrame) -> None:
        """Note publications that were not stored: ``series_id``, ``ts`` and ``known_at``."""
        if not publications.is_empty():
            self._added.append(publications.select(_KEY))

    def remove(self, publications: pl.DataFrame) -> None:
        """Note publications whose content is taken away or replaced, schema ``PUBLICATIONS``, with the stored content."""
        if not publications.is_empty():
            self._removed.append(publications.select(list(PUBLICATIONS)))

    def replace(self, stored: pl.DataFrame, incoming: pl.DataFrame, winners: pl.DataFrame) -> None:
        """Note what late publications add and replace.

        ``stored``: all publications of their points. ``winners``: those in force at each known time afterwards.
        """
        self.add(incoming.select(_KEY).unique().join(stored.select(_KEY), on=_KEY, how="anti"))
        self.remove(stored.unique(_KEY).join(winners, on=list(PUBLICATIONS), how="anti", nulls_equal=True))

    def listed(self) -> pl.DataFrame:
        """Return the added publications outside the spans: ``series_id``, ``ts`` and ``known_at``."""
        if not self._added:
            return pl.DataFrame(schema={name: PUBLICATIONS[name] for name in _KEY})
        added = pl.concat(self._added).unique()
        return outside(added, self.spans if self.spans is not None else pl.DataFrame(schema=NEW_SPANS))

    def removed(self) -> pl.DataFrame:
        """Return the publications that were taken away, schema ``PUBLICATIONS``."""
        return pl.concat(self._removed) if self._removed else pl.DataFrame(schema=PUBLICATIONS)


def undone(added: pl.DataFrame, removed: pl.DataFrame) -> pl.DataFrame:
    """Return both as one frame of schema ``core.as_loaded.UNDONE``. ``added``: ``series_id``, ``ts`` and ``known_at``."""
    return pl.concat(
        [
            added.select(
                *(pl.lit(0, PUBLICATIONS[name]).alias(name) if name not in _KEY else pl.col(name) for name in PUBLICATIONS),
                pl.lit(value=True).alias("is_added"),
            ),
            removed.select(*PUBLICATIONS, pl.lit(value=False).alias("is_added")),
        ]
    ).select(list(UNDONE))


def single_times(batch: pl.DataFrame, listed: pl.DataFrame) -> Mapping[int, datetime]:
    """Return the known time of each series in ``listed`` whose publications in the batch are all known at one time."""
    times = (
        batch.join(listed.select("series_id").unique(), on="series_id", how="semi")
        .group_by("series_id")
        .agg(pl.col("known_at").min().alias("first"), pl.col("known_at").max().alias("last"))
        .filter(pl.col("first") == pl.col("last"))
    )
    return dict(zip(times["series_id"].to_list(), times["first"].to_list(), strict=True))
