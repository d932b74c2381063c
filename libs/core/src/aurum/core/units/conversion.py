"""Conversion of values between units of the same dimension, by pint, exact until the last step."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
import polars as pl

from aurum.core.errors import Invalid, UnknownName
from aurum.core.names import nearest
from aurum.core.units.unit import Unit, parse_unit
from aurum.core.units.vocabulary import vocabulary

Values = TypeVar("Values", float, "np.ndarray[Any, np.dtype[np.float64]]", pl.Series, pl.Expr)


class IncompatibleUnits(Invalid):
    """Two units that cannot be converted into each other. Facts: ``source``, ``target``."""

    def __init__(self, source: Unit, target: Unit, why: str) -> None:
        super().__init__(f"cannot convert {source} to {target}: {why}", source=source.text, target=target.text)


def convert(values: Values, source: Unit, target: Unit) -> Values:
    """Convert values in ``source`` to ``target``. Raises ``IncompatibleUnits``.

    Currencies have no fixed factor: see ``aurum.core.currency``. GBP and GBp are one currency.
    """
    factor, offset = _line(source, target)
    if source == target:
        return values
    return values * factor + offset if offset else values * factor


def conversion_factor(source: Unit, target: Unit) -> float:
    """Return the factor that converts values in ``source`` to ``target``. Raises ``IncompatibleUnits``.

    >>> from aurum.core.units import parse_unit
    >>> round(conversion_factor(parse_unit("MWh"), parse_unit("MMBtu")), 9)
    3.412141633
    """
    factor, offset = _line(source, target)
    if offset:
        raise IncompatibleUnits(source, target, "they have different zero points, so a factor is not enough; use convert")
    return factor


def converts(source: Unit, target: Unit) -> bool:
    """Return whether values in ``source`` convert to ``target`` without an exchange rate.

    >>> from aurum.core.units import parse_unit
    >>> converts(parse_unit("GBp/therm"), parse_unit("GBP/MWh")), converts(parse_unit("EUR/MWh"), parse_unit("GBP/MWh"))
    (True, False)
    """
    return (source.dimension, source.currency) == (target.dimension, target.currency)


def factor_at_par(source: Unit, target: Unit) -> float:
    """Return the factor between units whose currencies may differ, where an exchange rate is 1. Raises ``IncompatibleUnits``.

    A rate is between main units: pence are converted to pounds before it is applied, and dollars to cents afterwards.

    >>> from aurum.core.units import parse_unit
    >>> factor_at_par(parse_unit("GBp/MWh"), parse_unit("EUR/MWh"))
    0.01
    """
    if source.currency is None or target.currency is None:
        return conversion_factor(source, target)
    before = conversion_factor(source, in_currency(target, source.currency))
    return before * conversion_factor(in_currency(target, target.currency), target)


def in_currency(unit: Unit, currency: str) -> Unit:
    """Return the unit with another currency: ``GBp/therm`` in EUR is ``EUR/therm``.

    Raises ``UnknownName`` for an unknown currency, with the nearest ones, and ``IncompatibleUnits``.
    """
    currencies = vocabulary().currencies
    if currencies.find(currency) is None:
        raise UnknownName("currency", currency, nearest(currency, [one.code for one in currencies.entries]))
    if unit.currency is None:
        raise IncompatibleUnits(unit, parse_unit(currency), f"{unit} has no currency")
    _, slash, below = unit.text.partition("/")
    return parse_unit(f"{currency}{slash}{below}")


@cache
def _line(source: Unit, target: Unit) -> tuple[float, float]:
    """Return (factor, offset), each the nearest float to the exact fraction."""
    import pint  # here, because its import takes 0.4 s, and most processes never need it

    quantity = _registry().Quantity
    try:
        zero, one = (quantity(Fraction(n), source.definition).to(target.definition).magnitude for n in (0, 1))
    except pint.DimensionalityError:
        raise IncompatibleUnits(source, target, _why(source, target)) from None
    return float(one - zero), float(zero)


def _why(source: Unit, target: Unit) -> str:
    if source.dimension == target.dimension and source.currency != target.currency:
        return f"{source.currency} to {target.currency} takes an exchange rate"
    return f"{source.dimension} is not {target.dimension}"


@cache
def _registry() -> Any:
    """Return a pint registry with the units of ``units.toml`` only: the default one has other therms and no currencies."""
    import pint

    # pint documents an empty registry and fractions, but its annotations lack them.
    registry = cast("Any", pint.UnitRegistry)(None, non_int_type=Fraction)
    known = vocabulary()
    registry.load_definitions([entry.definition for entry in (*known.quantities.entries, *known.currencies.entries)])
    return registry
