"""Facts about a spread as a whole for an answer: its formula, parameters, exchange rates and approximations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aurum.core.curves.spread_factors import SpreadParameters, heat_rate_unit_factor
from aurum.core.curves.spread_templates import LegUse, SpreadTemplate
from aurum.core.curves.spreads import Alignment
from aurum.services.curves.spread_plan import LegPlan, SpreadPlan
from aurum.services.curves.spread_question import FxKind


def spread_facts(plan: SpreadPlan) -> Mapping[str, object]:
    """Return the members of ``meta`` of an answer that follow from its plan."""
    alignment = next((one.alignment for one in plan.legs if one.alignment is not None), None)
    return {
        "template": plan.template.name,
        "formula": formula_of(plan),
        "unit": plan.unit.text,
        "currency": plan.unit.currency,
        "side": str(plan.side),
        "alignment": None if alignment is None else str(alignment),
        "trade_date": plan.trade_date,
        "from": plan.first,
        "to": plan.last,
        "as_of": plan.known.as_of,
        "parameters": parameters_of(plan),
        "implied_heat_rate_unit": plan.heat_rate_unit,
        "fx": [_exchange(one) for one in plan.legs if one.fx is not None],
        "notes": notes_of(plan),
    }


def template_document(template: SpreadTemplate) -> Mapping[str, object]:
    """Return a template as lists show it."""
    return {
        "name": template.name,
        "title": template.title,
        "formula": template.formula,
        "unit_of": template.unit_of,
        "dimension": template.dimension,
        "per": template.per,
        "legs": [{**asdict(one), "use": str(one.use)} for one in template.legs],
        "parameters": list(template.parameters),
        "required": list(template.required),
        "defaults": _defaults(template),
    }


def formula_of(plan: SpreadPlan) -> str:
    """Return the formula in words: that of the template, or of a custom spread with its weights."""
    if plan.template.legs:
        return plan.template.formula
    return " + ".join(f"{one.factors.weight:g} x {one.factors.leg.name}" for one in plan.legs).replace("+ -", "- ")


def parameters_of(plan: SpreadPlan) -> Mapping[str, object]:
    """Return the parameters in force, with what they imply: efficiency and heat rate say the same."""
    stated, template = plan.question.parameters, plan.template
    rate = plan.heat_rate
    if rate is None or plan.heat_rate_unit is None:
        return {}
    members: dict[str, object] = {
        "efficiency": 1 / rate if stated.efficiency is None else stated.efficiency,
        "heat_rate": rate / heat_rate_unit_factor(plan.heat_rate_unit),
        "heat_rate_unit": plan.heat_rate_unit,
        "heating_value": _text(stated.heating_value),
        "fuel_heating_value": _text(stated.fuel_heating_value or stated.heating_value),
        "lhv_to_hhv": stated.lhv_to_hhv,
    }
    if any(one.factors.leg.use is LegUse.FUEL and one.factors.source.dimension == "price of mass" for one in plan.legs):
        members |= _energy_content(stated, template)
    if template.leg(LegUse.EMISSIONS) is not None:
        members["emission_intensity"] = stated.emission_intensity
        members["emission_heating_value"] = _text(stated.emission_heating_value or stated.heating_value)
    return members


def notes_of(plan: SpreadPlan) -> Sequence[str]:
    """Return the facts that a reader of the numbers must know: approximations and conventions, in sentences."""
    notes: list[str] = []
    kinds = {one.fx.kind for one in plan.legs if one.fx is not None}
    if FxKind.TRADE_DATE in kinds:
        notes.append(
            "exchanged at the ECB's reference rate of the trade date, which is an approximation: delivery is paid later, at a "
            "forward rate"
        )
    if FxKind.CURVE in kinds:
        notes.append(
            "exchanged at the settlement of the forward curve for the delivery period, or without one at the mean of bid and "
            "ask, on every side"
        )
    match next((one.alignment for one in plan.legs if one.alignment is not None), None):
        case Alignment.FLAT_DECEMBER:
            notes.append("allowances: the December contract of each delivery year, carried flat through the year")
        case Alignment.INTERPOLATE:
            notes.append(
                "allowances: between the December contracts, by days from 15 December to 15 December; where the contract "
                "before a day has expired, the price of the first one that is listed"
            )
        case _:
            pass
    if plan.heat_rate is not None and plan.question.parameters.heating_value is None:
        notes.append("no heating value is stated: efficiency, fuel price and emission intensity are taken to count fuel alike")
    return notes


def _exchange(leg: LegPlan) -> Mapping[str, object]:
    fx = leg.fx
    assert fx is not None
    return {
        "leg": leg.factors.leg.name,
        "kind": str(fx.kind),
        "pair": fx.name,
        "rate": fx.rate,
        "curve": None if fx.curve is None else fx.curve.key,
        "approximation": fx.kind is FxKind.TRADE_DATE,
    }


def _defaults(template: SpreadTemplate) -> Mapping[str, object]:
    return {} if template.energy_content is None else _energy_content(SpreadParameters(), template)


def _energy_content(stated: SpreadParameters, template: SpreadTemplate) -> Mapping[str, object]:
    is_default = stated.energy_content is None
    return {
        "energy_content": template.energy_content if is_default else stated.energy_content,
        "energy_content_unit": stated.energy_content_unit or template.energy_content_unit,
        "energy_content_source": template.energy_content_source if is_default else None,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
