"""Weights and factors of the legs of a spread: heat rates, heating values, energy contents, emission intensities and units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from aurum.core.curves.spread_templates import LegUse, SpreadTemplate, TemplateLeg
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.units import IncompatibleUnits, Unit, conversion_factor, factor_at_par, parse_unit

_ENERGY, _MASS = "price of energy", "price of mass"
MOST_HEAT_RATE = 100.0
"""MWh of fuel per MWh of power above which a heat rate is a mistake of units."""


class HeatingValue(StrEnum):
    """How the energy in a fuel is counted."""

    HHV = "HHV"
    """Higher (gross) heating value: with the heat of the water in the exhaust. Gas is traded by it."""
    LHV = "LHV"
    """Lower (net) heating value: without. Efficiencies of plants and emission intensities are often by it."""


@dataclass(frozen=True, slots=True)
class SpreadParameters:
    """Numbers of a plant and its fuel; None: not stated.

    ``efficiency``: power per fuel, a fraction. ``heat_rate``: fuel per power, in ``heat_rate_unit`` such as ``MMBtu/MWh``.
    ``heating_value``: by which one of them counts fuel; ``fuel_heating_value``: by which the fuel is priced, or its energy
    content stated; ``emission_heating_value``: by which the emission intensity counts it. None: by the same as
    ``heating_value``. ``lhv_to_hhv``: lower heating value as a fraction of the higher one. ``emission_intensity``: tonnes of
    CO2 per MWh of fuel. ``energy_content``: energy per mass of fuel, in ``energy_content_unit``.
    """

    efficiency: float | None = None
    heat_rate: float | None = None
    heat_rate_unit: str | None = None
    heating_value: HeatingValue | None = None
    fuel_heating_value: HeatingValue | None = None
    emission_heating_value: HeatingValue | None = None
    lhv_to_hhv: float | None = None
    emission_intensity: float | None = None
    energy_content: float | None = None
    energy_content_unit: str | None = None


@dataclass(frozen=True, slots=True)
class LegFactors:
    """The constants of a leg.

    ``weight``: signed. ``unit_factor``: from ``source`` to ``target`` at an exchange rate of 1, by the energy content where the
    source is a price of mass. ``target``: unit of converted prices. ``factors``: by which a converted price counts, by name.
    """

    leg: TemplateLeg
    weight: float
    source: Unit
    target: Unit
    unit_factor: float
    factors: Mapping[str, float]

    @property
    def factor(self) -> float:
        """The product of the factors."""
        return math.prod(self.factors.values())


def heat_rate_of(parameters: SpreadParameters) -> float:
    """Return MWh of fuel per MWh of power: 1 / efficiency, or the heat rate in its unit. Raises ``InvalidParameters``.

    >>> round(heat_rate_of(SpreadParameters(heat_rate=6.824283266, heat_rate_unit="MMBtu/MWh")), 9)
    2.0
    """
    if parameters.efficiency is not None:
        if parameters.heat_rate is not None:
            why = "says the same as parameters.efficiency: send one of them"
            raise InvalidParameters(("parameters.heat_rate", why, parameters.heat_rate))
        if not 1 / MOST_HEAT_RATE <= parameters.efficiency <= 1:
            why = f"must be a fraction from {1 / MOST_HEAT_RATE:g} to 1, such as 0.5"
            raise InvalidParameters(("parameters.efficiency", why, parameters.efficiency))
        return 1 / parameters.efficiency
    if parameters.heat_rate is None:
        why = "is missing: send an efficiency such as 0.5, or parameters.heat_rate with parameters.heat_rate_unit"
        raise InvalidParameters(("parameters.efficiency", why, None))
    if parameters.heat_rate_unit is None:
        why = "is missing: name the unit of the heat rate, such as MMBtu/MWh, GJ/MWh or MWh/MWh"
        raise InvalidParameters(("parameters.heat_rate_unit", why, None))
    value = parameters.heat_rate * heat_rate_unit_factor(parameters.heat_rate_unit)
    if not 1 <= value <= MOST_HEAT_RATE:
        why = f"must be from 1 to {MOST_HEAT_RATE:g} MWh/MWh; it is {value:g} MWh/MWh"
        raise InvalidParameters(("parameters.heat_rate", why, parameters.heat_rate))
    return value


def heat_rate_unit_factor(unit: str) -> float:
    """Return the heat rate, in MWh of fuel per MWh of power, that is 1 in a unit. Raises ``InvalidParameters``."""
    return _ratio("parameters.heat_rate_unit", unit, "energy", "MWh", "MWh")


def check_parameters(template: SpreadTemplate, parameters: SpreadParameters) -> None:
    """Refuse parameters that a template does not take, and missing ones that it needs. Raises ``InvalidParameters``."""
    for one in fields(parameters):
        if getattr(parameters, one.name) is not None and one.name not in template.parameters:
            accepted = f"it takes {', '.join(template.parameters)}" if template.parameters else "it takes no parameters"
            why = f"does not apply to {template.name}: {accepted}"
            raise InvalidParameters((f"parameters.{one.name}", why, getattr(parameters, one.name)))
    if template.leg(LegUse.FUEL) is not None:
        heat_rate_of(parameters)
    others = (parameters.fuel_heating_value, parameters.emission_heating_value)
    if parameters.heating_value is None and any(one is not None for one in others):
        why = "is missing: say by which heating value, HHV or LHV, the efficiency or the heat rate counts fuel"
        raise InvalidParameters(("parameters.heating_value", why, None))
    ratio = parameters.lhv_to_hhv
    if ratio is not None and not 0.7 <= ratio <= 1:
        why = "must be the lower heating value as a fraction of the higher one, 0.7 to 1"
        raise InvalidParameters(("parameters.lhv_to_hhv", why, ratio))
    if parameters.heat_rate_unit is not None and parameters.heat_rate is None:
        why = "needs parameters.heat_rate"
        raise InvalidParameters(("parameters.heat_rate_unit", why, parameters.heat_rate_unit))
    if template.leg(LegUse.EMISSIONS) is not None and parameters.emission_intensity is None:
        why = "is missing: send tonnes of CO2 per MWh of fuel, such as 0.202 for gas by LHV"
        raise InvalidParameters(("parameters.emission_intensity", why, None))
    if parameters.emission_intensity is not None and not 0 <= parameters.emission_intensity <= 2:
        why = "must be tonnes of CO2 per MWh of fuel, 0 to 2"
        raise InvalidParameters(("parameters.emission_intensity", why, parameters.emission_intensity))


def factors_of_legs(
    template: SpreadTemplate,
    legs: Sequence[TemplateLeg],
    parameters: SpreadParameters,
    units: Mapping[str, Unit],
    weights: Mapping[str, float],
    answer: Unit,
) -> Sequence[LegFactors]:
    """Return the constants of each leg. ``units``: of prices, ``weights``: sizes, by leg. ``answer``: unit of the answer.

    Raises ``InvalidParameters`` that names the leg whose unit cannot be converted.
    """
    heat_rate = heat_rate_of(parameters) if template.leg(LegUse.FUEL) is not None else 1.0
    per = 1.0 if template.per is None else weights[template.per]
    made: list[LegFactors] = []
    for leg in legs:
        source, weight = units[leg.name], leg.sign * weights[leg.name] / per
        field = f"legs.{leg.name}.unit"
        match leg.use:
            case LegUse.FUEL:
                unit_factor = _fuel_factor(template, parameters, source, answer, field)
                factors = {"heat_rate": heat_rate} | _heating_value(parameters, parameters.fuel_heating_value)
                made.append(LegFactors(leg, weight, source, answer, unit_factor, factors))
            case LegUse.EMISSIONS:
                assert parameters.emission_intensity is not None
                currency = answer.currency or ""
                target = parse_unit(f"{currency}/t")
                factors = {"heat_rate": heat_rate} | _heating_value(parameters, parameters.emission_heating_value)
                factors["emission_intensity"] = parameters.emission_intensity
                if (to_answer := conversion_factor(parse_unit(f"{currency}/MWh"), answer)) != 1:
                    factors["energy_unit"] = to_answer
                made.append(LegFactors(leg, weight, source, target, _at_par(source, target, field), factors))
            case LegUse.PLAIN | LegUse.OUTPUT:
                made.append(LegFactors(leg, weight, source, answer, _at_par(source, answer, field), {}))
    return made


def _fuel_factor(template: SpreadTemplate, parameters: SpreadParameters, source: Unit, answer: Unit, field: str) -> float:
    """Return the factor from a price of fuel to one of its energy in the unit of the answer."""
    if source.dimension != _MASS:
        if parameters.energy_content is not None and source.dimension == _ENERGY:
            why = f"does not apply: {field.removesuffix('.unit')} is priced by energy, in {source}"
            raise InvalidParameters(("parameters.energy_content", why, parameters.energy_content))
        return _at_par(source, answer, field)
    content = template.energy_content if parameters.energy_content is None else parameters.energy_content
    if content is None:
        why = f"is missing: {field.removesuffix('.unit')} is priced in {source}; send its energy per mass, such as 6.978 MWh/t"
        raise InvalidParameters(("parameters.energy_content", why, None))
    unit = parameters.energy_content_unit or template.energy_content_unit
    by_mass = content * _ratio("parameters.energy_content_unit", unit, "energy", "MWh", "t", "mass")
    if not 0.1 <= by_mass <= 50:
        why = f"must be from 0.1 to 50 MWh/t; it is {by_mass:g} MWh/t"
        raise InvalidParameters(("parameters.energy_content", why, content))
    currency = source.currency or ""
    per_tonne = conversion_factor(source, parse_unit(f"{currency}/t"))
    return per_tonne / by_mass * _at_par(parse_unit(f"{currency}/MWh"), answer, field)


def _at_par(source: Unit, target: Unit, field: str) -> float:
    """Return the factor between two units of prices at an exchange rate of 1."""
    try:
        return factor_at_par(source, target)
    except IncompatibleUnits as error:
        raise InvalidParameters((field, error.detail, source.text), **dict(error.facts)) from error


def _heating_value(parameters: SpreadParameters, wanted: HeatingValue | None) -> dict[str, float]:
    """Return the factor from fuel by the heating value of the heat rate to fuel by another one; nothing where they agree."""
    own = parameters.heating_value
    if own is None or wanted is None or own is wanted:
        return {}
    ratio = parameters.lhv_to_hhv
    if ratio is None:
        why = (
            f"is missing: the heat rate counts fuel by {own} and another number by {wanted}. Send the lower heating value as a "
            "fraction of the higher one: about 0.9 for natural gas, with the composition of yours"
        )
        raise InvalidParameters(("parameters.lhv_to_hhv", why, None))
    return {"heating_value": ratio if wanted is HeatingValue.LHV else 1 / ratio}


def _ratio(field: str, text: str, dimension: str, above: str, below: str, below_dimension: str = "energy") -> float:
    """Return the factor from a quotient of quantities, as ``GJ/t``, to ``above``/``below``. Raises ``InvalidParameters``."""
    numerator, slash, denominator = text.partition("/")
    try:
        if slash:
            units = parse_unit(numerator), parse_unit(denominator)
            if (units[0].dimension, units[1].dimension) == (dimension, below_dimension):
                return conversion_factor(units[0], parse_unit(above)) / conversion_factor(units[1], parse_unit(below))
    except UnknownName as error:
        raise InvalidParameters((field, error.detail, text), nearest=list(error.nearest)) from error
    except Invalid as error:
        raise InvalidParameters((field, error.detail, text)) from error
    raise InvalidParameters((field, f"must be a quotient of {dimension} and {below_dimension}, such as {above}/{below}", text))
