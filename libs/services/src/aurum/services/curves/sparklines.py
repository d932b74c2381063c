"""Sparklines of a page of curves: the price of one tenor, the front, over the last trade dates of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from aurum.charts.sparkline import sparkline_svg
from aurum.core.curves.front import front_prices
from aurum.core.curves.quotes import PRICE, price_of
from aurum.core.errors import InvalidParameters
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

POINTS = 30
"""Trade dates in a sparkline."""
MOST_CURVES = 100
"""Curves in one page with sparklines."""
_MOST_QUOTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The prices of the front period on some trade dates, ascending; of none both dates are None."""

    first: date | None
    last: date | None
    points: tuple[float, ...]

    @property
    def svg(self) -> str:
        """A small picture."""
        return sparkline_svg(self.points)


NO_SPARKLINE = Sparkline(None, None, ())


async def sparklines(reading: CurveReading, products: Sequence[StoredProduct]) -> Mapping[int, Sparkline]:
    """Return the sparklines of some products by curve id, read by one query of all their quotes on those trade dates.

    Raises ``InvalidParameters`` about ``limit`` for too many of them.
    """
    quoted = [one for one in products if one.last_trade_date is not None]
    if len(quoted) > MOST_CURVES:
        why = f"a page with sparklines has at most {MOST_CURVES} curves: request fewer, and the next page"
        raise InvalidParameters(("limit", why, len(products)))
    if not quoted:
        return {}
    dates = await reading.curves.trade_dates([one.curve_id for one in quoted], limit=POINTS)
    span = QuoteSpan(trade_dates=tuple(dates["trade_date"].unique().sort().to_list()), most=_MOST_QUOTES)
    frame = await quotes_of(reading, quoted, span, Known())
    if frame.height > _MOST_QUOTES:
        raise InvalidParameters(
            ("limit", f"the curves have more than {_MOST_QUOTES:,} quotes: request fewer curves", len(products))
        )
    by_curve = (
        front_prices(frame.with_columns(price=price_of(PRICE)), most=POINTS)
        .group_by("curve_id", maintain_order=True)
        .agg(pl.col("trade_date"), pl.col("price"))
    )
    return {curve_id: Sparkline(days[0], days[-1], tuple(prices)) for curve_id, days, prices in by_curve.rows()}
