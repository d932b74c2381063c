"""Conversion of quotes to another unit and currency, at the exchange rate of their trade date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.currency import MissingRate, Rates, convert_currency
from aurum.core.curves.quotes import PRICES
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.frames import UTC_US
from aurum.core.units import Unit, convert, parse_unit
from aurum.services.curves.reading import CurveReading
from aurum.services.observations.rates import RateSeries, rate_series, read_pair
from aurum.services.observations.transform import Conversion, conversion_of
from aurum.storage.ports.curves import StoredProduct

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PriceConversions:
    """The conversions of some products. ``by_curve``: by curve id; empty: prices stay as they are. ``rates``: by currencies."""

    by_curve: Mapping[int, Conversion] = field(default_factory=dict[int, Conversion])
    rates: Mapping[tuple[str, str], RateSeries] = field(default_factory=dict[tuple[str, str], RateSeries])

    @property
    def versions(self) -> tuple[object, ...]:
        """The versions of the exchange rates, for entity tags."""
        return tuple(one.versions for one in self.rates.values())

    def unit_of(self, product: StoredProduct) -> tuple[str, str | None]:
        """Return the unit and the currency of the prices of a product in the answer."""
        change = self.by_curve.get(product.curve_id)
        if change is None:
            return product.product.unit, product.product.currency
        return str(change.target), change.target.currency


async def conversions_of(
    reading: CurveReading, products: Sequence[StoredProduct], unit: str | None, currency: str | None
) -> PriceConversions:
    """Return the conversions to a unit and a currency. Raises ``InvalidParameters``."""
    if unit is None and currency is None:
        return PriceConversions()
    target = _unit(unit) if unit is not None else None
    by_unit = {one.product.unit: conversion_of(one.product.unit, target, currency) for one in products}
    rates: dict[tuple[str, str], RateSeries] = {}
    for change in by_unit.values():
        if change is None:
            continue
        if change.exchanges:
            pair = change.source.currency or "", change.target.currency or ""
            rates[pair] = await rate_series(reading.observations.catalog, *pair)
        else:
            _factor(change)
    by_curve = {one.curve_id: change for one in products if (change := by_unit[one.product.unit]) is not None}
    return PriceConversions(by_curve, rates)


async def converted(
    reading: CurveReading,
    frame: pl.DataFrame,
    conversions: PriceConversions,
    *,
    as_of: datetime | None,
    also: Sequence[str] = (),
) -> pl.DataFrame:
    """Return quotes with their prices converted, in their order. ``also``: other columns that are prices.

    Raises ``InvalidParameters`` for a day without a rate.
    """
    if not conversions.by_curve or frame.is_empty():
        return frame
    curve_ids = frame["curve_id"].unique().to_list()
    changes = {change: None for curve_id in curve_ids if (change := conversions.by_curve.get(curve_id)) is not None}
    factors: list[pl.DataFrame] = []
    for change in changes:
        ids = [curve_id for curve_id in curve_ids if conversions.by_curve.get(curve_id) == change]
        days = frame.filter(pl.col("curve_id").is_in(ids)).select("curve_id", "trade_date").unique()
        factors.append(days.with_columns(await _factors(reading, days["trade_date"], change, conversions, as_of=as_of)))
    joined = frame.join(pl.concat(factors), on=["curve_id", "trade_date"], how="left", maintain_order="left")
    prices = [name for name in (*PRICES, *also) if name in frame.columns]
    return joined.with_columns(pl.col(prices) * pl.col("__factor").fill_null(1.0)).drop("__factor")


async def _factors(
    reading: CurveReading, days: pl.Series, change: Conversion, conversions: PriceConversions, *, as_of: datetime | None
) -> pl.Series:
    if not change.exchanges:
        return pl.repeat(_factor(change), len(days), eager=True, dtype=pl.Float64).alias("__factor")
    pair = change.source.currency or "", change.target.currency or ""
    at = days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(UTC_US)
    first, last = at.min(), at.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    span = Span(first, last + _DAY)
    rates = await read_pair(reading.observations.reader, conversions.rates[pair], span=span, as_of=as_of)
    return _exchanged(at, change, rates)


def _exchanged(at: pl.Series, change: Conversion, rates: Rates | None) -> pl.Series:
    if rates is None:
        return pl.repeat(_factor(change), len(at), eager=True, dtype=pl.Float64).alias("__factor")
    ones = pl.DataFrame(
        {
            "ts": at,
            "value": pl.repeat(1.0, len(at), eager=True, dtype=pl.Float64),
            "quality": pl.repeat(0, len(at), eager=True, dtype=pl.Int16),
            "known_at": at,
        }
    )
    try:
        exchanged = convert_currency(ones, rates, source=change.source, target=change.target, zone="UTC")
    except MissingRate as error:
        raise InvalidParameters(("currency", error.detail, change.target.currency), **dict(error.facts)) from error
    except Invalid as error:
        raise InvalidParameters(("unit", error.detail, str(change.target)), **dict(error.facts)) from error
    return exchanged["value"].alias("__factor")


def _factor(change: Conversion) -> float:
    try:
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
