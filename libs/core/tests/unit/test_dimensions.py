"""Kinds, market runs and fuels, and the operators' words for them."""

import pytest

from aurum.core.catalog.dimensions import (
    FUEL_DETAILS,
    Fuel,
    Kind,
    MarketRun,
    parse_fuel,
    parse_kind,
    parse_market_run,
    stored_fuel,
    stored_kind,
    stored_market_run,
)
from aurum.core.catalog.fuels import UNMAPPED, FuelWord, folded, fuel_table, fuel_word, slug
from aurum.core.errors import UnknownName


@pytest.mark.parametrize(
    ("operator", "word", "meaning"),
    [
        ("pjm", "Multiple Fuels", FuelWord(Fuel.FOSSIL_OTHER, "multiple_fuels")),
        ("isone", "Wood", FuelWord(Fuel.BIOMASS, "wood")),
        ("isone", "Renewables", FuelWord(None, kind=Kind.GENERATION)),
        ("nyiso", "Dual Fuel", FuelWord(Fuel.DUAL_FUEL)),
        ("caiso", "Imports", FuelWord(None, kind=Kind.FLOW)),
        ("caiso", "SMALL HYDRO", FuelWord(Fuel.HYDRO, "hydro_small")),
        ("ercot", "Gas-CC", FuelWord(Fuel.GAS, "gas_ccgt")),
        ("ercot", "WSL", FuelWord(Fuel.BATTERY, kind=Kind.LOAD)),
        ("spp", "Coal Self", FuelWord(Fuel.COAL)),
        ("eia", "WND", FuelWord(Fuel.WIND)),
        ("entsoe", "B18", FuelWord(Fuel.WIND, "wind_offshore")),
        ("elexon", "INTFR", FuelWord(None, kind=Kind.FLOW)),
        ("aemo", "pumps", FuelWord(Fuel.PUMPED_STORAGE, kind=Kind.LOAD)),
        ("japan", "太陽光出力制御量", FuelWord(None, kind=Kind.CURTAILMENT)),
        ("epias", "importCoal", FuelWord(Fuel.COAL, "hard_coal")),
        ("miso", "Antimatter", UNMAPPED),
        ("spp", "Flux Capacitor", UNMAPPED),
    ],
)
def test_the_word_of_an_operator_has_one_meaning(operator: str, word: str, meaning: FuelWord) -> None:
    assert fuel_word(operator, word) == meaning


@pytest.mark.parametrize("word", ["dual fuel", "DUAL FUEL", " Dual  Fuel ", "Dual-Fuel", "dual_fuel", "Ｄｕａｌ Ｆｕｅｌ"])
def test_the_spelling_of_a_word_makes_no_difference(word: str) -> None:
    assert fuel_word("nyiso", word).fuel is Fuel.DUAL_FUEL


def test_brackets_of_full_and_of_half_width_are_the_same() -> None:
    assert fuel_word("japan", "火力（ＬＮＧ）") == fuel_word("japan", "火力(LNG)") == FuelWord(Fuel.GAS)


def test_an_operator_without_a_table_is_an_error_and_not_an_unmapped_fuel() -> None:
    with pytest.raises(UnknownName, match="unknown operator 'nyso'; nearest: nyiso"):
        fuel_word("nyso", "Wind")


def test_every_word_has_a_fuel_or_a_kind() -> None:
    for operator, words in fuel_table().items():
        for word, meaning in words.items():
            assert meaning.fuel is not None or meaning.kind is not None, (operator, word)
            assert meaning.fuel is not Fuel.UNMAPPED, (operator, word)


def test_every_operator_of_the_table_that_has_wind_calls_it_wind() -> None:
    with_wind = {operator for operator, words in fuel_table().items() if any(one.fuel is Fuel.WIND for one in words.values())}
    assert set(fuel_table()) - with_wind == set()


def test_a_detail_belongs_to_one_fuel() -> None:
    details = [detail for of_fuel in FUEL_DETAILS.values() for detail in of_fuel]
    assert len(details) == len(set(details))


@pytest.mark.parametrize(
    ("word", "name"), [("Flux Capacitor", "flux_capacitor"), ("Énergie (autre)", "energie_autre"), ("B99", "b99")]
)
def test_a_slug_is_a_part_of_a_measure(word: str, name: str) -> None:
    assert slug(word) == name


def test_words_without_latin_letters_have_slugs_of_their_own() -> None:
    assert len({slug("核融合"), slug("反物質")}) == 2
    assert folded("核融合") == "核融合"


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_kind, "prise", "unknown kind 'prise'; nearest: price"),
        (parse_market_run, "real-tme", "unknown market_run 'real-tme'; nearest: real_time"),
        (parse_fuel, "zzz", "unknown fuel 'zzz'; nearest: coal, gas"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_ones(parse: type, text: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        parse(text)


def test_names_of_a_newer_release_are_read_without_failure() -> None:
    assert (stored_kind("price"), stored_kind("invented"), stored_kind(None)) == (Kind.PRICE, Kind.OTHER, Kind.OTHER)
    assert (stored_market_run("day_ahead"), stored_market_run("invented")) == (MarketRun.DAY_AHEAD, None)
    assert (stored_fuel("wind"), stored_fuel("invented"), stored_fuel(None)) == (Fuel.WIND, Fuel.UNMAPPED, None)
