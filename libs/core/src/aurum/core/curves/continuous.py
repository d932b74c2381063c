"""Continuous series: the price of a tenor through trade dates, with its rolls and the gaps at them.

A gap is the price of the new front less that of the old one, both on the last session on which the old front has a price. The
change of the series from its first to its last price is the sum of the moves of the contracts that were held and of the gaps;
only the moves are earned by a position that is rolled at those prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.rolls import Days, Fronts
from aurum.core.curves.strips import StripMethod, strip_history
from aurum.core.errors import Invalid

Floats = NDArray[np.float64]

_DECIMALS = 12
"""Decimals of differences: the noise of a binary subtraction comes after them."""
_KEY = ("trade_date", "delivery_start", "delivery_end")


class Adjust(StrEnum):
    """How prices before a roll are adjusted. The newest front keeps its prices."""

    NONE = "none"
    DIFFERENCE = "difference"
    """Earlier prices plus the gaps of later rolls: the moves are those of the contract that was held."""
    RATIO = "ratio"
    """Earlier prices times the ratios of later rolls: the relative moves are those of the contract that was held."""


class Missing(StrEnum):
    """The reason why a trade date has no price."""

    NOT_QUOTED = "not_quoted"
    COVERED_BY_FINER = "covered_by_finer"
    """The front is not quoted as such; finer quotes of the trade date tile it, and a strip would be their average."""
    UNPRICED = "unpriced"
    """The front is listed without a price."""
    NOTHING_LEFT = "nothing_left"
    """It is the last day of the month or the year whose rest is the front."""


REASONS = pl.Enum([reason.value for reason in Missing])

CONTINUOUS = pl.Schema(
    {
        "trade_date": pl.Date(),
        "contract": pl.Int64(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "price": pl.Float64(),
        "value": pl.Float64(),
        "move": pl.Float64(),
        "reason": REASONS,
    }
)
"""A row for each trade date, ascending. ``contract``: place of the front among ``Fronts.contracts``. ``price``: its quote;
``value``: the adjusted price, null before a roll whose gap is unknown; ``move``: of the held contract since the row with a
price before; null in the first row, and after a roll whose gap is unknown."""


class NotPositive(Invalid):
    """Prices are to be adjusted by ratios, and one of them is zero or below. Facts: ``trade_date``, ``price``."""


@dataclass(frozen=True, slots=True)
class Roll:
    """A change of the front.

    ``date``: the first trade date with a price of the new front. ``last``: the last one with a price of the old front, on
    which the gap is measured. ``old``, ``new``: places among ``Fronts.contracts``. ``new_price``: None where the new front has
    no price on ``last``: then ``gap`` = new - old and ``ratio`` = new / old are None, too. ``ratio`` is None for an old price
    of 0.
    """

    date: date
    last: date
    old: int
    new: int
    old_price: float
    new_price: float | None
    gap: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class ContinuousSeries:
    """A continuous series. ``frame``: schema ``CONTINUOUS``.

    ``points``: number of prices. ``naive``: last price - first price. ``held``: the sum of the moves of the held contract.
    ``gaps``: of all rolls. The first is the sum of the others. None: without a price, or with a gap that is unknown.
    """

    frame: pl.DataFrame
    rolls: tuple[Roll, ...]
    points: int
    naive: float | None
    held: float | None
    gaps: float | None


def continuous(quotes: pl.DataFrame, fronts: Fronts, adjust: Adjust = Adjust.NONE) -> ContinuousSeries:
    """Return the continuous series of the fronts of some trade dates.

    ``quotes``: ``trade_date``, ``delivery_start``, ``delivery_end`` (Date), ``price`` (Float64, null: listed, unpriced), in any
    order; at most one row of each period and trade date. Raises ``NotPositive``.
    """
    prices = quotes.select(*_KEY, pl.col("price").fill_nan(None))
    firsts, ends = fronts.deliveries(fronts.days, fronts.contract)
    price, is_listed = _prices(prices, fronts.days, firsts, ends)
    points = np.flatnonzero(np.isfinite(price))
    held = fronts.contract[points]
    changed = np.flatnonzero(held[1:] != held[:-1])
    last, new = points[changed], held[changed + 1]
    new_price, _ = _prices(prices, fronts.days[last], *fronts.deliveries(fronts.days[last], new))
    if adjust is Adjust.RATIO:
        _refuse_not_positive(np.concatenate((price[points], new_price)), np.concatenate((points, last)), fronts)
    gap = _rounded(new_price - price[last])
    value, move = np.full(len(price), np.nan), np.full(len(price), np.nan)
    value[points] = _adjusted(price[points], changed, gap, new_price / np.where(price[last] == 0, np.nan, price[last]), adjust)
    before = price[points[:-1]].copy()
    before[changed] = new_price
    move[points[1:]] = _rounded(price[points[1:]] - before)
    reason = np.where(is_listed, _code(Missing.UNPRICED), _code(Missing.NOT_QUOTED))
    reason = np.where(firsts >= ends, _code(Missing.NOTHING_LEFT), reason)
    # A rest that is empty has no delivery: its row names the whole month or year.
    firsts = np.where(firsts >= ends, fronts.starts[fronts.contract], firsts)
    frame = pl.DataFrame(
        {
            "trade_date": fronts.days,
            "contract": fronts.contract,
            "delivery_start": firsts,
            "delivery_end": ends,
            "price": price,
            "value": value,
            "move": move,
        }
    ).with_columns(
        pl.col("price", "value", "move").fill_nan(None),
        reason=pl.when(pl.col("price").is_nan()).then(pl.Series(_REASONS.gather(reason))),
    )
    return ContinuousSeries(
        frame,
        _rolls(fronts, price, points, changed, new_price, gap),
        len(points),
        _known(float(price[points[-1]]) - float(price[points[0]])) if len(points) else None,
        _known(float(move[points[1:]].sum())) if len(points) else None,
        _known(float(gap.sum())) if len(points) else None,
    )


def can_be_tiled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a series, schema ``CONTINUOUS``, whose front is not quoted, and longer than a day."""
    days = (pl.col("delivery_end") - pl.col("delivery_start")).dt.total_days()
    return frame.filter((pl.col("reason") == Missing.NOT_QUOTED.value) & (days > 1))


