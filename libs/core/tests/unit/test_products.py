from collections import Counter

import pytest

from aurum.core.curves.calendars import DeliveryCalendar, default_delivery_calendars, parse_delivery_calendar
from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import ReferenceNames, default_products, default_reference_names, read_product
from aurum.core.curves.products import Product, Weighting

PRODUCTS = {str(product.key): product for product in default_products()}
GERMAN = PRODUCTS["power:DE:peak:EEX"]


def test_keys_are_ascending_and_none_is_twice() -> None:
    keys = [product.key for product in default_products()]
    assert keys == sorted(set(keys))


def test_titles_name_one_product_each() -> None:
    titles = Counter(product.title for product in default_products())
    assert titles.most_common(1)[0][1] == 1
    assert not [title for title in titles if "{" in title or "  " in title or title.startswith(("?", ","))]


def test_seeded_products_are_read_from_their_documents() -> None:
    assert [read_product(product.to_document()) for product in default_products()] == list(default_products())


@pytest.mark.parametrize(
    ("key", "unit", "calendar", "block", "seasons"),
    [
        ("power:DE:base:EEX", "EUR/MWh", "eu_power", None, "europe"),
        ("power:FR:peak:EEX", "EUR/MWh", "eu_power", "PEAK", "europe"),
        ("power:GB:peak:EEX", "GBP/MWh", "gb_power", "PEAK", "europe"),
        ("power:DE:off_peak:EUGP", "EUR/MWh", "eu_power", "OFF_PEAK", "europe"),
        ("power:GB:base:RP", "GBP/MWh", "gb_power", None, "europe"),
        ("gas:TTF:base:EUGP", "EUR/MWh", "eu_gas", None, "europe"),
        ("gas:NBP:base:RP", "GBp/therm", "uk_gas", None, "europe"),
        ("gas:HH:base:NYMEX", "USD/MMBtu", "us_gas", None, "us_gas"),
        ("emissions:EUA:base:EUGP", "EUR/t", "emissions", None, None),
        ("emissions:UKA:base:ICE", "GBP/t", "emissions", None, None),
        ("oil:WTI:base:NYMEX", "USD/bbl", "oil", None, None),
        ("oil:Brent:base:ICE", "USD/bbl", "oil", None, None),
        ("spark:GB:peak:EUGP", "GBP/MWh", "gb_power", "PEAK", "europe"),
        ("power:PJM.WESTERN_HUB:peak:PW", "USD/MWh", "pjm_power", "ON_PEAK", "us_power"),
        ("power:CAISO.NP15:2x16:PW", "USD/MWh", "caiso_power", "1x16", "us_power"),
        ("power:ERCOT.NORTH:7x8:PW", "USD/MWh", "ercot_power", "7x8", "us_power"),
    ],
)
def test_terms_of_a_seeded_product(key: str, unit: str, calendar: str, block: str | None, seasons: str | None) -> None:
    product = PRODUCTS[key]
    assert (product.unit, product.calendar, product.block, product.seasons) == (unit, calendar, block, seasons)


def test_currencies_are_those_of_the_units() -> None:
    assert PRODUCTS["gas:NBP:base:RP"].currency == "GBP"
    assert {product.currency for product in default_products()} == {"EUR", "GBP", "USD"}


def test_strips_are_weighted_by_hours_of_power_and_by_days_of_anything_else() -> None:
    weightings = {(product.key.commodity, product.weighting) for product in default_products()}
    assert weightings == {
        ("power", Weighting.HOURS),
        ("spark", Weighting.HOURS),
        ("gas", Weighting.DAYS),
        ("oil", Weighting.DAYS),
        ("coal", Weighting.DAYS),
        ("emissions", Weighting.DAYS),
    }


def test_power_of_the_exchange_settles_on_the_auction_of_its_area() -> None:
    assert GERMAN.settles_on == "eex:day_ahead_auction:DE:price_60min"
    assert PRODUCTS["power:GB:base:EEX"].settles_on is None


def test_every_block_belongs_to_the_calendar_of_its_product() -> None:
    for product in default_products():
        is_base = product.key.block == "base"
        assert (product.block is None) is is_base, product.key
        assert is_base or parse_delivery_calendar(product.calendar).blocks is not None


def test_a_short_document_takes_the_usual_terms() -> None:
    document = {"key": "gas:TTF:base:MINE", "title": "TTF", "unit": "eur/mwh", "tick": 1, "calendar": "eu_gas"}
    assert read_product(document) == Product(
        CurveKey("gas", "TTF", "base", "MINE"), "TTF", "EUR", "EUR/MWh", 1.0, "eu_gas", weighting=Weighting.DAYS
    )


