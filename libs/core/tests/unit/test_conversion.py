import numpy as np
import polars as pl
import pytest

from aurum.core.errors import Invalid, UnknownName
from aurum.core.units import IncompatibleUnits, conversion_factor, convert, in_currency, parse_unit


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("MWh", "MMBtu", 3.412141633),
        ("MWh", "therm", 34.12141633),
        ("bbl", "gal", 42),
        ("USD/gal", "USD/bbl", 42),
        ("USD/MMBtu", "USD/MWh", 3.412141633),
        ("GBp/therm", "GBP/MWh", 0.3412141633),
        ("USc/kWh", "USD/MWh", 10),
        ("USD/MWh", "USD/kWh", 0.001),
        ("USD/kW-month", "USD/MW-month", 1000),
        ("USD/kW-month", "USD/kW-year", 12),
        ("USD/MW-day", "USD/kW-day", 0.001),
        ("GBP", "GBp", 100),
        ("GW", "kW", 1_000_000),
        ("GJ", "kWh", 277.777777778),
        ("Bcf", "Mcf", 1_000_000),
        ("m3", "Mcf", 0.0353146667),
        ("short ton", "lb", 2000),
        ("t", "lb", 2204.62262185),
        ("in", "mm", 25.4),
        ("m/s", "km/h", 3.6),
        ("mph", "m/s", 0.44704),
        ("percent", "ratio", 0.01),
        ("Bcf/d", "MMcf/d", 1000),
    ],
)
def test_factors(source: str, target: str, factor: float) -> None:
    assert conversion_factor(parse_unit(source), parse_unit(target)) == pytest.approx(factor, rel=1e-9)


def test_factors_of_ten_are_exact() -> None:
    assert conversion_factor(parse_unit("USc/kWh"), parse_unit("USD/MWh")) == 10.0
    assert conversion_factor(parse_unit("kWh"), parse_unit("MWh")) == 0.001


@pytest.mark.parametrize(("celsius", "fahrenheit"), [(100.0, 212.0), (0.0, 32.0), (-40.0, -40.0), (37.0, 98.6)])
def test_temperatures_have_an_offset(celsius: float, fahrenheit: float) -> None:
    assert convert(celsius, parse_unit("degC"), parse_unit("degF")) == pytest.approx(fahrenheit, abs=1e-12)
    assert convert(fahrenheit, parse_unit("degF"), parse_unit("degC")) == pytest.approx(celsius, abs=1e-12)


def test_absolute_zero() -> None:
    assert convert(-273.15, parse_unit("degC"), parse_unit("K")) == 0


def test_temperatures_have_no_factor() -> None:
    with pytest.raises(IncompatibleUnits, match="use convert"):
        conversion_factor(parse_unit("degC"), parse_unit("degF"))
    assert conversion_factor(parse_unit("degC"), parse_unit("degC")) == 1


def test_columns_arrays_and_expressions_convert_alike() -> None:
    celsius, fahrenheit = parse_unit("degC"), parse_unit("degF")
    values = [0.0, 100.0]
    assert convert(pl.Series(values), celsius, fahrenheit).to_list() == [32.0, 212.0]
    assert convert(np.array(values), celsius, fahrenheit).tolist() == [32.0, 212.0]
    frame = pl.DataFrame({"value": values}).with_columns(convert(pl.col("value"), celsius, fahrenheit))
    assert frame["value"].to_list() == [32.0, 212.0]


def test_withdrawn_values_stay_nan() -> None:
    assert convert(pl.Series([float("nan")]), parse_unit("MWh"), parse_unit("GWh")).is_nan().all()


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("MWh", "MW", "energy is not power"),
        ("USD/MWh", "MWh", "price of energy is not energy"),
        ("USD/MWh", "EUR/MWh", "USD to EUR takes an exchange rate"),
        ("USD/MW-day", "USD/kW-month", "capacity by day is not"),
        ("percent", "index", "ratio is not index"),
        ("USD/bbl", "USD/t", "price of volume is not price of mass"),
    ],
)
def test_incompatible_units_say_why(source: str, target: str, why: str) -> None:
    with pytest.raises(IncompatibleUnits, match=why) as caught:
        convert(1.0, parse_unit(source), parse_unit(target))
    assert isinstance(caught.value, Invalid)
    assert caught.value.facts == {"source": source, "target": target}


def test_unit_in_another_currency_keeps_what_it_is_a_price_of() -> None:
    assert in_currency(parse_unit("GBp/therm"), "EUR").text == "EUR/therm"
    assert in_currency(parse_unit("USD"), "CAD").text == "CAD"


def test_unit_without_money_has_no_other_currency() -> None:
    with pytest.raises(IncompatibleUnits):
        in_currency(parse_unit("MWh"), "EUR")
    with pytest.raises(UnknownName):
        in_currency(parse_unit("USD/MWh"), "XXX")
