"""Spreads: numbers computed by hand, and errors that name the leg or the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.spread_factors import (
    HeatingValue,
    SpreadParameters,
    check_parameters,
    factors_of_legs,
    heat_rate_of,
)
from aurum.core.curves.spread_templates import (
    LegUse,
    TemplateLeg,
    default_spread_templates,
    read_spread_template,
    spread_template,
)
from aurum.core.curves.spreads import (
    Alignment,
    LegPrices,
    SpreadSide,
    december_weights,
    implied_heat_rate,
    spread,
)
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.units import conversion_factor, parse_unit

GERMAN = SpreadParameters(efficiency=0.5, heating_value=HeatingValue.LHV, emission_intensity=0.202)
BRITISH = SpreadParameters(efficiency=0.4913, heating_value=HeatingValue.HHV, emission_intensity=0.18404)
NOTHING = SpreadParameters()
COAL = SpreadParameters(efficiency=0.38, emission_intensity=0.341)


def value_of(
    name: str,
    prices: Mapping[str, tuple[float, str]],
    parameters: SpreadParameters = NOTHING,
    *,
    answer: str | None = None,
    rates: Mapping[str, float] | None = None,
    weights: Mapping[str, float] | None = None,
    legs: tuple[TemplateLeg, ...] = (),
) -> float:
    """Return the spread of one row of prices. ``rates``: of currencies in that of the answer."""
    template = spread_template(name)
    check_parameters(template, parameters)
    legs = legs or template.legs
    units = {leg: parse_unit(unit) for leg, (_, unit) in prices.items()}
    target = parse_unit(answer) if answer else units[template.unit_of or legs[0].name]
    sizes = {one.name: one.weight for one in legs} | dict(weights or {})
    made = factors_of_legs(template, legs, parameters, units, sizes, target)
    columns = [
        LegPrices(
            one.weight,
            one.unit_factor,
            one.factor,
            np.array([prices[one.leg.name][0]]),
            np.array([(rates or {}).get(one.source.currency or "", 1.0)]),
        )
        for one in made
    ]
    (value,) = spread(columns).value
    return float(value)


def plain(name: str) -> TemplateLeg:
    return TemplateLeg(name, name, 1)


def test_german_spark_and_clean_spark() -> None:
    power, gas, allowances = (90.84, "EUR/MWh"), (40.0, "EUR/MWh"), (65.0, "EUR/t")
    spark = value_of("spark", {"power": power, "gas": gas}, SpreadParameters(efficiency=0.5))
    assert spark == pytest.approx(10.84, abs=1e-9)
    clean = value_of("clean_spark", {"power": power, "gas": gas, "emissions": allowances}, GERMAN)
    assert clean == pytest.approx(-15.42, abs=1e-9)


def test_british_clean_spark_with_gas_in_pence_per_therm() -> None:
    prices = {"power": (85.0, "GBP/MWh"), "gas": (34.12141633, "GBP/MWh"), "emissions": (40.0, "GBP/t")}
    assert value_of("clean_spark", prices, BRITISH) == pytest.approx(0.5647947689802582, abs=1e-9)
    # The number was computed with ten digits of the therms in a megawatt-hour.
    in_pence = value_of("clean_spark", prices | {"gas": (100.0, "GBp/therm")}, BRITISH)
    assert in_pence == pytest.approx(0.5647947689802582, abs=1e-8)


def test_american_spark_by_heat_rate_and_what_power_implies() -> None:
    prices = {"power": (45.0, "USD/MWh"), "gas": (3.25, "USD/MMBtu")}
    parameters = SpreadParameters(heat_rate=7.0, heat_rate_unit="MMBtu/MWh")
    assert value_of("spark", prices, parameters) == pytest.approx(22.25, abs=1e-9)
    by_energy = conversion_factor(parse_unit("MWh"), parse_unit("MMBtu"))
    implied = implied_heat_rate(np.array([45.0]), np.array([3.25 * by_energy]), by_energy)
    assert implied[0] == pytest.approx(13.846153846153847, rel=1e-12)
    half = heat_rate_of(SpreadParameters(efficiency=0.5, heating_value=HeatingValue.HHV)) * by_energy
    assert half == pytest.approx(6.824283266, rel=1e-9)


def test_clean_dark_with_coal_in_dollars_per_tonne() -> None:
    prices = {"power": (90.84, "EUR/MWh"), "coal": (110.0, "USD/t"), "emissions": (65.0, "EUR/t")}
    clean = value_of("clean_dark", prices, COAL, rates={"USD": 1 / 1.10})
    assert clean == pytest.approx(-5.201457362236205, rel=1e-9)
    dark = value_of(
        "dark",
        {"power": prices["power"], "coal": prices["coal"]},
        SpreadParameters(efficiency=0.38, energy_content=6.978 * 3.6, energy_content_unit="GJ/t"),
        rates={"USD": 1 / 1.10},
    )
    assert dark == pytest.approx(53.12749000618486, rel=1e-9)


def test_gas_in_another_unit_and_currency() -> None:
    nbp = value_of("custom", {"nbp": (100.0, "p/th")}, answer="EUR/MWh", rates={"GBP": 1 / 0.86}, legs=(plain("nbp"),))
    ttf = value_of("custom", {"ttf": (40.0, "EUR/MWh")}, answer="USD/MMBtu", rates={"EUR": 1.1}, legs=(plain("ttf"),))
    assert (nbp, ttf) == (pytest.approx(39.6760655, rel=1e-9), pytest.approx(12.895127088061294, rel=1e-9))


def test_three_barrels_of_crude_make_two_of_gasoline_and_one_of_distillate() -> None:
    prices = {"crude": (80.0, "USD/bbl"), "gasoline": (2.5, "USD/gal"), "distillate": (2.7, "USD/gal")}
    assert value_of("crack", prices) == pytest.approx(27.8, abs=1e-9)
    five = value_of("crack", prices, weights={"crude": 5.0, "gasoline": 3.0, "distillate": 2.0})
    assert five == pytest.approx((3 * 105 + 2 * 113.4) / 5 - 80, abs=1e-9)
    per_gallon = value_of("crack", prices, answer="USc/gal")
    assert per_gallon == pytest.approx(27.8 / 42 * 100, abs=1e-9)


def test_heating_values_are_converted_only_where_two_are_stated() -> None:
    prices = {"power": (90.0, "EUR/MWh"), "gas": (40.0, "EUR/MWh"), "emissions": (65.0, "EUR/t")}
    one = SpreadParameters(efficiency=0.55, heating_value=HeatingValue.LHV, emission_intensity=0.202)
    assert value_of("clean_spark", prices, one) == pytest.approx(90 - (40 + 65 * 0.202) / 0.55, abs=1e-9)
    by_hhv = replace(one, fuel_heating_value=HeatingValue.HHV)
    with pytest.raises(InvalidParameters, match=r"parameters\.lhv_to_hhv: is missing"):
        value_of("clean_spark", prices, by_hhv)
    burnt = value_of("clean_spark", prices, replace(by_hhv, lhv_to_hhv=0.9024))
    assert burnt == pytest.approx(90 - 40 / (0.55 * 0.9024) - 65 * 0.202 / 0.55, abs=1e-9)
    gross = SpreadParameters(
        efficiency=0.4913,
        heating_value=HeatingValue.HHV,
        emission_heating_value=HeatingValue.LHV,
        emission_intensity=0.202,
        lhv_to_hhv=0.9,
    )
    assert value_of("clean_spark", prices, gross) == pytest.approx(90 - (40 + 65 * 0.202 * 0.9) / 0.4913, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("spark", {"efficiency": None}, "parameters.efficiency"),
        ("spark", {"efficiency": 50.0}, "parameters.efficiency"),
        ("spark", {"efficiency": 1e-300}, "parameters.efficiency"),
        ("spark", {"heat_rate": 2.0}, "parameters.heat_rate"),
        ("spark", {"efficiency": None, "heat_rate": 7.0}, "parameters.heat_rate_unit"),
        ("spark", {"efficiency": None, "heat_rate": 7.0, "heat_rate_unit": "MMBtu"}, "parameters.heat_rate_unit"),
        ("spark", {"efficiency": None, "heat_rate": 7.0, "heat_rate_unit": "MMBtu/bbl"}, "parameters.heat_rate_unit"),
        ("spark", {"efficiency": None, "heat_rate": 7000.0, "heat_rate_unit": "MMBtu/MWh"}, "parameters.heat_rate"),
        ("spark", {"heat_rate_unit": "MMBtu/MWh"}, "parameters.heat_rate_unit"),
        ("spark", {"emission_intensity": 0.2}, "parameters.emission_intensity"),
        ("spark", {"fuel_heating_value": HeatingValue.HHV}, "parameters.heating_value"),
        ("spark", {"lhv_to_hhv": 1.1}, "parameters.lhv_to_hhv"),
        ("spark", {"energy_content": 7.0}, "parameters.energy_content"),
        ("clean_spark", {}, "parameters.emission_intensity"),
        ("clean_spark", {"emission_intensity": 202.0}, "parameters.emission_intensity"),
        ("basis", {}, "parameters.efficiency"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, changes: dict[str, object], field: str) -> None:
    parameters = replace(SpreadParameters(efficiency=0.5), **changes)  # type: ignore[arg-type]
    prices = {"power": (90.0, "EUR/MWh"), "gas": (40.0, "EUR/MWh"), "emissions": (65.0, "EUR/t")}
    template = spread_template(name)
    with pytest.raises(InvalidParameters) as raised:
        value_of(name, {leg.name: prices.get(leg.name, (1.0, "EUR/MWh")) for leg in template.legs}, parameters)
    assert raised.value.facts["errors"][0]["field"] == field  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "leg", "unit"),
    [
        ("spark", "gas", "USD/bbl"),
        ("spark", "power", "EUR/t"),
        ("clean_spark", "emissions", "EUR/MWh"),
        ("spark", "gas", "MWh"),
    ],
)
def test_a_leg_whose_unit_does_not_convert_is_named(name: str, leg: str, unit: str) -> None:
    prices = {"power": (90.0, "EUR/MWh"), "gas": (40.0, "EUR/MWh"), "emissions": (65.0, "EUR/t")} | {leg: (1.0, unit)}
    used = {one.name: prices[one.name] for one in spread_template(name).legs}
    parameters = GERMAN if name == "clean_spark" else SpreadParameters(efficiency=0.5)
    field = "parameters.energy_content" if unit == "EUR/t" and leg == "gas" else f"legs.{leg}.unit"
    with pytest.raises(InvalidParameters) as raised:
        value_of(name, used, parameters, answer="EUR/MWh")
    assert raised.value.facts["errors"][0]["field"] == field  # type: ignore[index]


def test_a_fuel_priced_by_mass_needs_its_energy_content() -> None:
    prices = {"power": (90.0, "EUR/MWh"), "gas": (600.0, "EUR/t")}
    with pytest.raises(InvalidParameters, match=r"parameters\.energy_content: is missing"):
        value_of("spark", prices, SpreadParameters(efficiency=0.5))
    value = value_of("spark", prices, SpreadParameters(efficiency=0.5, energy_content=15.0))
    assert value == pytest.approx(90 - 40 / 0.5, abs=1e-9)


def test_a_leg_without_a_price_leaves_its_rows_without_a_value() -> None:
    bought = LegPrices(1.0, 1.0, 1.0, np.array([90.0, np.nan]), np.ones(2))
    sold = LegPrices(-1.0, 1.0, 2.0, np.array([40.0, 40.0]), np.ones(2))
    made = spread([bought, sold])
    assert made.value.tolist()[0] == 10.0
    assert np.isnan(made.value[1])
    assert made.contributions[1].tolist() == [-80.0, -80.0]


def test_the_bid_of_a_spread_sells_at_the_ask() -> None:
    assert [SpreadSide.BID.of_leg(weight) for weight in (1.0, -1.0)] == [SpreadSide.BID, SpreadSide.ASK]
    assert [SpreadSide.ASK.of_leg(weight) for weight in (1.0, -1.0)] == [SpreadSide.ASK, SpreadSide.BID]
    assert [side.of_leg(-1.0) for side in (SpreadSide.SETTLE, SpreadSide.MID)] == [SpreadSide.SETTLE, SpreadSide.MID]


def test_december_contracts_are_carried_flat_through_their_year() -> None:
    flat = Alignment.FLAT_DECEMBER
    assert december_weights(date(2025, 1, 1), date(2025, 4, 1), flat) == {2025: 1.0}
    winter = december_weights(date(2025, 10, 1), date(2026, 4, 1), flat)
    assert winter == {2025: pytest.approx(92 / 182), 2026: pytest.approx(90 / 182)}


def test_december_contracts_are_interpolated_between_their_contract_days() -> None:
    between = Alignment.INTERPOLATE
    assert december_weights(date(2025, 12, 15), date(2025, 12, 16), between) == {2025: 1.0}
    day = december_weights(date(2025, 6, 15), date(2025, 6, 16), between)
    share = (date(2025, 6, 15) - date(2024, 12, 15)).days / 365
    assert day == {2024: pytest.approx(1 - share), 2025: pytest.approx(share)}
    for first, end in ((date(2025, 1, 1), date(2026, 1, 1)), (date(2024, 2, 1), date(2027, 9, 1))):
        assert sum(december_weights(first, end, between).values()) == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="period"):
        december_weights(date(2025, 1, 1), date(2025, 4, 1), Alignment.PERIOD)


def test_templates_have_their_legs_and_an_unknown_one_names_the_nearest() -> None:
    names = [one.name for one in default_spread_templates()]
    assert names == ["spark", "clean_spark", "dark", "clean_dark", "crack", "basis", "calendar", "custom"]
    clean = spread_template("clean_spark")
    assert clean.required == ("efficiency", "emission_intensity")
    assert [(one.name, one.sign, one.use) for one in clean.legs] == [
        ("power", 1, LegUse.OUTPUT),
        ("gas", -1, LegUse.FUEL),
        ("emissions", -1, LegUse.EMISSIONS),
    ]
    assert spread_template("basis").required == ()
    for text, close in (("clean_sprak", "clean_spark"), ("Clean-Spark", "clean_spark"), ("crack spread", "crack")):
        with pytest.raises(UnknownName) as raised:
            spread_template(text)
        assert raised.value.nearest[0] == close


@pytest.mark.parametrize(
    "changes",
    [{"unit_of": "oil"}, {"legs": {"a": {"title": "a", "sign": 2}}}, {"legs": {"a": {"title": "a", "sign": 1, "use": "x"}}}],
)
def test_a_template_with_a_mistake_is_refused(changes: dict[str, object]) -> None:
    table = {"name": "x", "title": "x", "formula": "a", "legs": {"a": {"title": "a", "sign": 1}}}
    assert read_spread_template(table).legs[0].weight == 1.0
    with pytest.raises(InvalidDocument):
        read_spread_template(table | changes)
