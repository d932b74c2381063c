"""The bitemporal law over publications of quotes, in columns. Pure: frames in, frames out.

A store holds every distinct publication of a quote; its versions, and the row in force at an instant, follow from them by the
law of ``core.asof``. A publication rule dates the first publication of a quote only: see ``core.first_publications``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.curves.quotes import FIELDS, QUOTE, QUOTE_VERSIONS, QUOTES
from aurum.core.frames import UTC_US, conform
from aurum.core.merge import History

IDENTITY = list(QUOTE.key)

OFFERED_QUOTES = pl.Schema({**QUOTES, "by_rule": pl.Boolean()})
"""Publications of a file. ``by_rule``: the known time is from the publication rule of the venue."""

_ORDER = ["curve_id", "trade_date", "delivery_start", "delivery_end"]


@dataclass(frozen=True, slots=True)
class QuoteChanges:
    """Changes that publications of stored quotes make.

    ``added``: publications that are not stored, schema ``QUOTES``. ``in_force``: the rows now in force of the quotes that
    change, schema ``QUOTES``. ``revised``: identities of the quotes that had a version before and change.
    """

    added: pl.DataFrame
    in_force: pl.DataFrame
    revised: pl.DataFrame


@dataclass(frozen=True, slots=True)
class DatedQuotes:
    """Publications of a file after the comparison with what is stored.

    ``batch``: schema ``OFFERED_QUOTES``; corrections are not ``by_rule``. ``conflicts``: identities, ``settle`` and ``stored``:
    corrections that nothing dates.
    """

    batch: pl.DataFrame
    conflicts: pl.DataFrame


def in_order(quotes: pl.DataFrame) -> pl.DataFrame:
    """Return quotes or versions in the order in which readers return them."""
    return quotes.sort([*_ORDER, "known_at"])


def versions_of(publications: pl.DataFrame) -> pl.DataFrame:
    """Return all versions that publications make, schema ``QUOTE_VERSIONS``, in the order of readers.

    ``publications``: all publications of their quotes, schema ``QUOTES``, in any order and repeated at will.
    """
    nothing = History(publications.clear(), publications.select(*IDENTITY, "known_at").clear())
    return in_order(conform(QUOTE.rewrite(nothing, publications).changes, QUOTE_VERSIONS))


def in_force(publications: pl.DataFrame) -> pl.DataFrame:
    """Return the row in force of each quote after all publications, schema ``QUOTES``, in the order of readers."""
    return versions_of(publications).filter(pl.col("superseded_at").is_null()).select(list(QUOTES))


def new_quotes(batch: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Return the publications of a batch whose quotes are not stored. ``current``: the stored rows in force."""
    return batch if current.is_empty() else batch.join(current, on=IDENTITY, how="anti", maintain_order="left")


def unsettled(batch: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Return the publications of stored quotes that do not repeat the row in force with its known time.

    Only these need the stored publications of their quotes.
    """
    if current.is_empty():
        return batch.clear()
    stored = batch.join(current, on=IDENTITY, how="semi", maintain_order="left")
    return stored.join(current, on=list(QUOTES), how="anti", nulls_equal=True, maintain_order="left")


def changes_of_stored(stored: pl.DataFrame, batch: pl.DataFrame) -> QuoteChanges:
    """Return the changes of publications of stored quotes.

    ``stored``: all stored publications of the quotes of the batch, schema ``QUOTES``. ``batch``: distinct publications.
    """
    columns = list(QUOTES)
    added = batch.join(stored, on=columns, how="anti", nulls_equal=True, maintain_order="left")
    before, after = versions_of(stored), versions_of(pl.concat([stored, added]))
    came = after.join(before, on=columns, how="anti", nulls_equal=True)
    went = before.join(after, on=columns, how="anti", nulls_equal=True)
    revised = pl.concat([came.select(IDENTITY), went.select(IDENTITY)]).unique()
    is_current = pl.col("superseded_at").is_null()
    # A tie can bring an earlier version back into force, so only the row that was in force is compared.
    replaced = (
        after.filter(is_current)
        .select(columns)
        .join(before.filter(is_current), on=columns, how="anti", nulls_equal=True, maintain_order="left")
    )
    return QuoteChanges(added, replaced, revised)


def first_quotes(
    offered: pl.DataFrame, current: pl.DataFrame, *, corrected_at: datetime | None, republished: pl.DataFrame | None = None
) -> DatedQuotes:
    """Compare quotes that a rule dates with the stored ones; a rule dates the first publication of a quote only.

    The same row adds nothing. Another one becomes known at ``corrected_at`` if that is later than the known time of the stored
    row; else it is a conflict. ``offered``: schema ``OFFERED_QUOTES``. ``current``: the stored rows in force. ``corrected_at``:
    when corrections in the file became known, UTC; None if they must be refused. ``republished``: stored versions that the file
    may repeat, because it was loaded before.
    """
    columns = list(OFFERED_QUOTES)
    old = current.select(*IDENTITY, *(pl.col(name).alias(f"old_{name}") for name in (*FIELDS, "known_at")))
    joined = offered.join(old, on=IDENTITY, how="left", maintain_order="left")
    is_judged = pl.col("by_rule") & pl.col("old_known_at").is_not_null()
    differs = ~pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"old_{name}")) for name in FIELDS)
    corrections = joined.filter(is_judged & differs)
    if republished is not None and not corrections.is_empty():
        repeated = [*IDENTITY, *FIELDS]
        corrections = corrections.join(republished, on=repeated, how="anti", nulls_equal=True, maintain_order="left")
    is_later = pl.lit(corrected_at, UTC_US) > pl.col("old_known_at") if corrected_at is not None else pl.lit(value=False)
    conflicts = corrections.filter(~is_later).select(*IDENTITY, "settle", pl.col("old_settle").alias("stored"))
    moved = corrections.filter(is_later).with_columns(pl.lit(corrected_at, UTC_US).alias("known_at"), by_rule=False)
    return DatedQuotes(pl.concat([joined.filter(~is_judged).select(columns), moved.select(columns)]), conflicts)
