"""Spreads: the legs of a template priced by their curves, converted to one unit and summed, over periods and trade dates."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from aurum.core.curves.spread_factors import heat_rate_unit_factor
from aurum.core.curves.spread_templates import LegUse
from aurum.core.curves.spreads import Alignment, LegPrices, SpreadSide, implied_heat_rate, spread
from aurum.core.errors import InvalidParameters
from aurum.services.curves.forward_fx import factor_of, rates_on
from aurum.services.curves.periods import DeliveryPeriod
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.spread_legs import (
    CONTRACTS,
    SpanName,
    SpanRequest,
    mixed,
    of_periods,
    prices_through,
    quotes_between,
    with_carried,
)
from aurum.services.curves.spread_plan import LegPlan, SpreadPlan, plan_spread
from aurum.services.curves.spread_question import MOST_ROWS

__all__ = ["LegAnswer", "SpreadAnswer", "plan_spread", "read_spread"]

INLINE = "inline"
"""The method of a price in the question."""

_RATE_COLUMNS = ("rate", "fx_rate", "fx_date", "fx_reason")
LEG_COLUMNS = ("price", "price_from", "method", "contracts", "fx_rate", "fx_date", "converted", "contribution", "reason")


@dataclass(frozen=True, slots=True)
class LegAnswer:
    """A leg over the rows of an answer. ``frame``: ``LEG_COLUMNS``, in the order of the rows."""

    plan: LegPlan
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class SpreadAnswer:
    """A spread by trade date, then period.

    ``frame``: ``trade_date`` (null: no leg has a curve), ``period`` (place in ``periods``), ``value``, ``implied_heat_rate``,
    ``reason`` (why there is no value).
    """

    plan: SpreadPlan
    frame: pl.DataFrame
    periods: Sequence[DeliveryPeriod | None]
    legs: Sequence[LegAnswer]

    def leg_documents(self) -> pl.DataFrame:
        """Return a column for each leg, with the leg of each row as answers show it: a struct."""
        return pl.concat(
            [one.frame.select(_leg_document(one.plan).alias(one.plan.factors.leg.name)) for one in self.legs], how="horizontal"
        )


def _leg_document(leg: LegPlan) -> pl.Expr:
    constants, fx = leg.factors, leg.fx
    exchange = pl.lit(None, pl.Struct({"kind": pl.String(), "pair": pl.String(), "rate": pl.Float64(), "date": pl.Date()}))
    if fx is not None:
        exchange = pl.struct(kind=pl.lit(str(fx.kind)), pair=pl.lit(fx.name), rate=pl.col("fx_rate"), date=pl.col("fx_date"))
    factors = {"unit": constants.unit_factor, **constants.factors}
    return pl.struct(
        name=pl.lit(constants.leg.name),
        curve=pl.lit(None if leg.curve is None else leg.curve.key, pl.String),
        period=pl.lit(None if leg.own is None else leg.own.period.label, pl.String),
        price=pl.col("price"),
        price_from=pl.col("price_from"),
        unit=pl.lit(constants.source.text),
        method=pl.col("method"),
        contracts=pl.col("contracts"),
        fx=exchange,
        converted=pl.col("converted"),
        converted_unit=pl.lit(constants.target.text),
        factors=pl.struct([pl.lit(number).alias(name) for name, number in factors.items()]),
        factor=pl.lit(constants.factor),
        weight=pl.lit(constants.weight),
        contribution=pl.col("contribution"),
        reason=pl.col("reason"),
    )


async def read_spread(reading: CurveReading, plan: SpreadPlan, *, most: int = MOST_ROWS) -> SpreadAnswer:
    """Return a spread on each trade date for each period. ``most``: rows that the answer may have.

    Raises ``InvalidParameters``: for a day without a rate; for more quotes than ``MOST_QUOTES``; for more rows, or more curves
    to be built than ``MOST_BUILDS``, before any price is made.
    """
    first, last = (plan.first, plan.last) if plan.is_span else (plan.trade_date, plan.trade_date)
    quotes = await quotes_between(reading, plan.curves, first, last, plan.known)
    dates = pl.Series([plan.trade_date], dtype=pl.Date)
    if plan.is_span:
        # A date on which only a rate is quoted has no spread.
        traded = {one.curve.key for one in plan.legs if one.curve is not None}
        dates = pl.concat([quotes[key]["trade_date"] for key in traded]).unique().sort()
    count = len(dates) * len(plan.periods)
    most = min(most, MOST_ROWS)
    if count > most:
        why = f"the answer has {count:,} rows, and may have {most:,}: request a shorter span or fewer periods"
        field, value = ("from", plan.first) if plan.is_span else ("periods", len(plan.periods))
        raise InvalidParameters((field, why, None if value is None else str(value)))
    through = await prices_through(_requests(plan), quotes, dates, first)
    rates = await asyncio.gather(*(_rates(reading, plan, one, dates, through) for one in plan.legs))
    return await asyncio.to_thread(_summed, plan, dates, through, rates)


def _requests(plan: SpreadPlan) -> Sequence[SpanRequest]:
    """Return the prices that a spread needs, of legs and of forward exchange rates."""
    requests: list[SpanRequest] = []
    for leg in plan.legs:
        if leg.curve is not None:
            requests.append(SpanRequest(leg.curve, leg.spans, plan.side.of_leg(leg.factors.weight)))
        if leg.fx is not None and leg.fx.curve is not None:
            requests.append(SpanRequest(leg.fx.curve, leg.fx_spans, SpreadSide.SETTLE))
    return requests


def _priced(plan: SpreadPlan, leg: LegPlan, dates: pl.Series, through: Mapping[SpanName, pl.DataFrame]) -> pl.DataFrame:
    """Return the prices of a leg by row, with the columns of ``mixed``."""
    if leg.curve is None:
        return _rows(dates, len(plan.periods)).with_columns(
            price=pl.lit(leg.value, pl.Float64),
            price_from=pl.lit(None, pl.String),
            method=pl.lit(INLINE),
            reason=pl.lit(None, pl.String),
            contracts=pl.lit(None, CONTRACTS),
        )
    prices = through[SpanRequest(leg.curve, leg.spans, plan.side.of_leg(leg.factors.weight)).name]
    if leg.alignment is None:
        return of_periods(prices, leg.weights)
    if leg.alignment is Alignment.INTERPOLATE:
        prices = with_carried(prices, leg.spans, dates)
    return mixed(prices, leg.weights, leg.spans, len(dates), method=leg.alignment)


async def _rates(
    reading: CurveReading, plan: SpreadPlan, leg: LegPlan, dates: pl.Series, through: Mapping[SpanName, pl.DataFrame]
) -> pl.DataFrame:
    """Return the exchange rates of a leg by row: ``rate``, ``fx_rate`` (of the pair), ``fx_date``, ``fx_reason``."""
    fx, rows = leg.fx, _rows(dates, len(plan.periods))
    silent = pl.lit(None, pl.String).alias("fx_reason")
    if fx is None or fx.rate is not None:
        shown = pl.lit(None if fx is None else fx.rate, pl.Float64)
        rate = pl.lit(1.0) if fx is None else factor_of(fx, shown)
        fixed = rows.with_columns(rate.alias("rate"), shown.alias("fx_rate"), pl.lit(None, pl.Date).alias("fx_date"), silent)
        return fixed.select(_RATE_COLUMNS)
    if fx.curve is not None:
        # A rate of a forward curve has no sides of a spread: settlements exchange bids and asks alike.
        prices = through[SpanRequest(fx.curve, leg.fx_spans, SpreadSide.SETTLE).name]
        by_row = of_periods(prices, np.eye(len(leg.fx_spans)))
        day = pl.Series("fx_date", dates).gather(by_row["date"])
        price, is_rate = pl.col("price"), pl.col("price") > 0
        why = pl.when(~is_rate).then(pl.format("{} is not above zero", price)).otherwise("reason")
        reason = pl.format(f"exchange rate {fx.curve.key}: {{}}", why).alias("fx_reason")
        rate = pl.when(is_rate).then(factor_of(fx, price)).alias("rate")
        return by_row.select(rate, price.alias("fx_rate"), day, reason)
    of_dates = await rates_on(reading, fx, dates, plan.known)
    joined = rows.join(of_dates, on="date", how="left", maintain_order="left")
    return joined.with_columns(pl.col("shown").alias("fx_rate"), silent).select(_RATE_COLUMNS)


def _rows(dates: pl.Series, periods: int) -> pl.DataFrame:
    """Return ``date`` and ``period``, places among the dates and the periods, of each row."""
    return pl.DataFrame(
        {
            "date": np.repeat(np.arange(len(dates), dtype=np.uint32), periods),
            "period": np.tile(np.arange(periods, dtype=np.uint32), len(dates)),
        }
    )


def _summed(
    plan: SpreadPlan, dates: pl.Series, through: Mapping[SpanName, pl.DataFrame], rates: Sequence[pl.DataFrame]
) -> SpreadAnswer:
    prices = [_priced(plan, one, dates, through) for one in plan.legs]
    columns = [
        LegPrices(
            leg.factors.weight,
            leg.factors.unit_factor,
            leg.factors.factor,
            price["price"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
            rate["rate"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        )
        for leg, price, rate in zip(plan.legs, prices, rates, strict=True)
    ]
    made = spread(columns)
    legs: list[LegAnswer] = []
    for place, leg in enumerate(plan.legs):
        frame = (
            prices[place]
            .hstack(rates[place])
            .with_columns(
                converted=pl.Series(made.converted[place]).fill_nan(None),
                contribution=pl.Series(made.contributions[place]).fill_nan(None),
            )
        )
        reason = pl.when(pl.col("converted").is_null()).then(pl.coalesce("reason", "fx_reason"))
        legs.append(LegAnswer(leg, frame.with_columns(reason=reason).select(*LEG_COLUMNS)))
    reasons = [
        one.frame.select(pl.format(f"{one.plan.factors.leg.name}: {{}}", "reason").alias(str(place)))
        for place, one in enumerate(legs)
    ]
    reason = pl.concat(reasons, how="horizontal").select(
        pl.concat_list(pl.all()).list.drop_nulls().list.join("; ").alias("reason")
    )
    rows = _rows(dates, len(plan.periods))
    frame = rows.select(
        dates.gather(rows["date"]).alias("trade_date"),
        "period",
        value=pl.Series(made.value).fill_nan(None),
        implied_heat_rate=_implied(plan, made.converted),
        reason=pl.when(reason["reason"] != "").then(reason["reason"]),
    )
    return SpreadAnswer(plan, frame, plan.periods, legs)


def _implied(plan: SpreadPlan, converted: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> pl.Series:
    """Return the heat rates that prices of power and fuel imply; null for spreads without a plant."""
    by_use = {one.factors.leg.use: prices for one, prices in zip(plan.legs, converted, strict=True)}
    if plan.heat_rate_unit is None:
        return pl.Series([None] * len(converted[0]), dtype=pl.Float64)
    implied = implied_heat_rate(by_use[LegUse.OUTPUT], by_use[LegUse.FUEL], 1 / heat_rate_unit_factor(plan.heat_rate_unit))
    return pl.Series(implied).fill_nan(None)
