"""Spreads over HTTP: every leg with its prices, in every format, as of any instant, for each tenant its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from api_curves import BASE, Desk, Desks

PATH = "/v2/curves/spread"
GAS, EUA, POWER = "gas:TTF:base:DESK", "emissions:EUA:base:DESK", "power:DE:base:DESK"
PRODUCTS = {GAS: ("EUR/MWh", "eu_gas"), EUA: ("EUR/t", "emissions"), POWER: ("EUR/MWh", "eu_power")}
LEGS = {"power": {"curve": POWER}, "gas": {"curve": GAS}, "emissions": {"curve": EUA}}
PLANT = {"efficiency": 0.5, "heating_value": "LHV", "emission_intensity": 0.202}
CLEAN = {"template": "clean_spark", "legs": LEGS, "periods": ["Q1-25"], "parameters": PLANT, "trade_date": "2024-10-14"}
INLINE = {
    "template": "clean_dark",
    "legs": {
        "power": {"value": 90.84, "unit": "EUR/MWh"},
        "coal": {"value": 110, "unit": "USD/t"},
        "emissions": {"value": 65.0, "unit": "EUR/t"},
    },
    "parameters": {"efficiency": 0.38, "emission_intensity": 0.341},
    "fx": {"kind": "rate", "rate": 1.1, "pair": "EURUSD"},
}


def quote(key: str, period: str, settle: float, **more: object) -> dict[str, object]:
    row: dict[str, object] = {"trade_date": "2024-10-14", "product": key, "period": period, "settle": settle}
    return row | {"known_at": "2024-10-14T16:30:00Z"} | more


async def add_own(desk: Desk) -> None:
    """Add products of the desk, and quotes of them."""
    for key, (unit, calendar) in PRODUCTS.items():
        document = {"key": key, "title": "Own", "unit": unit, "tick": 0.01, "calendar": calendar}
        added = await desk.send("POST", "/v2/products", json=document)
        assert added.status_code == 201, added.text
    rows = [
        quote(POWER, "Q1-25", 90.84, bid=90.0, ask=91.0),
        quote(GAS, "Q1-25", 40.0, bid=39.5, ask=40.5),
        quote(EUA, "Dec-25", 65.0, bid=64.0, ask=66.0),
        quote(POWER, "Q2-25", 80.0),
    ]
    stored = await desk.send("POST", "/v2/curves/quotes", json={"data": rows})
    assert stored.status_code == 200, stored.text


async def row_of(desk: Desk, body: Mapping[str, object]) -> dict[str, Any]:
    response = await desk.send("POST", PATH, json=body)
    assert response.status_code == 200, response.text
    (row,) = response.json()["data"]
    return row


async def test_a_clean_spark_spread_shows_every_leg(desks: Desks) -> None:
    desk = desks.of()
    await add_own(desk)
    response = await desk.send("POST", PATH, json=CLEAN)
    assert response.status_code == 200, response.text
    (row,), meta = response.json()["data"], response.json()["meta"]
    assert row["value"] == pytest.approx(-15.42, abs=1e-9)
    assert (row["trade_date"], row["period"]["label"], row["period"]["hours"]) == ("2024-10-14", "Q1-25", 2159)
    assert (row["unit"], row["currency"], row["reason"]) == ("EUR/MWh", "EUR", None)
    assert row["implied_heat_rate"] == pytest.approx(90.84 / 40)
    power, gas, emissions = row["legs"]
    assert (power["method"], power["weight"], power["contribution"]) == ("quoted", 1.0, 90.84)
    assert gas == {
        "name": "gas",
        "curve": GAS,
        "period": None,
        "price": 40.0,
        "price_from": "settle",
        "unit": "EUR/MWh",
        "method": "quoted",
        "contracts": None,
        "fx": None,
        "converted": 40.0,
        "converted_unit": "EUR/MWh",
        "factors": {"unit": 1.0, "heat_rate": 2.0},
        "factor": 2.0,
        "weight": -1.0,
        "contribution": -80.0,
        "reason": None,
    }
    assert emissions["contracts"] == [{"contract": "Dec-25", "weight": 1.0, "price": 65.0, "in_place_of": None}]
    assert emissions["factors"] == {"unit": 1.0, "heat_rate": 2.0, "emission_intensity": 0.202}
    assert sum(leg["contribution"] for leg in row["legs"]) == pytest.approx(row["value"], abs=1e-12)
    assert meta["parameters"] == {
        "efficiency": 0.5,
        "heat_rate": 2.0,
        "heat_rate_unit": "MWh/MWh",
        "heating_value": "LHV",
        "fuel_heating_value": "LHV",
        "lhv_to_hhv": None,
        "emission_intensity": 0.202,
        "emission_heating_value": "LHV",
    }
    assert (meta["count"], meta["alignment"], meta["side"]) == (1, "flat_december", "settle")
    assert "carried flat" in meta["notes"][0]
    assert [one["key"] for one in meta["curves"]] == [POWER, GAS, EUA]


async def test_the_bid_of_a_spread_pays_the_asks_of_what_it_sells(desks: Desks) -> None:
    desk = desks.of()
    await add_own(desk)
    values = {side: (await row_of(desk, CLEAN | {"side": side}))["value"] for side in ("bid", "settle", "mid", "ask")}
    assert values["bid"] == pytest.approx(90.0 - 81.0 - 66 * 0.404)
    assert values["ask"] == pytest.approx(91.0 - 79.0 - 64 * 0.404)
    assert values["mid"] == pytest.approx((values["bid"] + values["ask"]) / 2)
    assert values["bid"] < values["settle"] < values["ask"]


async def test_prices_of_a_request_need_no_curve(desks: Desks) -> None:
    row = await row_of(desks.of(), INLINE)
    assert row["value"] == pytest.approx(-5.201457362236205, rel=1e-9)
    assert (row["trade_date"], row["period"]) == (None, None)
    coal = row["legs"][1]
    assert coal["converted"] == pytest.approx(14.330753797649756, rel=1e-9)
    assert coal["fx"] == {"kind": "rate", "pair": "EURUSD", "rate": 1.1, "date": None}
    named = await row_of(desks.of(), INLINE | {"periods": ["Q1-25"]})
    assert (named["period"]["label"], named["value"]) == ("Q1-25", row["value"])


async def test_a_spread_comes_in_every_format(desks: Desks) -> None:
    desk = desks.of()
    await add_own(desk)
    many = CLEAN | {"periods": ["Q1-25", "Q2-25"]}
    csv = pl.read_csv(io.BytesIO((await desk.send("POST", PATH, json=many | {"format": "csv"})).content))
    assert csv["period"].to_list() == ["Q1-25", "Q2-25"]
    assert csv["value"].to_list() == [pytest.approx(-15.42), None]
    assert csv["gas_contribution"].to_list() == [-80.0, None]
    assert csv["emissions_contracts"].to_list() == ["Dec-25 x 1.0"] * 2
    assert csv["reason"].to_list() == ["", "gas: no priced quote covers any of Q2-25"]
    for name, read in (("arrow", pl.read_ipc_stream), ("parquet", pl.read_parquet), ("ndjson", pl.read_ndjson)):
        content = (await desk.send("POST", PATH, json=many | {"format": name})).content
        assert read(io.BytesIO(content))["value"].to_list() == [pytest.approx(-15.42), None], name
    columns = (await desk.send("POST", PATH, json=many | {"layout": "columns"})).json()["data"]
    assert columns["reason"] == [None, "gas: no priced quote covers any of Q2-25"]
    assert [leg["price"] for leg in columns["legs"][0]] == [90.84, 40.0, 65.0]
    alone = await desk.send("POST", PATH, json=INLINE | {"format": "csv"})
    assert alone.status_code == 200, alone.text
    assert pl.read_csv(io.BytesIO(alone.content))["coal_fx_rate"].to_list() == [1.1]


async def test_a_spread_through_trade_dates_and_as_of_an_instant(desks: Desks) -> None:
    desk = desks.of()
    body = {
        "template": "calendar",
        "legs": {"near": {"curve": BASE, "period": "Q1-25"}, "far": {"period": "Q2-25"}},
        "from": "2024-10-11",
    }
    rows = (await desk.send("POST", PATH, json=body)).json()["data"]
    assert [row["trade_date"] for row in rows] == ["2024-10-11", "2024-10-14"]
    assert [row["value"] for row in rows] == [None, pytest.approx(98.31 - 79.0)]
    assert rows[0]["reason"] == "far: no priced quote covers any of Q2-25"
    before = (await desk.send("POST", PATH, json=body | {"as_of": "2024-10-15T08:59:59Z"})).json()["data"]
    assert before[1]["value"] == pytest.approx(98.31 - 78.48)
    newest = await row_of(desk, {name: body[name] for name in ("template", "legs")})
    assert newest["value"] == pytest.approx(rows[1]["value"])


async def test_another_tenant_learns_nothing_of_own_products(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    await add_own(acme)
    first = await acme.send("POST", PATH, json=CLEAN)
    other = await bolt.send("POST", PATH, json=CLEAN)
    assert (first.status_code, other.status_code) == (200, 404)
    assert first.headers["cache-control"] == "private, no-cache"
    shared = {"template": "custom", "legs": {"a": {"curve": BASE}}, "periods": ["Q1-25"]}
    tags = [(await desk.send("POST", PATH, json=shared)).headers["etag"] for desk in (acme, bolt)]
    assert tags[0] == tags[1]
    again = await acme.send("POST", PATH, json=CLEAN)
    assert again.headers["etag"] == first.headers["etag"]
    await acme.send("POST", "/v2/curves/quotes", json={"data": [quote(GAS, "Q1-25", 41.0, known_at="2024-10-15T08:00:00Z")]})
    corrected = await acme.send("POST", PATH, json=CLEAN)
    assert corrected.headers["etag"] != first.headers["etag"]
    assert corrected.json()["data"][0]["value"] == pytest.approx(-17.42, abs=1e-9)
    assert (await row_of(acme, CLEAN | {"as_of": "2024-10-15T07:59:59Z"}))["value"] == pytest.approx(-15.42, abs=1e-9)


async def test_templates_are_listed(desks: Desks) -> None:
    data = await desks.of().rows("/v2/curves/spread-templates")
    by_name = {one["name"]: one for one in data}
    assert list(by_name) == ["spark", "clean_spark", "dark", "clean_dark", "crack", "basis", "calendar", "custom"]
    dark = by_name["clean_dark"]
    assert [leg["name"] for leg in dark["legs"]] == ["power", "coal", "emissions"]
    assert dark["required"] == ["efficiency", "emission_intensity"]
    assert dark["defaults"]["energy_content"] == 6.978
    assert [leg["weight"] for leg in by_name["crack"]["legs"]] == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"template": "clean_sprak"}, "template"),
        ({"legs": {}}, "legs"),
        ({"legs": {"Power": {"curve": BASE}}}, "legs.Power"),
        ({"legs": LEGS | {"gas": {"curve": GAS, "side": "bid"}}}, "legs.gas.side"),
        ({"legs": INLINE["legs"] | {"coal": {"value": "110", "unit": "USD/t"}}}, "legs.coal.value"),
        ({"legs": INLINE["legs"] | {"coal": {"value": 110, "unit": "USD/bbl"}}}, "legs.coal.unit"),
        ({"parameters": {"efficiency": 0.38}}, "parameters.emission_intensity"),
        ({"parameters": {"efficiency": True, "emission_intensity": 0.3}}, "parameters.efficiency"),
        ({"parameters": PLANT | {"heating_value": "NCV"}}, "parameters.heating_value"),
        ({"parameters": PLANT | {"fuel_heating_value": "HHV"}}, "parameters.lhv_to_hhv"),
        ({"fx": {"kind": "rate", "rate": 0, "pair": "EURUSD"}}, "fx.rate"),
        ({"fx": {"kind": "curve"}}, "fx.curve"),
        ({"fx": {}}, "fx"),
        ({"side": "offer"}, "side"),
        ({"alignment": "flat"}, "alignment"),
        ({"periods": ["Q1-25"] * 201}, "periods"),
        ({"periods": ["Q7-25"]}, "periods"),
        ({"weights": {}}, "weights"),
        ({"trade_date": "2018-02-30"}, "trade_date"),
    ],
)
async def test_a_wrong_member_is_named(desks: Desks, changes: dict[str, Any], field: str) -> None:
    response = await desks.of().send("POST", PATH, json=INLINE | changes)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"].startswith(field), response.text
    assert "[" not in response.json()["errors"][0]["field"], "a word of the code"


async def test_an_unknown_template_names_the_nearest(desks: Desks) -> None:
    response = await desks.of().send("POST", PATH, json=INLINE | {"template": "clean_drak"})
    assert response.json()["nearest"][0] == "clean_dark"


async def test_reading_needs_the_scope(desks: Desks) -> None:
    market = desks.of(role="market")
    assert (await market.send("POST", PATH, json=INLINE)).status_code == 403
    assert (await market.get("/v2/curves/spread-templates")).status_code == 403
    assert (await desks.served.client.post(PATH, json=INLINE)).status_code == 401
