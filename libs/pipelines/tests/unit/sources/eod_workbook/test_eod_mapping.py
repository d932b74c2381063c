"""The mapping agrees with the products of the reference data, and no spelling stands for two places."""

from __future__ import annotations

from itertools import combinations

import pytest

from aurum.core.curves.broker_labels import Curve, Scheme, Unmapped, Venue, folded, venues
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import default_products

PRODUCTS = {product.key: product for product in default_products()}


def curves_of(venue: Venue) -> list[Curve]:
    entries = venue.scheme.entries
    return [entry.curve(block, venue.name) for entry in entries for block in sorted(entry.blocks)]


@pytest.mark.parametrize("venue", venues().values(), ids=lambda venue: venue.name)
def test_every_curve_of_the_mapping_is_a_product_with_its_unit_and_seasons(venue: Venue) -> None:
    for curve in curves_of(venue):
        product = PRODUCTS.get(curve.key)
        assert product is not None, f"{curve.key} is not a product"
        assert (product.unit, product.seasons or "") == (curve.unit, curve.seasons), curve.key


@pytest.mark.parametrize("venue", venues().values(), ids=lambda venue: venue.name)
def test_every_product_of_a_broker_can_be_named_by_labels(venue: Venue) -> None:
    quoted = {str(product) for product in PRODUCTS if product.venue == venue.name}
    assert {str(curve.key) for curve in curves_of(venue)} == quoted


@pytest.mark.parametrize(
    "scheme", {venue.scheme.name: venue.scheme for venue in venues().values()}.values(), ids=lambda s: s.name
)
def test_no_location_is_spelt_as_another_one_of_its_place_and_kind(scheme: Scheme) -> None:
    for one, other in combinations(scheme.entries, 2):
        if (one.place, one.kind) == (other.place, other.kind):
            assert not one.locations & other.locations, (one.area, other.area)


@pytest.mark.parametrize(
    ("venue", "labels", "key"),
    [
        ("EUGP", ("Great_Britian", "GB", "Power", "Peak"), "power:GB:peak:EUGP"),
        ("EUGP", ("United Kingdom", "National Balancing Point", "natural_gas", "Baseload"), "gas:NBP:base:EUGP"),
        ("RP", ("Great Britain", "UKA", "Emissions", ""), "emissions:UKA:base:RP"),
        ("RP", ("", "TTF", "Gas", ""), "gas:TTF:base:RP"),
        ("RP", ("Continental Europe", "France", "Power", "Peakload"), "power:FR:peak:RP"),
        ("RP", ("Europe", "NBP", "Gas", "Flat"), "gas:NBP:base:RP"),
        ("PW", ("ERCOT", "HB_NORTH", "Real Time", "5x16"), "power:ERCOT.NORTH:peak:PW"),
        ("PW", ("CAISO", "SP15", "Day-Ahead", "6x16"), "power:CAISO.SP15.DA:peak:PW"),
        ("PW", ("SPP", "North Hub", "DA", "7x8"), "power:SPP.NORTH_HUB.DA:7x8:PW"),
        ("PW", ("", "Western Hub", "Day-Ahead", "ATC"), "power:PJM.WESTERN_HUB.DA:base:PW"),
    ],
)
def test_labels_name_a_curve(venue: str, labels: tuple[str, str, str, str], key: str) -> None:
    broker = venues()[venue]
    curve = broker.scheme.curve_of(dict(zip(broker.scheme.headers, labels, strict=True)), venue)
    assert isinstance(curve, Curve)
    assert curve.key == CurveKey.parse(key)


def test_a_hub_that_two_operators_have_needs_its_operator() -> None:
    broker = venues()["PW"]
    labels = dict(zip(broker.scheme.headers, ("", "West Hub", "RT", "Peak"), strict=True))
    curve = broker.scheme.curve_of(labels, "PW")
    assert isinstance(curve, Unmapped)
    assert "ERCOT.WEST, PJM.WESTERN_HUB" in curve.why


def test_a_location_outside_the_region_of_several_countries_is_not_guessed() -> None:
    broker = venues()["EUGP"]
    labels = dict(zip(broker.scheme.headers, ("Continental Europe", "NBP", "Gas", ""), strict=True))
    assert isinstance(broker.scheme.curve_of(labels, "EUGP"), Unmapped)


def test_folding_ignores_case_blanks_and_punctuation_and_nothing_else() -> None:
    assert folded("  Great_Britain ") == folded("GREAT  BRITAIN") == "great britain"
    assert folded("Off-Peak") == "off peak"
    assert folded("NBP") != folded("N8P")
