"""Polars schemas of quotes, one for each stage from parser to encoder, and the law that merges them.

A quote is identified by its product, its delivery period and its trade date. A publication states the whole row: a field that
it lacks is null and replaces what stood. Delivery periods are half-open spans of delivery days of the product's calendar.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import polars as pl

from aurum.core.frames import UTC_US
from aurum.core.merge import Shape

FIELDS = ("settle", "open", "high", "low", "close", "last", "bid", "ask", "volume_mwh", "open_interest")
"""The published fields of a quote. Prices are in the unit of the product; a null settle is a listed product without a price."""

PRICES = ("settle", "open", "high", "low", "close", "last", "bid", "ask")
"""The fields that are prices."""

MID = "mid"
"""The mean of bid and ask: derived, never stored."""
PRICE = "price"
"""The price of a quote where no field is named: the settlement, and without one the mean of bid and ask."""
PRICE_FIELDS = (PRICE, *PRICES, MID)
"""The names of prices in questions."""


class PriceFrom(StrEnum):
    """Where the ``PRICE`` of a quote comes from."""

    SETTLE = "settle"
    MID = "mid"


def price_of(field: str) -> pl.Expr:
    """Return the price of a quote by one of ``PRICE_FIELDS``, from the columns of ``QUOTES``; null where there is none."""
    mid = (pl.col("bid") + pl.col("ask")) / 2
    if field == PRICE:
        return pl.coalesce("settle", mid)
    return mid if field == MID else pl.col(field)


def price_columns(field: str) -> Mapping[str, pl.Expr]:
    """Return ``price``, as of ``price_of``, and ``price_from``, a ``PriceFrom``: null for other fields, and without a price."""
    if field != PRICE:
        return {"price": price_of(field), "price_from": pl.lit(None, pl.String)}
    of_mid = pl.when(price_of(MID).is_not_null()).then(pl.lit(str(PriceFrom.MID)))
    made = pl.when(pl.col("settle").is_not_null()).then(pl.lit(str(PriceFrom.SETTLE))).otherwise(of_mid)
    return {"price": price_of(PRICE), "price_from": made}


LONGEST = timedelta(days=366 * 60)
"""After its trade date, no quoted period ends later."""
ENDED = timedelta(days=400)
"""Before its trade date, no quoted period has ended earlier: a final settlement follows its period soon."""
MOST = 1e9
"""A number of this size is absurd as a price, volume or open interest in any unit."""

_FIELDS = dict.fromkeys(FIELDS, pl.Float64())
_IDENTITY = {"delivery_start": pl.Date(), "delivery_end": pl.Date(), "trade_date": pl.Date()}

QUOTE = Shape(key=("curve_id", "delivery_start", "delivery_end", "trade_date"), content=FIELDS)
"""The shape of quotes: the law of ``core.asof`` over (product, delivery period, trade date)."""

QUOTES = pl.Schema({"curve_id": pl.Int32(), **_IDENTITY, **_FIELDS, "known_at": UTC_US})
"""Quotes as a reader returns them, ascending by (``curve_id``, ``trade_date``, ``delivery_start``, ``delivery_end``)."""

QUOTE_VERSIONS = pl.Schema({**QUOTES, "superseded_at": UTC_US})
"""All versions of quotes. A version is in force from ``known_at`` up to and not including ``superseded_at``; null: current."""

TRADE_DATES = pl.Schema({"curve_id": pl.Int32(), "trade_date": pl.Date(), "quotes": pl.Int32()})
"""Trade dates of products with their numbers of quotes, ascending by product, then the newest first."""

PARSED_QUOTES = pl.Schema({"curve": pl.String(), **_IDENTITY, **_FIELDS, "line": pl.UInt32()})
"""Quotes as a parser returns them, in file order. ``curve``: key of the product. ``line``: 1-based line or row of the file."""

CHANGED_DATES = pl.Schema({"curve_id": pl.Int32(), "trade_date": pl.Date()})
"""Trade dates of products on which a load has changed quotes, each once, ascending."""

FILE_QUOTES = pl.Schema({"curve": pl.UInt32(), **_IDENTITY, **_FIELDS, "known_at": UTC_US, "by_rule": pl.Boolean()})
"""Quotes of one file. ``curve``: row number in the file's ``FILE_CURVES`` frame. ``known_at``: null for the time of loading.
``by_rule``: the known time is from the publication rule of the venue."""

FILE_CURVES = pl.Schema({"key": pl.String()})
"""Products that a file quotes, one row each."""

TOUCHED_CURVES = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "first_trade_date": pl.Date(),
        "last_trade_date": pl.Date(),
        "known_at": UTC_US,
        "new": pl.Int32(),
        "revised": pl.Int32(),
        "is_scheduled": pl.Boolean(),
    }
)
"""Summary of one file by product: first and last trade date, latest known time, numbers of quotes it added and revised.
``is_scheduled``: every known time is from the venue's publication rule."""