def with_finer(frame: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a series; those that finer quotes cover say so as the reason why they have no price.

    ``frame``: schema ``CONTINUOUS``. ``quotes``: all quotes of the trade dates of ``can_be_tiled``, as of ``continuous``.
    """
    fronts = can_be_tiled(frame).select("trade_date", first="delivery_start", end="delivery_end")
    within = (pl.col("delivery_start") >= pl.col("first")) & (pl.col("delivery_end") <= pl.col("end"))
    # A trade date has one front, so that each of its quotes is looked at once.
    finer = quotes.join(fronts, on="trade_date").filter(within)
    covered = [pl.Series("trade_date", [], pl.Date)]
    for part in finer.partition_by("first", "end"):
        period = Period("", PeriodKind.CUSTOM, part["first"][0], part["end"][0])
        tiled = strip_history(part, period, weight=_days)
        covered.append(tiled.filter(pl.col("method") == StripMethod.FROM_FINER.value)["trade_date"])
    is_covered = (pl.col("reason") == Missing.NOT_QUOTED.value) & pl.col("trade_date").is_in(pl.concat(covered).implode())
    reason = pl.when(is_covered).then(pl.lit(Missing.COVERED_BY_FINER.value, REASONS)).otherwise(pl.col("reason"))
    return frame.with_columns(reason=reason)


_REASONS = pl.Series([reason.value for reason in Missing], dtype=REASONS)


def _code(reason: Missing) -> int:
    return list(Missing).index(reason)


def _days(first: date, end: date) -> float:
    return float((end - first).days)


def _prices(prices: pl.DataFrame, days: Days, firsts: Days, ends: Days) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the price of each period on its trade date, NaN where there is none, and whether it is listed."""
    wanted = pl.DataFrame(dict(zip(_KEY, (days, firsts, ends), strict=True)))
    joined = wanted.join(prices.with_columns(is_listed=pl.lit(value=True)), on=_KEY, how="left", maintain_order="left")
    price = joined["price"].fill_null(float("nan")).to_numpy()
    return price, joined["is_listed"].fill_null(value=False).to_numpy()


def _adjusted(price: Floats, changed: NDArray[np.intp], gap: Floats, ratio: Floats, adjust: Adjust) -> Floats:
    """Return prices adjusted backwards from the newest. ``changed``: places of the last prices of old fronts."""
    match adjust:
        case Adjust.NONE:
            return price
        case Adjust.DIFFERENCE:
            steps = np.zeros(len(price))
            steps[changed] = gap
            return _rounded(price + np.cumsum(steps[::-1])[::-1])
        case Adjust.RATIO:
            steps = np.ones(len(price))
            steps[changed] = ratio
            return price * np.cumprod(steps[::-1])[::-1]


def _rolls(
    fronts: Fronts, price: Floats, points: NDArray[np.intp], changed: NDArray[np.intp], new_price: Floats, gap: Floats
) -> tuple[Roll, ...]:
    old_at, new_at = points[changed], points[changed + 1]
    columns: Sequence[list[object]] = (
        fronts.days[new_at].tolist(),
        fronts.days[old_at].tolist(),
        fronts.contract[old_at].tolist(),
        fronts.contract[new_at].tolist(),
        price[old_at].tolist(),
        [_or_none(one) for one in new_price.tolist()],
        [_or_none(one) for one in gap.tolist()],
        [_or_none(one) for one in (new_price / np.where(price[old_at] == 0, np.nan, price[old_at])).tolist()],
    )
    return tuple(
        Roll(*cast("tuple[date, date, int, int, float, float, float, float]", row)) for row in zip(*columns, strict=True)
    )


def _refuse_not_positive(prices: Floats, places: NDArray[np.intp], fronts: Fronts) -> None:
    low = np.flatnonzero(prices <= 0)
    if len(low):
        day, price = cast("date", fronts.days[places[low[0]]].item()), float(prices[low[0]])
        raise NotPositive(
            f"prices must be above zero to be adjusted by ratios, and one of {day} is {price:g}",
            trade_date=str(day),
            price=price,
        )


def _rounded(values: Floats) -> Floats:
    return np.round(values, _DECIMALS)


def _known(value: float) -> float | None:
    return _or_none(round(value, _DECIMALS))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
