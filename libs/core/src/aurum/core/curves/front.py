"""The price of the front period through the trade dates: what a line in a list of curves shows."""

from __future__ import annotations

import polars as pl

_SPANS = ((1, 0), (3, 0), (6, 3), (12, 0))
"""Months, quarters, seasons and years: months that a period has, and calendar month, from 0, in which the first one begins."""
_OTHER = 99


def front_prices(quotes: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """Return ``curve_id``, ``trade_date`` and ``price``: of each curve the price of one tenor, ascending.

    ``quotes``: ``curve_id``, ``trade_date``, ``delivery_start``, ``delivery_end``, ``price``. ``most``: newest trade dates of
    each curve. The tenor counts months ahead of the trade date, of a curve without any month quarters, seasons or years, and is
    the first priced one of most trade dates: ``M+1``, or ``M+2`` of oil that delivers late. A trade date without its price is
    left out, so that no two prices differ by their tenor. Of a curve with other periods alone it is the first that begins after
    the trade date, the shortest of several.

    >>> from datetime import date
    >>> rows = {"curve_id": [1, 1], "trade_date": [date(2024, 10, 14)] * 2, "price": [90.0, 80.0],
    ...         "delivery_start": [date(2024, 12, 1), date(2024, 11, 1)], "delivery_end": [date(2025, 1, 1), date(2024, 12, 1)]}
    >>> front_prices(pl.DataFrame(rows), most=30).rows()
    [(1, datetime.date(2024, 10, 14), 80.0)]
    """
    ahead = (
        quotes.lazy()
        .filter(pl.col("price").is_not_null(), pl.col("delivery_start") > pl.col("trade_date"))
        .with_columns(months=_months())
        .filter(pl.col("months") == pl.col("months").min().over("curve_id"))
        .with_columns(ahead=_ahead())
    )
    first = ahead.group_by("curve_id", "trade_date").agg(pl.col("ahead").min())
    tenor = first.group_by("curve_id").agg(tenor=pl.col("ahead").mode().min())
    return (
        ahead.join(tenor, on="curve_id")
        .filter(pl.col("ahead") == pl.col("tenor"))
        .sort("curve_id", "trade_date", "delivery_start", "delivery_end")
        .group_by("curve_id", "trade_date", maintain_order=True)
        .agg(pl.col("price").first())
        .group_by("curve_id", maintain_order=True)
        .tail(most)
        .collect()
    )


def _months() -> pl.Expr:
    """Return the number of months of a period that is a month, quarter, season or year; else ``_OTHER``."""
    start, end = pl.col("delivery_start"), pl.col("delivery_end")
    kinds = [
        pl.when(
            start.dt.day() == 1,
            start.dt.offset_by(f"{months}mo") == end,
            (_month_number("delivery_start") - first) % months == 0,
        ).then(pl.lit(months))
        for months, first in _SPANS
    ]
    return pl.coalesce(*kinds, pl.lit(_OTHER))


def _ahead() -> pl.Expr:
    """Return how many periods of its length a period begins after that of the trade date; 0 of other periods."""
    counts = [
        pl.when(pl.col("months") == months).then(
            (_month_number("delivery_start") - first) // months - (_month_number("trade_date") - first) // months
        )
        for months, first in _SPANS
    ]
    return pl.coalesce(*counts, pl.lit(0))


def _month_number(name: str) -> pl.Expr:
    return pl.col(name).dt.year() * 12 + pl.col(name).dt.month().cast(pl.Int32) - 1
