"""The series that a product settles against: checked when terms are written, shown with the curve and with the series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aurum.core.catalog.dimensions import Kind
from aurum.core.curves.products import Product
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.series.model import Series
from aurum.core.units import IncompatibleUnits, convert, parse_unit
from aurum.services.curves.reading import CurveReading
from aurum.services.observations import series_of
from aurum.storage.ports.curves import CurveReader, ProductFilter

_FIELD = "settles_on"
_PRICES = (Kind.PRICE, Kind.OTHER)
"""Kinds of series that may be prices: those of other sources than market operators have no kind."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The series that a product settles against. ``unit``, ``first``, ``last``: None while the store does not have the series.

    ``first``, ``last``: starts of its first and last interval, UTC.
    """

    key: str
    unit: str | None = None
    currency: str | None = None
    first: datetime | None = None
    last: datetime | None = None


async def settlement_of(reading: CurveReading, product: Product) -> Settlement | None:
    """Return the series that a product settles against; None where its terms name none."""
    key = product.settles_on
    if key is None:
        return None
    series = (await reading.observations.catalog.series_by_key([key])).get(key)
    if series is None:
        return Settlement(key)
    return Settlement(key, series.spec.unit, series.spec.currency, series.first_ts, series.last_ts)


async def check_settlement(reading: CurveReading, product: Product) -> None:
    """Check the series that a product names: it exists, it is a price, and its unit converts to that of the product.

    Raises ``InvalidParameters`` about ``settles_on``. Another currency is refused: no exchange rate is part of the terms.
    """
    if product.settles_on is None:
        return
    try:
        series = await series_of(reading.observations.catalog, product.settles_on)
    except UnknownName as error:
        raise InvalidParameters((_FIELD, error.detail, product.settles_on), nearest=list(error.nearest)) from error
    if series.spec.kind not in _PRICES:
        why = f"must be a series of prices; {series.key} is of kind {series.spec.kind}"
        raise InvalidParameters((_FIELD, why, product.settles_on))
    _check_unit(series, product)


async def curves_settling_on(curves: CurveReader, key: str) -> Sequence[str]:
    """Return the keys of the shared products that settle against a series, ascending; never those of tenants."""
    products = await curves.products(ProductFilter(settles_on=key), tenant=None)
    return [str(one.product.key) for one in products]


def _check_unit(series: Series, product: Product) -> None:
    try:
        convert(1.0, parse_unit(series.spec.unit), parse_unit(product.unit))
    except (IncompatibleUnits, UnknownName) as error:
        why = f"the unit of {series.key} does not convert to that of the product: {error.detail}"
        raise InvalidParameters((_FIELD, why, product.settles_on)) from error
