"""Fuels and names of places that administrators mapped, over the tables of the release."""

from __future__ import annotations

import json

import polars as pl
import pytest

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import Spelling
from aurum.pipelines.fuels import with_mapped_fuels
from aurum.pipelines.places import with_place_names

FUEL, PLACE = MappingKind.FUEL, MappingKind.PLACE


def generation(*series: tuple[str, str | None, str | None]) -> pl.DataFrame:
    """Return series with a word of the operator, a fuel and its detail."""
    rows = [(json.dumps({"fuel_as_published": word}), fuel, detail) for word, fuel, detail in series]
    return pl.DataFrame(rows, schema=dict.fromkeys(("labels", "fuel", "fuel_detail"), pl.String), orient="row")


def at(*places: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        list(places), schema=dict.fromkeys(("location", "location_name", "location_type"), pl.String), orient="row"
    )


def test_a_mapped_word_gives_an_unmapped_series_its_fuel_in_any_spelling() -> None:
    series = generation(("Flux-Capacitor", "unmapped", None), ("flux  capacitor", "unmapped", None), ("Warp", "unmapped", None))
    spellings = [Spelling(FUEL, "nyiso", "flux capacitor", "solar/solar_pv")]
    fuels = with_mapped_fuels(series, "nyiso", spellings).select("fuel", "fuel_detail").rows()
    assert fuels == [("solar", "solar_pv"), ("solar", "solar_pv"), ("unmapped", None)]


@pytest.mark.parametrize(
    "spelling",
    [Spelling(FUEL, "pjm", "warp", "gas"), Spelling(FUEL, "nyiso", "hydro", "gas"), Spelling(PLACE, "nyiso", "warp", "gas")],
    ids=["of-another-source", "a-word-that-the-release-knows", "of-another-kind"],
)
def test_other_mappings_change_no_fuel(spelling: Spelling) -> None:
    series = generation(("Warp", "unmapped", None), ("Hydro", "hydro", "hydro_small"), ("Load", None, None))
    assert with_mapped_fuels(series, "nyiso", [spelling]).equals(series)


def test_names_of_places_come_from_the_file_then_from_the_table_then_from_mappings() -> None:
    series = at(("HB_NORTH", "", ""), ("HB_COAST", "", "hub"), ("HB_WEST", "As printed", ""), ("HB_MOON", "", ""))
    names = {"HB_NORTH": "Mapped", "HB_COAST": "Coast hub", "HB_WEST": "Mapped"}
    spellings = [Spelling(PLACE, "ercot", place, name) for place, name in names.items()]
    assert with_place_names(series, "ercot", spellings).rows() == [
        ("HB_NORTH", "North 345 kV hub", "hub"),
        ("HB_COAST", "Coast hub", "hub"),
        ("HB_WEST", "As printed", "hub"),
        ("HB_MOON", "", ""),
    ]


def test_a_source_without_a_table_has_the_mapped_names_alone() -> None:
    series = at(("A", "", ""), ("B", "", ""))
    spellings = [Spelling(PLACE, "plugin", "A", "Alpha"), Spelling(PLACE, "other", "B", "Beta")]
    assert with_place_names(series, "plugin", spellings)["location_name"].to_list() == ["Alpha", ""]
