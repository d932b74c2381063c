"""The inputs of an expression: which products they are, in which units, and how their strips are weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from aurum.core.curves.expressions import (
    Basis,
    Convert,
    Expression,
    InvalidExpression,
    Shift,
    first_input,
    inputs_of,
    operands,
    place_of,
    unit_of,
    walk,
)
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.products import Product, Weighting
from aurum.core.curves.weights import SessionsMissing, part_weight
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.search.near_keys import nearest_keys
from aurum.core.units import Unit, factor_at_par, parse_unit
from aurum.services.curves.products import block_of_key
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, read_sessions, terms_by_curve
from aurum.services.observations.transform import Conversion
from aurum.storage.ports.curves import ProductFilter, StoredProduct
from aurum.storage.ports.derived_curves import RATES_ID, DerivedCurve, DerivedInput

RATES = "ecb:reference_rates"
"""The dataset of the exchange rates."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of an expression.

    ``products``: by key. ``unit``: of the prices of the expression. ``block``: in which the derived curve delivers; None: all
    hours.
    """

    expression: Expression
    products: Mapping[str, StoredProduct]
    unit: Unit
    block: str | None

    @property
    def units(self) -> Mapping[str, str]:
        """The units of the inputs, by key."""
        return {key: one.product.unit for key, one in self.products.items()}

    @property
    def first(self) -> StoredProduct:
        """The product whose periods and terms the derived curve has."""
        return self.products[first_input(self.expression)]

    def shifted_units(self) -> Mapping[Expression, Unit]:
        """Return the unit of the operand of each shift that names a unit."""
        shifts = [one for one in walk(self.expression) if isinstance(one, Shift) and one.unit is not None]
        return {one: unit_of(one.curve, self.units) for one in shifts}

    def conversions(self) -> Mapping[Convert, Conversion]:
        """Return what each conversion of the expression converts."""
        converts = [one for one in walk(self.expression) if isinstance(one, Convert)]
        return {one: Conversion(unit_of(one.curve, self.units), unit_of(one, self.units)) for one in converts}


@dataclass(frozen=True, slots=True)
class StaleInput:
    """Changes of an input that no build has read. ``since``: when the first of them was recorded, UTC.

    ``key``: of the curve, or ``RATES`` for exchange rates, whose ``trade_dates`` are those that use a changed one.
    ``trade_dates``, ``first``, ``last``: None for all trade dates, because the terms of the product changed.
    """

    key: str
    trade_dates: int | None
    first: date | None
    last: date | None
    since: datetime


async def read_inputs(reading: CurveReading, expression: Expression, key: CurveKey, *, tenant: str | None) -> Inputs:
    """Return the inputs of an expression, which the owner may read.

    ``key``: of the derived curve. It delivers in the block that its key names, else in that of its first input. ``tenant``: the
    owner; None: of shared curves only.

    Raises ``InvalidParameters`` about the operand that is an unknown curve, and about ``expression`` for operands of different
    units, and for a basis of different deliveries. Also about ``key`` for a commodity that the unit does not fit.
    """
    keys = inputs_of(expression)
    stored = await reading.curves.products(ProductFilter(keys=keys), tenant=tenant)
    products = {str(one.product.key): one for one in stored}
    for name in keys:
        if name not in products:
            everything = await reading.curves.products(ProductFilter(), tenant=tenant)
            near = nearest_keys(name, [str(one.product.key) for one in everything])
            hint = f"; nearest: {', '.join(near[:_SHOWN])}" if near else ""
            whose = "a curve that you may read" if tenant is not None else "a shared curve"
            why = f"{name} is not {whose}{hint}"
            raise InvalidParameters((place_of(expression, name), why, name), nearest=list(near))
    try:
        unit = unit_of(expression, {key: one.product.unit for key, one in products.items()})
    except InvalidExpression as error:
        raise InvalidParameters((error.field, error.why, error.facts["value"])) from error
    _check_deliveries(expression, products)
    first = products[first_input(expression)].product
    made = replace(first, key=key, unit=unit.text, currency=unit.currency)
    try:
        block = await block_of_key(reading, made, tenant=tenant)
    except InvalidParameters as error:
        raise InvalidParameters(("key", f"does not fit its inputs: {error.detail}", str(key))) from error
    return Inputs(expression, products, unit, block)


async def weights_of(reading: CurveReading, inputs: Inputs) -> Mapping[str, Weight]:
    """Return the weight of parts of strips of each input, by key.

    Raises ``UnknownName`` for terms that are gone. A weight raises ``Invalid`` where the sessions that it counts are unknown.
    """
    terms = await terms_by_curve(reading, list(inputs.products.values()))
    weights: dict[str, Weight] = {}
    for key, stored in inputs.products.items():
        if stored.curve_id not in terms:
            raise UnknownName("delivery calendar or block of", key)
        weights[key] = await _weight(reading, stored, terms[stored.curve_id])
    return weights


def other_term(product: Product, inputs: Inputs) -> tuple[str, str | None, str | None] | None:
    """Return a term that the quotes of a derived curve depend on, as its product has it and as the inputs give it.

    None where the product has all of them.
    """
    first = inputs.first.product
    terms = {"unit": inputs.unit.text, "calendar": first.calendar, "block": inputs.block}
    return next(((name, getattr(product, name), one) for name, one in terms.items() if getattr(product, name) != one), None)


def stale_inputs(curve: DerivedCurve) -> Sequence[StaleInput]:
    """Return what made a curve stale, by input in the order of the expression, exchange rates and its own product last."""
    stale: list[StaleInput] = []
    for one in (*curve.inputs, DerivedInput(RATES_ID, RATES), DerivedInput(curve.curve_id, curve.key)):
        changes = [change for change in curve.changes if change.curve_id == one.curve_id]
        if not changes:
            continue
        since = min(change.recorded_at for change in changes)
        dates = sorted({day for change in changes for day in change.trade_dates})
        is_all = any(not change.trade_dates for change in changes)
        ends = (None, None, None) if is_all else (len(dates), dates[0], dates[-1])
        stale.append(StaleInput(one.key, *ends, since))
    return stale


def _check_deliveries(expression: Expression, products: Mapping[str, StoredProduct]) -> None:
    """Raise ``InvalidParameters`` for a basis whose operands deliver by different calendars or in different blocks."""
    for basis in (one for one in walk(expression) if isinstance(one, Basis)):
        hub, *others = (products[first_input(one)].product for one in operands(basis))
        for other in others:
            for name in ("calendar", "block"):
                own, of_hub = (getattr(one, name) or "all hours" for one in (other, hub))
                if own != of_hub:
                    why = f"{other.key} delivers by another {name} than its hub {hub.key}: {own}, and not {of_hub}"
                    raise InvalidParameters(("expression", why, str(other.key)))


async def _weight(reading: CurveReading, stored: StoredProduct, terms: Terms) -> Weight:
    product, sessions = stored.product, None
    if product.weighting is Weighting.SESSIONS and product.sessions is not None:
        sessions = await read_sessions(reading, stored, product.sessions)
    try:
        return part_weight(product.weighting, terms.calendar, terms.block, sessions)
    except SessionsMissing as error:
        refusal = Invalid(f"{product.key}: {error.detail}", key=str(product.key))

    def refused(_first: date, _end: date) -> float:
        raise refusal  # only when a strip is needed

    return refused


def converted_tick(inputs: Inputs) -> float:
    """Return the tick of the first input in the unit of the expression; in another currency as if that had the same worth."""
    return _tick_in(inputs.first, inputs.unit)


def basis_ticks(inputs: Inputs, tick: float) -> Mapping[Expression, float]:
    """Return the tick of each basis operation in its own unit: that of its outright quotes.

    ``tick``: of the derived curve, which is that of an expression that is itself a basis.
    """
    ticks: dict[Expression, float] = {}
    for basis in (one for one in walk(inputs.expression) if isinstance(one, Basis)):
        outright = inputs.products[first_input(basis.outright or basis.hub)]
        is_all = basis == inputs.expression
        ticks[basis] = tick if is_all else _tick_in(outright, unit_of(basis, inputs.units))
    return ticks


def _tick_in(stored: StoredProduct, unit: Unit) -> float:
    return stored.product.tick * factor_at_par(parse_unit(stored.product.unit), unit)
