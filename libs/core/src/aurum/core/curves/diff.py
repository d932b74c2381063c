"""Differences between the quotes of curves on two trade dates, matched by delivery period and never by label."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

KEY = ("curve", "delivery_start", "delivery_end")
"""Columns by which two quotes are the same. ``curve`` is a key or an id: any type."""

_DECIMALS = 12


class QuoteStatus(StrEnum):
    """Presence of a quote on the two trade dates."""

    BOTH = "both"
    """Quoted with a price on both."""
    LISTED = "listed"
    """A row on the later date only."""
    EXPIRED = "expired"
    """A row on the earlier date only."""
    UNPRICED = "unpriced"
    """A row on both, without a price of the compared field on one of them or on both."""


STATUSES = pl.Enum([status.value for status in QuoteStatus])


class DiffOrder(StrEnum):
    """Order of the rows of a diff. Ties follow delivery start, delivery end and curve."""

    MOVE = "move"
    """Largest absolute move first, without a move last."""
    DELIVERY = "delivery"
    CURVE = "curve"
    """By curve, then delivery."""


def diff_quotes(a: pl.DataFrame, b: pl.DataFrame, *, order: DiffOrder = DiffOrder.MOVE) -> pl.DataFrame:
    """Return one row for each delivery period of each curve that ``a`` or ``b`` lists.

    ``a``, ``b``: ``curve`` (any type), ``delivery_start``, ``delivery_end`` (Date), ``price`` (Float64, null: unpriced); at
    most one row of each period. Returns these key columns, ``a``, ``b`` (Float64), ``move`` = b - a, ``relative`` = move / |a|
    (a fraction; null where ``a`` is zero) and ``status`` (``STATUSES``). A move is rounded to 12 decimals: the noise of a
    binary subtraction would else decide the order of two equal moves. Where ``a`` and ``b`` have ``price_from``, the answer has
    ``a_from`` and ``b_from``.
    """
    has_sources = "price_from" in a.columns and "price_from" in b.columns
    left = a.select(
        *KEY, a=pl.col("price").fill_nan(None), in_a=pl.lit(value=True), **({"a_from": "price_from"} if has_sources else {})
    )
    right = b.select(
        *KEY, b=pl.col("price").fill_nan(None), in_b=pl.lit(value=True), **({"b_from": "price_from"} if has_sources else {})
    )
    joined = left.join(right, on=KEY, how="full", coalesce=True, validate="1:1")
    status = (
        pl.when(pl.col("in_a").is_null())
        .then(pl.lit(QuoteStatus.LISTED.value, STATUSES))
        .when(pl.col("in_b").is_null())
        .then(pl.lit(QuoteStatus.EXPIRED.value, STATUSES))
        .when(pl.col("a").is_null() | pl.col("b").is_null())
        .then(pl.lit(QuoteStatus.UNPRICED.value, STATUSES))
        .otherwise(pl.lit(QuoteStatus.BOTH.value, STATUSES))
    )
    moved = joined.with_columns(move=(pl.col("b") - pl.col("a")).round(_DECIMALS), status=status)
    base = pl.when(pl.col("a") != 0).then(pl.col("a").abs())
    made_from = ("a_from", "b_from") if has_sources else ()
    rows = moved.select(*KEY, "a", "b", "move", (pl.col("move") / base).alias("relative"), "status", *made_from)
    return _ordered(rows, order)


def _ordered(rows: pl.DataFrame, order: DiffOrder) -> pl.DataFrame:
    delivery = [pl.col("delivery_start"), pl.col("delivery_end"), pl.col("curve")]
    if order is DiffOrder.DELIVERY:
        return rows.sort(delivery)
    if order is DiffOrder.CURVE:
        return rows.sort([pl.col("curve"), *delivery[:2]])
    size = pl.col("move").abs()
    return rows.sort([size, *delivery], descending=[True, False, False, False], nulls_last=[True, False, False, False])
