import subprocess
import sys

import pytest

from aurum.core.errors import UnknownName
from aurum.core.units import known_currencies, known_units, parse_unit


@pytest.mark.parametrize(
    ("text", "canonical", "currency", "dimension"),
    [
        ("$/MWh", "USD/MWh", "USD", "price of energy"),
        ("$/MWHr", "USD/MWh", "USD", "price of energy"),
        ("US$/MWh", "USD/MWh", "USD", "price of energy"),
        ("dollars per megawatthour", "USD/MWh", "USD", "price of energy"),
        ("EUR / MWH", "EUR/MWh", "EUR", "price of energy"),
        ("c/kWh", "USc/kWh", "USD", "price of energy"),
        ("cents per kilowatthour", "USc/kWh", "USD", "price of energy"),
        ("p/th", "GBp/therm", "GBP", "price of energy"),
        ("$/mmbtu", "USD/MMBtu", "USD", "price of energy"),
        ("dollars per million Btu", "USD/MMBtu", "USD", "price of energy"),
        ("$/kW-mo", "USD/kW-month", "USD", "price of capacity by month"),
        ("$/MW/day", "USD/MW-day", "USD", "price of capacity by day"),
        ("$/barrel", "USD/bbl", "USD", "price of volume"),
        ("€/tCO2", "EUR/t", "EUR", "price of mass"),
        ("USD/EUR", "USD/EUR", "USD", "exchange rate"),
        ("eur", "EUR", "EUR", "money"),
        ("MAW", "MW", None, "power"),
        ("thousand megawatthours", "GWh", None, "energy"),
        ("billion cubic feet", "Bcf", None, "volume"),
        ("°F", "degF", None, "temperature"),
        ("C", "degC", None, "temperature"),
        ("c", "USc", "USD", "money"),
        ("%", "percent", None, "ratio"),
        ("km/hr", "km/h", None, "speed"),
        ("thousand barrels per day", "kbbl/d", None, "volume per day"),
    ],
)
def test_spellings_seen_in_the_wild(text: str, canonical: str, currency: str | None, dimension: str) -> None:
    unit = parse_unit(text)
    assert (unit.text, unit.currency, unit.dimension) == (canonical, currency, dimension)
    assert str(unit) == canonical


PRICES = ["USD/MWh", "EUR/MWh", "CAD/MWh", "GBP/MWh", "AUD/MWh", "CZK/MWh", "USD/kWh", "GBp/therm", "USD/MMBtu", "USD/kW-month"]
PRICES += ["USD/MW-day", "USD/bbl", "USD/gal", "USD/t", "EUR/t"]
ENERGY = ["MW", "kW", "GW", "MWh", "kWh", "GWh", "MMBtu", "therm", "Bcf", "Mcf"]
OTHERS = ["percent", "index", "degC", "degF", "mm", "in", "m/s", "km/h"]


@pytest.mark.parametrize("text", PRICES + ENERGY + OTHERS)
def test_units_that_must_be_known_are_listed_under_their_canonical_text(text: str) -> None:
    assert parse_unit(text).text == text
    assert text in {info.text for info in known_units()}


def test_catalog_lists_each_unit_once() -> None:
    texts = [info.text for info in known_units()]
    assert len(texts) == len(set(texts))


def test_every_spelling_of_the_catalog_means_the_unit_it_is_listed_with() -> None:
    for info in known_units():
        for spelling in (info.text, *info.aliases):
            unit = parse_unit(spelling)
            assert (spelling, unit.text) == (spelling, info.text)
            assert (unit.dimension, unit.currency) == (info.dimension, info.currency)


def test_currencies_are_listed_with_their_hundredths() -> None:
    majors = {currency.code: currency.major for currency in known_currencies()}
    assert majors["EUR"] == "EUR"
    assert majors["GBp"] == "GBP"
    assert majors["USc"] == "USD"


def test_any_two_currencies_make_an_exchange_rate() -> None:
    assert parse_unit("JPY/EUR").dimension == "exchange rate"


@pytest.mark.parametrize("text", ["", "foo", "USD/degC", "EUR/EUR", "GBP/GBp", "USD/", "/MWh", "USD/MWh/MWh", "MWh/USD"])
def test_a_text_that_is_not_a_unit_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse_unit(text)
    assert caught.value.name == text
    assert caught.value.kind == "unit"


def test_case_that_distinguishes_pounds_from_pence_is_never_guessed() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_unit("gbp/therm")
    assert {"GBP/therm", "GBp/therm"} <= set(caught.value.nearest)


def test_misspelt_unit_names_the_nearest_each_once() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_unit("USD/MWhh")
    assert caught.value.nearest[0] == "USD/MWh"
    assert len(set(caught.value.nearest)) == len(caught.value.nearest)


@pytest.mark.needs_process
def test_importing_and_parsing_units_does_not_wait_for_pint() -> None:
    code = "import sys, aurum.core.units as u; u.parse_unit('$/MWh'); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
