"""The smooth curve from which a strip is derived where no quotes tile its period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

import polars as pl

from aurum.core.curves.build import Build, BuildQuote, build_curve
from aurum.core.curves.calendars import hours
from aurum.core.curves.grids import Resolution, block_of_grid, make_grid
from aurum.core.curves.periods import Period
from aurum.core.curves.products import Weighting
from aurum.services.curves.reference import Terms
from aurum.services.curves.weights import cell_weights


def derived_price(
    frame: pl.DataFrame, trade_date: date, terms: Terms, weighting: Weighting, tick: float
) -> Callable[[Period], float | None]:
    """Return a function that derives the price of a period from the quotes of a trade date; None where they do not cover it.

    ``frame``: ``delivery_start``, ``delivery_end``, ``price`` of one curve. Quotes in delivery are mostly realised spot, so
    they take no part. The curve is built on first use, and only once.
    """
    built = cache(lambda: _built(frame, trade_date, terms, weighting, tick))

    def price(period: Period) -> float | None:
        curve = built()
        if curve is None or any(gap.first < period.end and gap.end > period.first for gap in curve.report.uncovered):
            return None
        return curve.price(period.first, period.end, block=curve.block)

    return price


def _built(frame: pl.DataFrame, trade_date: date, terms: Terms, weighting: Weighting, tick: float) -> Build | None:
    """Return the smooth curve of days; None without a quote ahead of the trade date."""
    ahead = frame.filter(
        pl.col("price").is_finite()
        & (pl.col("delivery_start") > trade_date)
        & (pl.col("delivery_end") > pl.col("delivery_start"))
    )
    name = None if terms.block is None else terms.block.name
    rows = ahead.select("delivery_start", "delivery_end", "price").sort("delivery_start", "delivery_end").rows()
    quotes = [
        BuildQuote(first, end, price, block=name)
        for first, end, price in rows
        if hours(terms.calendar, first, end, terms.block) > 0
    ]
    if not quotes:
        return None
    grid = make_grid(terms.calendar, min(one.first for one in quotes), max(one.end for one in quotes), Resolution.DAY)
    return build_curve(
        quotes,
        grid,
        tick=tick,
        blocks=None if terms.block is None or name is None else {name: block_of_grid(grid, terms.block)},
        weights=cell_weights(weighting, terms.block, grid),
    )
