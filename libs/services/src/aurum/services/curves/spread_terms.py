"""The legs of a spread as its template has them, with what the question says of each, their units and their factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aurum.core.curves.spread_factors import LegFactors, SpreadParameters, factors_of_legs
from aurum.core.curves.spread_templates import LegUse, SpreadTemplate, TemplateLeg, spread_template
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.core.units import Unit, in_currency, parse_unit
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.spread_legs import LegCurve
from aurum.services.curves.spread_question import LEAST_WEIGHT, MOST_LEGS, MOST_PRICE, MOST_WEIGHT, LegQuestion, SpreadQuestion
from aurum.services.observations.units import known_unit


@dataclass(frozen=True, slots=True)
class NamedLeg:
    """A leg of the template with what the question says of it."""

    leg: TemplateLeg
    question: LegQuestion

    @property
    def field(self) -> str:
        return f"legs.{self.leg.name}"


def template_of(name: str) -> SpreadTemplate:
    """Return the template of a name. Raises ``InvalidParameters`` with the nearest names."""
    try:
        return spread_template(name)
    except UnknownName as error:
        why = f"{error.detail}; GET /v2/curves/spread-templates lists them"
        raise InvalidParameters(("template", why, name), nearest=list(error.nearest)) from error


def named_legs(template: SpreadTemplate, question: SpreadQuestion) -> Sequence[NamedLeg]:
    """Return the legs in the order of the template. Raises ``InvalidParameters`` about one that is missing, or unknown."""
    if not 1 <= len(question.legs) <= MOST_LEGS:
        raise InvalidParameters(("legs", f"must be 1 to {MOST_LEGS} legs", len(question.legs)))
    legs = template.legs or tuple(TemplateLeg(name, name, 1) for name in question.legs)
    names = [one.name for one in legs]
    for name in question.legs:
        if name not in names:
            why = f"{template.name} has no leg {name!r}; its legs: {', '.join(names)}"
            raise InvalidParameters((f"legs.{name}", why, name), nearest=list(nearest(name, names)) or names)
    resolved: list[NamedLeg] = []
    for leg in legs:
        stated = question.legs.get(leg.name)
        if stated is None:
            why = f"is missing: {template.name} needs {', '.join(names)}; send a curve, or a value with its unit"
            raise InvalidParameters((f"legs.{leg.name}", why, None))
        resolved.append(NamedLeg(leg, _checked(template, leg, stated, question.legs)))
    return resolved


def _checked(template: SpreadTemplate, leg: TemplateLeg, stated: LegQuestion, legs: Mapping[str, LegQuestion]) -> LegQuestion:
    field = f"legs.{leg.name}"
    if stated.curve is None and stated.value is None and leg.like is not None and legs[leg.like].curve is not None:
        like = legs[leg.like]
        stated = LegQuestion(like.curve, stated.period, None, stated.unit, stated.weight, stated.fx or like.fx)
    if (stated.curve is None) is (stated.value is None):
        raise InvalidParameters((field, "send either a curve, or a value with its unit", stated.curve))
    if stated.value is not None and stated.unit is None:
        raise InvalidParameters((f"{field}.unit", "is missing: a value needs its unit, such as EUR/MWh", None))
    if stated.value is not None and stated.period is not None:
        raise InvalidParameters((f"{field}.period", "does not apply to a value", stated.period))
    if stated.curve is not None and stated.unit is not None:
        why = "does not apply to a curve, whose unit is that of its product; the unit of the answer is `unit`"
        raise InvalidParameters((f"{field}.unit", why, stated.unit))
    if stated.value is not None and abs(stated.value) >= MOST_PRICE:
        raise InvalidParameters((f"{field}.value", f"is absurd: prices are below {MOST_PRICE:,.0f}", stated.value))
    if stated.weight is not None and abs(stated.weight) > MOST_WEIGHT:
        raise InvalidParameters((f"{field}.weight", f"must be at most {MOST_WEIGHT:,.0f}", stated.weight))
    if stated.weight is not None and template.legs and stated.weight < LEAST_WEIGHT:
        does = "buys" if leg.sign > 0 else "sells"
        why = f"must be at least {LEAST_WEIGHT:g}: {template.name} {does} this leg; custom takes signed weights"
        raise InvalidParameters((f"{field}.weight", why, stated.weight))
    return stated


async def factors_of(
    reading: CurveReading,
    template: SpreadTemplate,
    question: SpreadQuestion,
    named: Sequence[NamedLeg],
    curves: Mapping[str, LegCurve],
) -> tuple[Unit, Sequence[LegFactors]]:
    """Return the unit of the answer, and the constants of the legs. Raises ``InvalidParameters``."""
    units = {one.leg.name: await _unit_of_leg(reading, one, curves) for one in named}
    weights = {one.leg.name: one.leg.weight if one.question.weight is None else one.question.weight for one in named}
    answer = units[template.unit_of or named[0].leg.name]
    if question.unit is not None:
        answer = await _unit(reading, question.unit, "unit")
    if question.currency is not None:
        try:
            answer = in_currency(answer, question.currency)
        except UnknownName as error:
            raise InvalidParameters(("currency", error.detail, question.currency), nearest=list(error.nearest)) from error
        except Invalid as error:
            raise InvalidParameters(("currency", error.detail, question.currency)) from error
    if template.dimension is not None and answer.dimension != template.dimension:
        field = "unit" if question.unit is not None else f"legs.{template.unit_of}.unit"
        why = f"must be a {template.dimension}, such as EUR/MWh: {template.name} is per unit of power"
        raise InvalidParameters((field, why, answer.text))
    return answer, factors_of_legs(template, [one.leg for one in named], question.parameters, units, weights, answer)


async def _unit_of_leg(reading: CurveReading, one: NamedLeg, curves: Mapping[str, LegCurve]) -> Unit:
    key = one.question.curve
    text = (one.question.unit or "") if key is None else curves[key].stored.product.unit
    return await _unit(reading, text, f"{one.field}.unit")


async def _unit(reading: CurveReading, text: str, field: str) -> Unit:
    """Return the unit that a text names, in a spelling of the vocabulary or in a mapped one."""
    try:
        return parse_unit(await known_unit(text, reading.observations.catalog))
    except UnknownName as error:
        raise InvalidParameters((field, error.detail, text), nearest=list(error.nearest)) from error


def heat_rate_unit_of(template: SpreadTemplate, parameters: SpreadParameters, factors: Sequence[LegFactors]) -> str | None:
    """Return the unit of implied heat rates: that of the question, or fuel as its price counts it, per MWh of power."""
    fuel = next((one for one in factors if one.leg.use is LegUse.FUEL), None)
    if fuel is None or template.leg(LegUse.OUTPUT) is None:
        return None
    if parameters.heat_rate_unit is not None:
        return parameters.heat_rate_unit
    if fuel.source.dimension != "price of energy":
        return "MWh/MWh"
    return f"{fuel.source.text.partition('/')[2]}/MWh"