def short(key: str, calendar: str, **terms: object) -> dict[str, object]:
    return {"key": key, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": calendar, **terms}


@pytest.mark.parametrize(
    ("key", "calendar", "block"),
    [
        ("power:DE:peak:DESK", "eu_power", "PEAK"),
        ("power:DE:on_peak:DESK", "eu_power", "PEAK"),
        ("power:DE:off_peak:DESK", "eu_power", "OFF_PEAK"),
        ("power:DE:base:DESK", "eu_power", None),
        ("power:GB:efa3:DESK", "gb_power", "EFA3"),
        ("power:PJM.WESTERN_HUB:peak:DESK", "pjm_power", "ON_PEAK"),
        ("power:CAISO.SP15:2x16:DESK", "caiso_power", "1x16"),
        ("gas:TTF:base:DESK", "eu_gas", None),
        ("gas:TTF:weekend:DESK", "eu_gas", None),
    ],
)
def test_a_product_delivers_in_the_block_of_its_key(key: str, calendar: str, block: str | None) -> None:
    assert read_product(short(key, calendar)).block == block


def test_the_blocks_of_the_shipped_products_are_those_of_their_keys() -> None:
    for product in default_products():
        unstated = {name: value for name, value in product.to_document().items() if name != "block"}
        assert read_product(unstated) == product


def test_a_product_whose_block_is_null_delivers_in_all_hours() -> None:
    assert read_product(short("power:DE:peak:DESK", "eu_power", block=None)).block is None
    assert read_product(short("power:DE:weekend:DESK", "eu_power", block=None)).block is None


def test_a_key_with_a_block_that_the_calendar_lacks_needs_a_stated_one() -> None:
    with pytest.raises(InvalidDocument, match=r"it has PEAK, OFF_PEAK, BASE\. Send one of them, or null") as caught:
        read_product(short("power:DE:weekend:DESK", "eu_power"))
    assert caught.value.facts["field"] == "block"
    assert read_product(short("power:DE:weekend:DESK", "eu_power", block="off-peak")).block == "OFF_PEAK"


@pytest.mark.parametrize("spelling", ["PEAK", "peak", "5x12", "on-peak"])
def test_a_block_is_stored_by_its_own_name(spelling: str) -> None:
    assert read_product(GERMAN.to_document() | {"block": spelling}) == GERMAN


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"key": "power:DE"}, "key", "four parts"),
        ({"key": None}, "key", "is missing"),
        ({"title": ""}, "title", "must not be empty"),
        ({"title": "x" * 501}, "title", "500 characters"),
        ({"title": "two\nlines"}, "title", "one line"),
        ({"lot": "hidden\u200b"}, "lot", "can be seen"),
        ({"unit": "EUR/MWH/h"}, "unit", "unknown unit"),
        ({"unit": 1}, "unit", "must be a text"),
        ({"currency": "USD"}, "currency", "must be that of the unit EUR/MWh, EUR"),
        ({"currency": "euro"}, "currency", "ISO 4217"),
        ({"unit": "MWh"}, "unit", "must be a price of"),
        ({"key": "weather:DE:base:MINE", "unit": "MWh", "currency": "EUR"}, "currency", "has none"),
        ({"key": "rate:EUR:base:MINE"}, "unit", "must be a number without a unit"),
        ({"tick": 0}, "tick", "above 0"),
        ({"tick": -0.01}, "tick", "above 0"),
        ({"tick": "0.01"}, "tick", "above 0"),
        ({"tick": True}, "tick", "above 0"),
        ({"tick": float("inf")}, "tick", "above 0"),
        ({"tick": float("nan")}, "tick", "above 0"),
        ({"calendar": "eu_powr"}, "calendar", "eu_power"),
        ({"block": "5x16"}, "block", "5x12"),
        ({"calendar": "eu_gas"}, "block", "has no blocks"),
        ({"weighting": "volume"}, "weighting", "must be one of hours, days"),
        ({"seasons": "europa"}, "seasons", "europe"),
        ({"sessions": "EEX"}, "sessions", "XEEE"),
        ({"settles_on": "DE"}, "settles_on", "not a series key"),
        ({"lots": "1 MW"}, "lots", "unknown member"),
    ],
)
def test_a_wrong_document_is_refused_by_its_member(change: dict[str, object], field: str, why: str) -> None:
    with pytest.raises(InvalidDocument, match=why) as caught:
        read_product(GERMAN.to_document() | change)
    assert caught.value.facts["field"] == field
    assert caught.value.facts["document"] == "product"


def test_a_product_may_name_the_reference_data_of_a_user() -> None:
    default = default_reference_names()
    own = DeliveryCalendar("mine", "Days of Warsaw", "Europe/Warsaw", blocks="entsoe")
    names = ReferenceNames((own, *default_delivery_calendars()), default.blocks, ("quarters",), ("TGE",))
    document = GERMAN.to_document() | {"calendar": "mine", "seasons": "quarters", "sessions": "TGE"}
    assert read_product(document, names=names).calendar == "mine"
    with pytest.raises(InvalidDocument, match="mine"):
        read_product(document)
