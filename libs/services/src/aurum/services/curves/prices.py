"""Conversion of quotes to another unit and currency, at the exchange rate of their trade date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import polars as pl

from aurum.core.currency import MissingRate
from aurum.core.curves.quotes import PRICES
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.units import Unit, convert, factor_at_par, parse_unit
from aurum.services.curves.exchange_rates import day_rates, exchanges_of, refused_rate
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.observations.rates import RateSeries, rate_series
from aurum.services.observations.transform import Conversion, conversion_of
from aurum.services.observations.units import known_unit
from aurum.storage.ports.curves import StoredProduct


@dataclass(frozen=True, slots=True)
class PriceConversions:
    """The conversions of some products. ``by_curve``: by curve id; empty: prices stay as they are. ``rates``: by currencies."""

    by_curve: Mapping[int, Conversion] = field(default_factory=dict[int, Conversion])
    rates: Mapping[tuple[str, str], RateSeries] = field(default_factory=dict[tuple[str, str], RateSeries])

    @property
    def versions(self) -> tuple[object, ...]:
        """The units and the versions of the exchange rates, for entity tags: a mapped spelling may name another unit later."""
        units = sorted({str(change.target) for change in self.by_curve.values()})
        return (*units, *(one.versions for one in self.rates.values()))

    def unit_of(self, product: StoredProduct) -> tuple[str, str | None]:
        """Return the unit and the currency of the prices of a product in the answer."""
        change = self.by_curve.get(product.curve_id)
        if change is None:
            return product.product.unit, product.product.currency
        return str(change.target), change.target.currency


async def conversions_of(
    reading: CurveReading, products: Sequence[StoredProduct], unit: str | None, currency: str | None
) -> PriceConversions:
    """Return the conversions of the prices of products to a unit and a currency. Raises ``InvalidParameters``."""
    names = {one.product.unit: str(one.product.key) for one in products} if len(products) > 1 else {}
    return await conversions_of_units(reading, {one.curve_id: one.product.unit for one in products}, unit, currency, names)


async def conversions_of_units(
    reading: CurveReading, units: Mapping[int, str], unit: str | None, currency: str | None, names: Mapping[str, str]
) -> PriceConversions:
    """Return the conversions of prices to a unit and a currency. ``units``: of the prices, by curve id.

    ``names``: a curve of each unit, by which errors tell whose prices cannot be converted. Raises ``InvalidParameters``.
    """
    if unit is None and currency is None:
        return PriceConversions()
    target = _unit(await known_unit(unit, reading.observations.catalog)) if unit is not None else None
    by_unit = {own: _conversion(own, target, currency, names.get(own)) for own in units.values()}
    rates: dict[tuple[str, str], RateSeries] = {}
    for change in by_unit.values():
        if change is not None and change.exchanges:
            pair = _pair(change)
            rates[pair] = await rate_series(reading.observations.catalog, *pair)
    by_curve = {curve_id: change for curve_id, own in units.items() if (change := by_unit[own]) is not None}
    return PriceConversions(by_curve, rates)


async def converted(
    reading: CurveReading,
    frame: pl.DataFrame,
    conversions: PriceConversions,
    *,
    known: Known,
    also: Sequence[str] = (),
) -> pl.DataFrame:
    """Return quotes with their prices converted at the rates of a state of knowledge, in their order.

    ``also``: other columns that are prices. Raises ``InvalidParameters`` for a trade date without its rate.
    """
    quoted = frame.select("curve_id", "trade_date").unique()
    curves: dict[Conversion, list[int]] = {}
    for curve_id in quoted["curve_id"].unique().to_list():
        if (change := conversions.by_curve.get(curve_id)) is not None:
            curves.setdefault(change, []).append(curve_id)
    if not curves:
        return frame
    days = {change: quoted.filter(pl.col("curve_id").is_in(ids)) for change, ids in curves.items()}
    rates: dict[tuple[str, str], pl.DataFrame] = {}
    # Conversions to several units may exchange the same currencies.
    for pair in dict.fromkeys(_pair(change) for change in curves if change.exchanges):
        of_pair = [one["trade_date"] for change, one in days.items() if change.exchanges and _pair(change) == pair]
        rates[pair] = await _rates(reading, conversions.rates[pair], pl.concat(of_pair), known)
    factors = [
        one.join(_factors(one["trade_date"].unique(), change, rates.get(_pair(change))), on="trade_date")
        for change, one in days.items()
    ]
    joined = frame.join(pl.concat(factors), on=["curve_id", "trade_date"], how="left", maintain_order="left")
    prices = [name for name in (*PRICES, *also) if name in frame.columns]
    return joined.with_columns(pl.col(prices) * pl.col("factor").fill_null(1.0)).drop("factor")


async def exchanges_on(
    reading: CurveReading, conversions: PriceConversions, days: Sequence[date | None], known: Known
) -> Sequence[Mapping[str, object]]:
    """Return the rates by which ``converted`` exchanges prices of some trade dates, as answers show them.

    None in ``days``: no trade date. A trade date without a rate, on which nothing can have been converted, is left out.
    """
    dates = pl.Series(sorted({day for day in days if day is not None}), dtype=pl.Date)
    shown: list[Mapping[str, object]] = []
    for series in conversions.rates.values():
        for place in range(len(dates)):
            with suppress(MissingRate):
                rates = await day_rates(reading, series, dates[place : place + 1], known)
                shown += exchanges_of(rates, series)
    return shown


async def conversion_factors(reading: CurveReading, days: pl.Series, change: Conversion) -> pl.DataFrame:
    """Return ``trade_date`` and ``factor``: what a conversion multiplies prices with on some trade dates, as known now.

    Raises ``InvalidParameters`` for a trade date without its exchange rate, and for units that cannot be converted.
    """
    rates = None
    if change.exchanges:
        rates = await _rates(reading, await rate_series(reading.observations.catalog, *_pair(change)), days, Known())
    return _factors(days, change, rates)


def _conversion(own: str, target: Unit | None, currency: str | None, name: str | None) -> Conversion | None:
    """Return the conversion of a unit that is possible. ``name``: a curve in it. Raises ``InvalidParameters``."""
    try:
        change = conversion_of(own, target, currency)
        if change is not None:
            _factor(change)
    except InvalidParameters as error:
        # An unknown currency is a fault of no curve.
        if name is None or "nearest" in error.facts:
            raise
        (wrong,) = cast("list[dict[str, object]]", error.facts["errors"])
        facts = {fact: value for fact, value in error.facts.items() if fact != "errors"}
        why = f"{name} is in {own}: {wrong['message']}"
        raise InvalidParameters((str(wrong["field"]), why, wrong["value"]), **facts) from error
    return change


def _pair(change: Conversion) -> tuple[str, str]:
    return change.source.currency or "", change.target.currency or ""


async def _rates(reading: CurveReading, series: RateSeries, days: pl.Series, known: Known) -> pl.DataFrame:
    """Return the rates of a pair of currencies on some trade dates, schema ``DAY_RATES``."""
    try:
        return await day_rates(reading, series, days, known)
    except MissingRate as error:
        raise refused_rate(error, series, "currency", series.target, "choose another currency or trade date") from error


def _factors(days: pl.Series, change: Conversion, rates: pl.DataFrame | None) -> pl.DataFrame:
    """Return ``trade_date`` and ``factor`` of some trade dates. ``rates``: of these, where currencies are exchanged."""
    if rates is None:
        return pl.DataFrame({"trade_date": days}).with_columns(factor=pl.lit(_factor(change)))
    return rates.join(days.to_frame("day"), on="day", how="semi").select(
        trade_date="day", factor=pl.col("rate") * _factor(change)
    )


def _factor(change: Conversion) -> float:
    """Return the factor between the units of a conversion, at an exchange rate of 1. Raises ``InvalidParameters``."""
    try:
        if change.exchanges:
            return factor_at_par(change.source, change.target)
        return convert(1.0, change.source, change.target)
    except Invalid as error:
        raise InvalidParameters(("unit", error.detail, str(change.target)), **dict(error.facts)) from error


def _unit(text: str) -> Unit:
    try:
        return parse_unit(text)
    except UnknownName as error:
        raise InvalidParameters(("unit", error.detail, text), nearest=list(error.nearest)) from error
    except Invalid as error:
        raise InvalidParameters(("unit", error.detail, text)) from error
