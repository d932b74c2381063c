"""Products, quotes and calendars that tenants and administrators write: each tenant sees its own and the shared ones."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from api_curves import BASE, OWN, Desk, Desks

from aurum.api.http.problems import InvalidParameters
from aurum.api.v2.curves.upload import rows_of_body

NEW = {"key": OWN, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "seasons": "europe"}
ROW = {"trade_date": "2024-10-14", "product": OWN, "period": "Q1-25", "settle": 97.0}
CSV = {"content-type": "text/csv"}
CALENDAR = {"name": "desk_power", "title": "Days of the desk", "zone": "Europe/Paris", "day_start": "06:00", "blocks": "entsoe"}
SHAPE = {"name": "flat", "mean": 50.0, "means": [[[50.0] * 24] * 3]}


async def add(desk: Desk, **changed: object) -> httpx.Response:
    return await desk.send("POST", "/v2/products", json=NEW | changed)


NOT_FLAGGED: dict[str, Any] = {"flagged_curves": 0, "quote_flags": []}


async def send(desk: Desk, *rows: dict[str, Any]) -> httpx.Response:
    return await desk.send("POST", "/v2/curves/quotes", json={"data": list(rows)})


def without_id(response: httpx.Response) -> tuple[int, dict[str, Any]]:
    document = response.json()
    del document["request_id"]
    return response.status_code, document


async def test_a_tenant_declares_quotes_and_reads_its_own_product(desks: Desks) -> None:
    desk = desks.of("acme")
    added = await add(desk)
    assert added.status_code == 201, added.text
    terms = {"key": OWN, "owner": "tenant", "currency": "EUR", "weighting": "hours", "version": 1}
    assert terms.items() <= added.json()["data"].items()
    stored = await send(desk, ROW, ROW | {"period": "Q2-25", "settle": None, "bid": 70.0, "ask": 71.0})
    assert stored.json()["data"] == {"new": 2, "revised": 0, "unchanged": 0} | NOT_FLAGGED, stored.text
    rows = await desk.rows(f"/v2/curves/{OWN}/quotes", fields="settle,bid,mid")
    first, second = ((row["period"]["label"], row["settle"], row["mid"]) for row in rows)
    assert (first, second) == (("Q1-25", 97.0, None), ("Q2-25", None, 70.5))
    again = await send(desk, ROW)
    assert again.json()["data"] == {"new": 0, "revised": 0, "unchanged": 1} | NOT_FLAGGED
    corrected = await send(desk, ROW | {"settle": 97.5})
    assert corrected.json()["data"] == {"new": 0, "revised": 1, "unchanged": 0} | NOT_FLAGGED
    history = await desk.rows(f"/v2/curves/{OWN}/history", period="Q1-25", fields="settle")
    assert [row["settle"] for row in history] == [97.5]


@pytest.mark.parametrize("text", ["2024-10-14T18:00:00", "2024-10-14T18:00", "2024-10-14"])
async def test_a_known_time_without_an_offset_is_refused(desks: Desks, text: str) -> None:
    desk = desks.of("acme")
    await add(desk)
    csv = f"trade_date,product,period,settle,known_at\n2024-10-14,{OWN},Q1-25,97,{text}\n"
    for answer in (
        await send(desk, ROW | {"known_at": text}),
        await desk.send("POST", "/v2/curves/quotes", content=csv.encode(), headers=CSV),
    ):
        assert answer.status_code == 422, answer.text
        assert "has no offset from UTC" in answer.text


async def test_quotes_that_jump_beside_the_session_before_are_stored_and_named(desks: Desks) -> None:
    desk = desks.of("acme")
    await add(desk)
    both = [{"settle": 97.0}, {"settle": None, "bid": 70.0, "ask": 71.0}]
    first, second = (ROW | {"period": period} | price for period, price in zip(("Q1-25", "Q2-25"), both, strict=True))
    assert (await send(desk, first, second)).json()["data"]["flagged_curves"] == 0
    next_day = {"trade_date": "2024-10-15"}
    stored = await send(desk, first | next_day, second | next_day | {"bid": 7_000.0, "ask": 7_100.0})
    data = stored.json()["data"]
    assert (data["new"], data["flagged_curves"]) == (2, 1), stored.text
    flagged = {"curve": OWN, "check": "unit_jump", "trade_date": "2024-10-15", "price": 7_050.0, "before": 70.5, "ratio": 100.0}
    assert [flagged.items() <= one.items() for one in data["quote_flags"]] == [True]


async def test_csv_and_json_are_the_same_rows(desks: Desks) -> None:
    desk = desks.of("acme")
    await add(desk)
    text = f"trade_date,product,period,settle,known_at\n2024-10-14,{OWN},Q1-25,97,2024-10-14T17:00:00Z\n"
    stored = await desk.send("POST", "/v2/curves/quotes", content=text.encode(), headers=CSV)
    assert stored.json()["data"]["new"] == 1, stored.text
    repeated = await send(desk, ROW | {"known_at": "2024-10-14T17:00:00Z"})
    assert repeated.json()["data"]["unchanged"] == 1
    (row,) = await desk.rows(f"/v2/curves/{OWN}/quotes", as_of="2024-10-14T17:00:00Z")
    assert row["known_at"] == "2024-10-14T17:00:00Z"


async def test_another_tenant_sees_nothing_of_it(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    nothing = without_id(await bolt.get(f"/v2/curves/{OWN}"))
    await add(acme)
    await send(acme, ROW)
    assert without_id(await bolt.get(f"/v2/curves/{OWN}")) == nothing
    assert nothing[0] == 404
    for path in (f"/v2/products/{OWN}", f"/v2/curves/{OWN}/quotes", f"/v2/curves/{OWN}/strips?period=Q1-25"):
        assert (await bolt.get(path)).status_code == 404
    for path in ("/v2/curves", "/v2/products"):
        assert OWN in [row["key"] for row in await acme.rows(path)]
        assert OWN not in [row["key"] for row in await bolt.rows(path)]
    facets = (await bolt.get("/v2/curves", venue="DESK")).json()["meta"]["facets"]
    assert facets == {"commodity": {}, "area": {}, "block": {}, "venue": {}}
    own = await acme.rows("/v2/curves/diff", curve="power:XA:*", b="2024-10-14")
    other = await bolt.rows("/v2/curves/diff", curve="power:XA:*", b="2024-10-14")
    assert {row["curve"] for row in own} - {row["curve"] for row in other} == {OWN}
    for method, path, body in (
        ("PATCH", f"/v2/products/{OWN}", {"title": "Theirs"}),
        ("DELETE", f"/v2/products/{OWN}", None),
    ):
        assert (await bolt.send(method, path, json=body)).status_code == 404
    refused = await send(bolt, ROW)
    assert (refused.status_code, "not a product of yours" in refused.text) == (422, True)
    assert (await add(bolt, title="Bolt's own")).status_code == 201
    assert (await bolt.get(f"/v2/curves/{OWN}")).json()["data"]["title"] == "Bolt's own"
    assert await bolt.rows(f"/v2/curves/{OWN}/quotes") == []


async def test_one_bad_row_refuses_all_of_them(desks: Desks) -> None:
    desk = desks.of("acme")
    await add(desk)
    refused = await send(desk, ROW, ROW | {"period": "Q9-25"}, ROW | {"product": BASE})
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["line 2: period", "line 3: product"]
    assert "line 2: period 'Q9-25': " in refused.json()["detail"]
    open_ended = await send(desk, ROW | {"period": {"start": "2025-03-01"}})
    assert "line 1: period must be a label such as Q1-25, or an object" in open_ended.json()["detail"]
    assert await desk.rows(f"/v2/curves/{OWN}/quotes") == []
    misspelt = await desk.send("POST", "/v2/curves/quotes", json={"data": [ROW | {"setle": 1}]})
    assert misspelt.json()["errors"][0]["field"] == "line 1: setle"
    assert (await desk.send("POST", "/v2/curves/quotes", content=b"{", headers=CSV)).status_code == 422
    xml = await desk.send("POST", "/v2/curves/quotes", content=b"<a/>", headers={"content-type": "text/xml"})
    assert xml.json()["errors"][0]["field"] == "Content-Type"
    many = await send(desk, *([ROW] * 101))
    assert (many.status_code, many.json()["limit"]) == (422, 100)


async def test_of_a_document_full_of_errors_the_first_are_named(desks: Desks) -> None:
    desk = desks.of("acme")
    for document, named in (
        ({"data": [{}] * 500, "x": 1}, ["x"]),
        ({"data": [{}] * 500}, [f"line 1: {name}" for name in ("trade_date", "product", "period")]),
        ({"data": [], **dict.fromkeys(map(str, range(50)), 1)}, [str(number) for number in range(20)]),
        ({"data": [], **dict.fromkeys(map(str, range(2_000)), 1)}, [str(number) for number in range(20)]),
    ):
        refused = await desk.send("POST", "/v2/curves/quotes", json=document)
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == named


def test_thousands_of_errors_are_only_counted() -> None:
    with pytest.raises(InvalidParameters, match="20,000 errors"):
        rows_of_body(json.dumps({"data": [], **dict.fromkeys(map(str, range(20_000)), 1)}).encode(), "application/json")


async def test_a_product_with_quotes_keeps_what_its_quotes_depend_on(desks: Desks) -> None:
    desk = desks.of("acme")
    await add(desk)
    await send(desk, ROW)
    renamed = await desk.send("PATCH", f"/v2/products/{OWN}", json={"title": "Renamed"})
    assert renamed.json()["data"]["title"] == "Renamed"
    conflict = await desk.send("PATCH", f"/v2/products/{OWN}", json={"unit": "EUR/GJ"})
    assert (conflict.status_code, conflict.json()["field"]) == (409, "unit")
    stale = await desk.send("PATCH", f"/v2/products/{OWN}", json={"title": "Again", "version": 1})
    assert stale.status_code == 409
    assert (await desk.send("DELETE", f"/v2/products/{OWN}")).status_code == 409
    await add(desk, key="power:XA:base:OTHER")
    assert (await desk.send("DELETE", "/v2/products/power:XA:base:OTHER")).status_code == 204
    assert (await desk.get("/v2/products/power:XA:base:OTHER")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"key": "no key"}, "key"),
        ({"unit": "furlong"}, "unit"),
        ({"calendar": "mars"}, "calendar"),
        ({"calendar_block": "SATURDAY"}, "block"),
        ({"seasons": "monsoon"}, "seasons"),
        ({"sessions": "XMOON"}, "sessions"),
        ({"currency": "USD"}, "currency"),
        ({"tick": 0}, "tick"),
    ],
)
async def test_a_term_that_does_not_exist_is_named(desks: Desks, changed: dict[str, object], field: str) -> None:
    refused = await add(desks.of(), **changed)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"].endswith(field)


async def test_a_product_delivers_in_the_block_of_its_key_unless_it_states_another(desks: Desks) -> None:
    desk, peak = desks.of(), "power:XA:peak:DESK"
    added = await add(desk, key=peak)
    assert (added.status_code, added.json()["data"]["calendar_block"]) == (201, "PEAK"), added.text
    await send(desk, ROW | {"product": peak, "period": "Nov-24"})
    (row,) = await desk.rows(f"/v2/curves/{peak}/quotes")
    assert row["period"]["hours"] == 252
    refused = await desk.send("PATCH", f"/v2/products/{peak}", json={"calendar_block": None})
    assert (refused.status_code, refused.json()["field"]) == (409, "calendar_block")
    assert "depend on its calendar_block 'PEAK': add another product instead of changing it to all hours" in refused.text
    noon = {"key": "power:XA:noon:DESK"}
    unknown = await add(desk, **noon)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "calendar_block"), unknown.text
    assert "it has PEAK, OFF_PEAK, BASE" in unknown.text
    whole = await add(desk, **noon, calendar_block=None)
    assert (whole.status_code, whole.json()["data"]["calendar_block"]) == (201, None), whole.text


async def test_off_peak_of_a_peak_product_of_all_hours_blames_the_product(desks: Desks) -> None:
    desk, peak = desks.of(), "power:XA:peak:DESK"
    await add(desk)
    await add(desk, key=peak, calendar_block=None)
    await send(desk, *(ROW | {"product": key, "period": "Nov-24"} for key in (OWN, peak)))
    refused = await desk.get(f"/v2/curves/{OWN}/strips", period="Nov-24", block="off_peak")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "block"), refused.text
    assert f"{peak} delivers in 720 hours of Nov-24 (calendar_block: all hours)" in refused.text


async def test_shared_products_and_calendars_need_an_administrator(desks: Desks) -> None:
    trader, admin = desks.of(), desks.of(role="super_admin")
    shared = {"key": "power:XA:base:BROKER", "owner": "shared"}
    for refused in (
        await add(trader, **shared),
        await trader.send("PATCH", f"/v2/products/{BASE}", json={"title": "Mine"}),
        await trader.send("DELETE", f"/v2/products/{BASE}"),
        await trader.send("PATCH", "/v2/calendars/eu_power", json={"document": {"title": "Mine"}}),
        await trader.send("POST", "/v2/calendars", json={"document": CALENDAR, "owner": "shared"}),
    ):
        assert (refused.status_code, refused.json()["scope"]) == (403, "admin:write"), refused.text
    assert (await add(desks.of(role="user"))).json()["scope"] == "curves:write"
    added = await add(admin, **shared)
    assert (added.status_code, added.json()["data"]["owner"]) == (201, "shared")
    assert (await desks.of("bolt").get("/v2/products/power:XA:base:BROKER")).status_code == 200
    assert (await add(trader, key=BASE)).status_code == 409, "the key of a shared product"
    changed = await admin.send("PATCH", f"/v2/products/{BASE}", json={"title": "Changed"})
    assert changed.json()["data"]["title"] == "Changed"


async def test_a_tenant_has_calendars_of_its_own(desks: Desks) -> None:
    desk, other = desks.of("acme"), desks.of("bolt")
    added = await desk.send("POST", "/v2/calendars", json={"document": CALENDAR})
    assert (added.status_code, added.json()["data"]["owner"]) == (201, "tenant"), added.text
    assert "desk_power" in [row["name"] for row in await desk.rows("/v2/calendars")]
    assert "desk_power" not in [row["name"] for row in await other.rows("/v2/calendars")]
    assert (await other.get("/v2/calendars/desk_power")).status_code == 404
    assert (await add(other, calendar="desk_power")).status_code == 422
    assert (await add(desk, calendar="desk_power")).status_code == 201
    await send(desk, ROW)
    (row,) = await desk.rows(f"/v2/curves/{OWN}/quotes")
    assert (row["period"]["start"], row["period"]["hours"]) == ("2025-01-01T05:00:00Z", 2159)
    patched = await desk.send("PATCH", "/v2/calendars/desk_power", json={"document": {"title": "Gas days"}, "version": 1})
    assert patched.json()["data"]["version"] == 2
    assert (await desk.send("POST", "/v2/calendars", json={"document": CALENDAR | {"name": "eu_power"}})).status_code == 409
    await desk.send("POST", "/v2/calendars", json={"document": CALENDAR | {"name": "unused"}})
    assert (await desk.send("DELETE", "/v2/calendars/unused")).status_code == 204
    assert (await desk.get("/v2/calendars/unused")).status_code == 404


async def test_a_shipped_calendar_that_an_administrator_changed_comes_back(desks: Desks) -> None:
    admin, desk = desks.of(role="super_admin"), desks.of("bolt")
    shipped = (await desk.get("/v2/calendars/eu_gas")).json()["data"]
    assert (shipped["owner"], shipped["version"]) == ("shipped", 0)
    await admin.send("PATCH", "/v2/calendars/eu_gas", json={"document": {"day_start": "05:00"}})
    changed = (await desk.get("/v2/calendars/eu_gas")).json()["data"]
    assert (changed["owner"], changed["version"], changed["document"]["day_start"]) == ("shared", 1, "05:00")
    assert (await admin.send("DELETE", "/v2/calendars/eu_gas")).status_code == 204
    assert (await desk.get("/v2/calendars/eu_gas")).json()["data"] == shipped
    assert (await admin.send("DELETE", "/v2/calendars/eu_gas")).status_code == 409


@pytest.mark.parametrize("kind", ["delivery", "sessions", "seasons"])
async def test_calendars_of_every_kind_are_listed(desks: Desks, kind: str) -> None:
    rows = await desks.of().rows("/v2/calendars", kind=kind)
    names = [row["name"] for row in rows]
    assert names == sorted(names)
    assert {"delivery": "gb_power", "sessions": "XEEE", "seasons": "us_power"}[kind] in names


async def test_a_calendar_or_a_shape_that_describes_nothing_is_refused(desks: Desks) -> None:
    desk = desks.of()
    zone = await desk.send("POST", "/v2/calendars", json={"document": CALENDAR | {"zone": "Mars/Base"}})
    assert (zone.status_code, zone.json()["errors"][0]["field"]) == (422, "zone")
    shape = await desk.send("POST", "/v2/shapes", json={"document": SHAPE | {"means": [1.0]}})
    assert shape.status_code == 422
    nameless = await desk.send("POST", "/v2/shapes", json={"document": {"mean": 50.0, "means": SHAPE["means"]}})
    assert (nameless.status_code, nameless.json()["errors"][0]["field"]) == (422, "name")


async def test_shapes_are_added_changed_and_removed(desks: Desks) -> None:
    desk = desks.of()
    assert (await desk.send("POST", "/v2/shapes", json={"document": SHAPE})).status_code == 201
    assert (await desk.send("PATCH", "/v2/shapes/flat", json={"document": {"mean": 51.0}})).json()["data"]["version"] == 2
    assert (await desk.get("/v2/shapes/flat")).json()["data"]["document"]["mean"] == 51.0
    assert await desks.of("bolt").rows("/v2/shapes") == []
    assert (await desk.send("DELETE", "/v2/shapes/flat")).status_code == 204
    assert await desk.rows("/v2/shapes") == []


async def test_the_origin_of_a_shape_cannot_be_stated(desks: Desks) -> None:
    desk = desks.of()
    for origin in ({}, {"series": "x", "first": "2020-01-01", "end": "2021-01-01", "as_of": "2020-01-01", "coverage": 1}):
        added = await desk.send("POST", "/v2/shapes", json={"document": SHAPE | {"origin": origin}})
        assert (added.status_code, added.json()["errors"][0]["field"]) == (422, "origin")
    await desk.send("POST", "/v2/shapes", json={"document": SHAPE})
    changed = await desk.send("PATCH", "/v2/shapes/flat", json={"document": {"origin": {}}})
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "origin")


async def test_what_was_written_is_on_record(desks: Desks) -> None:
    desk, admin = desks.of(), desks.of(role="super_admin")
    await add(desk)
    await send(desk, ROW)
    await desk.send("PATCH", f"/v2/products/{OWN}", json={"title": "Renamed"})
    entries = (await admin.get("/v2/admin/audit", limit="100")).json()["data"]
    assert {"product.add", "product.change", "curves.store"} <= {entry["action"] for entry in entries}


async def test_the_tag_changes_with_a_correction(desks: Desks) -> None:
    desk = desks.of()
    await add(desk)
    await send(desk, ROW)
    paths = [f"/v2/curves/{OWN}/{path}" for path in ("quotes", "history?period=Q1-25", "strips?period=Q1-25")]
    tags = [(await desk.get(path)).headers["etag"] for path in paths]
    await send(desk, ROW | {"settle": 99.0})
    for path, tag in zip(paths, tags, strict=True):
        fresh = await desk.send("GET", path, headers={"if-none-match": tag})
        assert fresh.status_code == 200, path
