"""Quotes of a file as publications of stored products, and their summaries. Pure; every adapter's writer uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from aurum.core.curves.quote_law import OFFERED_QUOTES
from aurum.core.curves.quotes import CHANGED_DATES, FIELDS, FILE_QUOTES, TOUCHED_CURVES
from aurum.core.errors import Conflict
from aurum.core.frames import FrameMismatch, conform
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.observations import CorrectionUndated

_SHOWN = 3
"""Quotes that a refusal names."""


def check_read_with(key: str, version: int, read_with: Mapping[str, int]) -> None:
    """Raise ``Conflict`` for a product without quotes that has another version than a file was read with."""
    if read_with.get(key, version) != version:
        raise Conflict(f"the terms of {key} changed while the file was read: load it again", product=key)


def file_quotes(part: CurveQuotes, curve_ids: Sequence[int], known_at: datetime | None) -> pl.DataFrame:
    """Return the rows of a part as publications, schema ``OFFERED_QUOTES``.

    ``curve_ids``: of the products of the part, in its order. ``known_at``: of rows without a known time of their own. A NaN is
    a missing field. Raises ``FrameMismatch`` for a row without any known time.
    """
    rows = conform(part.rows, FILE_QUOTES)
    known = pl.col("known_at").fill_null(known_at) if known_at is not None else pl.col("known_at")
    frame = rows.select(
        pl.Series("curve_id", curve_ids, dtype=pl.Int32).gather(rows["curve"]),
        "delivery_start",
        "delivery_end",
        "trade_date",
        # -0.0 and 0.0 are the same value. Adding 0.0 does not work, because Polars optimises it away.
        *(pl.when(pl.col(name) == 0).then(0.0).otherwise(pl.col(name).fill_nan(None)).alias(name) for name in FIELDS),
        known,
        (pl.col("by_rule") & pl.col("known_at").is_not_null()).alias("by_rule"),
    )
    if frame["known_at"].null_count():
        raise FrameMismatch("known_at: null in a row of a file without a known time of its own")
    return conform(frame, OFFERED_QUOTES)


def touched_curves(offered: pl.DataFrame, batch: pl.DataFrame, new: pl.DataFrame, revised: pl.DataFrame) -> pl.DataFrame:
    """Return the summary of a file by product, schema ``TOUCHED_CURVES``, ascending by id.

    ``offered``, ``batch``: schema ``OFFERED_QUOTES``, the publications of the file and those that were accepted. ``new``,
    ``revised``: identities of quotes that the file added and revised.
    """
    day = pl.col("trade_date")
    limits = offered.group_by("curve_id").agg(
        day.min().alias("first_trade_date"),
        day.max().alias("last_trade_date"),
        pl.col("known_at").max().alias("offered"),
        pl.col("by_rule").all().alias("offered_by_rule"),
    )
    accepted = batch.group_by("curve_id").agg(pl.col("known_at").max(), pl.col("by_rule").all().alias("is_scheduled"))
    counted = (
        limits.join(accepted, on="curve_id", how="left")
        .join(_counted(new, "new"), on="curve_id", how="left")
        .join(_counted(revised, "revised"), on="curve_id", how="left")
        .with_columns(
            pl.col("new", "revised").fill_null(0),
            pl.col("known_at").fill_null(pl.col("offered")),
            pl.col("is_scheduled").fill_null(pl.col("offered_by_rule")),
        )
    )
    return conform(counted.sort("curve_id"), TOUCHED_CURVES)


def changed_dates(new: pl.DataFrame, revised: pl.DataFrame) -> pl.DataFrame:
    """Return the trade dates of new and revised quotes, schema ``CHANGED_DATES``. Both: identities of quotes."""
    columns = list(CHANGED_DATES)
    return conform(pl.concat([new.select(columns), revised.select(columns)]).unique().sort(columns), CHANGED_DATES)


def quote_correction_undated(conflicts: pl.DataFrame, keys: Sequence[str], curve_ids: Sequence[int]) -> CorrectionUndated:
    """Return the refusal of a file that corrects stored quotes without saying when the correction became known.

    ``conflicts``: as in ``core.curves.quote_law.DatedQuotes``. ``keys``, ``curve_ids``: of the products of the part.
    """
    names = dict(zip(curve_ids, keys, strict=True))
    shown = conflicts.sort("curve_id", "trade_date", "delivery_start", "delivery_end").head(_SHOWN).iter_rows(named=True)
    named = "; ".join(
        f"{names[row['curve_id']]} on {row['trade_date']} for {row['delivery_start']} to {row['delivery_end']}: "
        f"stored settle {row['stored']}, here {row['settle']}"
        for row in shown
    )
    count = conflicts.height
    quotes = "1 stored quote has" if count == 1 else f"{count} stored quotes have"
    more = "" if count <= _SHOWN else f"; and {count - _SHOWN} more"
    return CorrectionUndated(
        f"{quotes} another row here ({named}{more}), and a publication rule dates first publications only: load the file "
        "with --known-at TIME, the time at which the correction was published, or with --known-at now if that was just now",
        points=count,
    )


def _counted(identities: pl.DataFrame, name: str) -> pl.DataFrame:
    return identities.group_by("curve_id").agg(pl.len().cast(pl.Int32).alias(name))
