"""The kind of series whose dataset holds many quantities, from their units."""

from __future__ import annotations

import polars as pl

from aurum.core.catalog.dimensions import Kind

_RATE = r"^[A-Z]{3}/[A-Z]{3}$"
_OF_POWER = r"/[kMGT]?Wh$"


def kind_of_unit() -> pl.Expr:
    """Return the kind of each series of a ``PARSED_SERIES`` frame, from its unit and currency.

    A rate of two currencies is ``FX``, a price of energy in kWh or MWh ``PRICE``, any other price ``FUEL_PRICE``; what is no
    price is a statistic, ``MACRO``. The migration "dimensions of series" repeats this rule for stored series.
    """
    unit = pl.col("unit")
    is_price = pl.col("currency").is_not_null() & unit.str.contains("/", literal=True)
    kind = (
        pl.when(is_price & unit.str.contains(_RATE))
        .then(pl.lit(Kind.FX))
        .when(is_price & unit.str.contains(_OF_POWER))
        .then(pl.lit(Kind.PRICE))
        .when(is_price)
        .then(pl.lit(Kind.FUEL_PRICE))
        .otherwise(pl.lit(Kind.MACRO))
    )
    return kind.cast(pl.String)
