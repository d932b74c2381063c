"""Units as data (``units.toml``): parsing of their spellings, conversion between them."""

from aurum.core.units.conversion import (
    IncompatibleUnits,
    conversion_factor,
    convert,
    converts,
    factor_at_par,
    in_currency,
)
from aurum.core.units.unit import Unit, UnitInfo, known_currencies, known_units, parse_unit
from aurum.core.units.vocabulary import Currency

__all__ = [
    "Currency",
    "IncompatibleUnits",
    "Unit",
    "UnitInfo",
    "conversion_factor",
    "convert",
    "converts",
    "factor_at_par",
    "in_currency",
    "known_currencies",
    "known_units",
    "parse_unit",
]
