"""The store as it stood: publications of today, less what was recorded after an instant. Pure: frames in, frames out.

A store holds a set of publications, by series, ``ts`` and ``known_at``, and each recording (a load, a restatement) changes that
set. The state after an earlier recording is today's set with the later recordings taken back: for each publication the earliest
later recording that touched it decides. If that one added it, it was not there; if that one took it away, or put a greater
content in its place, it was there with the content it had. The law of ``aurum.core.asof`` over the set gives the answers.

A recording of new points is taken back by their span, and one whose known time is later than all before it by that
known time: most loads need no list of what they added.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from aurum.core.frames import CONFIRMATIONS, HISTORY, PUBLICATIONS, UTC_US
from aurum.core.merge import OBSERVATIONS, History

_KEY = ["series_id", "ts", "known_at"]
_TICK = pl.duration(microseconds=1)

NEW_SPANS = pl.Schema({"series_id": pl.Int32(), "first": UTC_US, "last": UTC_US})
"""Spans of ``ts``, both ends included, in which a series had no point before a recording."""

SOLE_TIMES = pl.Schema({"series_id": pl.Int32(), "known_at": UTC_US})
"""Known times that no publication of a series had, nor a later one, before a recording: those at it came then or since."""

UNDONE = pl.Schema({**PUBLICATIONS, "is_added": pl.Boolean()})
"""Publications that a recording added, or took away (``is_added`` false), then with the content they had.

Of added ones ``value`` and ``quality`` mean nothing.
"""


@dataclass(frozen=True, slots=True)
class LaterRecordings:
    """The effects of the recordings after an instant on some series.

    ``spans``: schema ``NEW_SPANS``. ``sole``: schema ``SOLE_TIMES``. ``undone``: schema ``UNDONE``, in the order of recordings.
    """

    spans: pl.DataFrame
    sole: pl.DataFrame
    undone: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether no recording after the instant touched the series."""
        return self.spans.is_empty() and self.sole.is_empty() and self.undone.is_empty()


def nothing_later() -> LaterRecordings:
    """Return no recordings."""
    return LaterRecordings(pl.DataFrame(schema=NEW_SPANS), pl.DataFrame(schema=SOLE_TIMES), pl.DataFrame(schema=UNDONE))


def as_loaded(stored: History, later: LaterRecordings) -> History:
    """Return the history of points before some recordings. Points without any publication then are not in it.

    ``stored``: all publications of the points, with the columns ``HISTORY`` and ``CONFIRMATIONS``. ``later``: the recordings to
    take back: all that touched these points, and possibly some whose points ``stored`` does not hold.
    """
    publications = stored.publications().select(list(PUBLICATIONS))
    decided = later.undone.unique(_KEY, keep="first", maintain_order=True)
    present = decided.filter(~pl.col("is_added")).select(list(PUBLICATIONS))
    loaded = pl.concat([publications.join(decided.select(_KEY), on=_KEY, how="anti"), present])
    loaded = loaded.join(later.sole.select("series_id", "known_at").unique(), on=["series_id", "known_at"], how="anti")
    loaded = outside(loaded, later.spans)
    nothing = History(loaded.clear(), pl.DataFrame(schema=CONFIRMATIONS))
    history = OBSERVATIONS.rewrite(nothing, loaded)
    return History(history.changes.select(list(HISTORY)), history.confirmations.select(list(CONFIRMATIONS)))


def outside(points: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the rows (``series_id``, ``ts`` and others) that lie in none of the spans, schema ``NEW_SPANS``; order is lost."""
    if spans.is_empty() or points.is_empty():
        return points
    marked = points.sort("ts").join_asof(
        _united(spans).rename({"last": "__last"}).sort("first"),
        left_on="ts",
        right_on="first",
        by="series_id",
        strategy="backward",
        check_sortedness=False,
    )
    is_inside = (pl.col("ts") <= pl.col("__last")).fill_null(value=False)
    return marked.filter(~is_inside).select(points.columns)


def new_spans(fresh: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the longest span of new points of each series in which no point was stored, schema ``NEW_SPANS``.

    ``fresh``: ``series_id`` and ``ts`` of points that are not stored. ``stored``: the same of all points of those series that
    are in the hot store, from the first to the last of the fresh ones. Neither repeats a point. A span leaves out no month: the
    months without a new point may be archived, with points that ``stored`` does not show.
    """
    if fresh.is_empty():
        return pl.DataFrame(schema=NEW_SPANS)
    limits = fresh.group_by("series_id").agg(
        pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"), _month_of("ts").n_unique().alias("__months")
    )
    months = _month_of("last") - _month_of("first") + 1
    is_whole = bool(limits.select((pl.col("__months") == months).all()).item())
    spans = limits.select(list(NEW_SPANS))
    if stored.is_empty() and is_whole:
        return spans
    between = (
        stored.select("series_id", "ts")
        .join(spans, on="series_id")
        .filter(pl.col("ts").is_between("first", "last"))
        .select("series_id", "ts")
    )
    if between.is_empty() and is_whole:
        return spans
    both = pl.concat(
        [
            fresh.select("series_id", "ts", pl.lit(value=True).alias("__fresh")),
            between.with_columns(pl.lit(value=False).alias("__fresh")),
        ]
    ).sort("series_id", "ts")
    skips_a_month = (_month_of("ts") - _month_of("ts").shift(1).over("series_id") > 1).fill_null(value=False)
    runs = (
        both.with_columns((~pl.col("__fresh") | skips_a_month).cum_sum().over("series_id").alias("__run"))
        .filter("__fresh")
        .group_by("series_id", "__run")
        .agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"), pl.len().alias("__points"))
        .sort("series_id", "__points", "first")
    )
    return runs.unique("series_id", keep="last", maintain_order=True).select(list(NEW_SPANS))


def _month_of(column: str) -> pl.Expr:
    """Return the number of a UTC month, counted from the year 0."""
    return pl.col(column).dt.year() * 12 + pl.col(column).dt.month().cast(pl.Int32)


def _united(spans: pl.DataFrame) -> pl.DataFrame:
    """Return the union of the spans of each series: spans that cover the same instants and do not overlap."""
    ordered = spans.sort("series_id", "first")
    reached = pl.col("last").cum_max().shift(1).over("series_id")
    begins = (pl.col("first") > reached + _TICK).fill_null(value=True)
    return (
        ordered.with_columns(begins.cum_sum().over("series_id").alias("__group"))
        .group_by("series_id", "__group")
        .agg(pl.col("first").min(), pl.col("last").max())
        .select(list(NEW_SPANS))
    )
