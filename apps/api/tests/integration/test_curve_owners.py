"""Shared curves are the same for all tenants, and reference data stays while products are read with it."""

from __future__ import annotations

from dataclasses import replace

from api_curves import BASE, JAN, MONDAY, OPERATOR, OWN, PEAK, Desk, Desks, file_of, product

from aurum.core.curves.product_documents import default_products
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.testing.stores import Store

TOKYO = {"name": "eu_power", "title": "Theirs", "zone": "Asia/Tokyo", "blocks": "entsoe"}
CALENDAR = {"name": "desk_power", "title": "Days of the desk", "zone": "Europe/Paris", "day_start": "06:00", "blocks": "entsoe"}
SEASONS = {
    "name": "desk",
    "title": "Seasons of the desk",
    "seasons": [{"name": "Sum", "aliases": [], "first_month": 4, "months": 6}],
}
DESK = {"key": OWN, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "desk_power", "seasons": "desk"}
ROW = {"trade_date": "2024-10-14", "product": OWN, "period": "Q1-25", "settle": 97.0}


async def test_a_shared_curve_is_read_alike_whatever_a_tenant_owns(desks: Desks, store: Store) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    async with store.transactions.transaction(by=OPERATOR) as tx:
        # As if the tenant had them before a release or an administrator took their names.
        reference = tx.curve_reference
        await reference.put_reference(
            ReferenceKind.DELIVERY_CALENDAR, "eu_power", TOKYO, tenant="acme", version=None, by="acme"
        )
        await reference.put_product(product("power:XA:off_peak:EXCH"), tenant="acme")
    for path in (
        f"/v2/curves/{BASE}/quotes",
        f"/v2/curves/{BASE}/strips?period=Jan-25&weighting=sessions",
        f"/v2/curves/{BASE}/strips?period=Jan-25&block=off_peak",
        f"/v2/curves/{BASE}/history?period=Q1-25",
        f"/v2/curves/diff?curve={BASE},{PEAK}",
    ):
        own, other = await acme.get(path), await bolt.get(path)
        assert (own.status_code, own.json()["data"], own.headers["etag"]) == (200, other.json()["data"], other.headers["etag"])
        assert own.json()["data"]
    (row, *_) = await acme.rows(f"/v2/curves/{BASE}/quotes")
    assert row["period"]["start"] == "2024-12-31T23:00:00Z"


async def add_own(desk: Desk) -> None:
    for document, query in ((CALENDAR, ""), (SEASONS, "?kind=seasons")):
        added = await desk.send("POST", f"/v2/calendars{query}", json={"document": document})
        assert added.status_code == 201, added.text
    added = await desk.send("POST", "/v2/products", json=DESK)
    assert added.status_code == 201, added.text


async def test_a_shared_product_cannot_be_read_with_documents_of_a_tenant(desks: Desks) -> None:
    admin = desks.of(role="super_admin")
    await admin.send("POST", "/v2/calendars", json={"document": CALENDAR})
    shared = {"key": "power:XC:base:EXCH", "owner": "shared", "seasons": "europe"}
    refused = await admin.send("POST", "/v2/products", json=DESK | shared)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "calendar"), refused.text
    changed = await admin.send("PATCH", f"/v2/products/{BASE}", json={"seasons": "desk"})
    assert changed.status_code == 422
    assert (await admin.send("POST", "/v2/products", json=DESK | {"seasons": None})).status_code == 201


async def test_reference_data_stays_while_a_product_is_read_with_it(desks: Desks) -> None:
    desk = desks.of()
    await add_own(desk)
    for path in ("/v2/calendars/desk_power", "/v2/calendars/desk?kind=seasons"):
        refused = await desk.send("DELETE", path)
        assert (refused.status_code, refused.json()["product"]) == (409, OWN), refused.text
    assert (await desk.send("DELETE", f"/v2/products/{OWN}")).status_code == 204
    for path in ("/v2/calendars/desk_power", "/v2/calendars/desk?kind=seasons"):
        assert (await desk.send("DELETE", path)).status_code == 204


async def test_what_stored_quotes_depend_on_cannot_be_edited(desks: Desks) -> None:
    desk, admin = desks.of(), desks.of(role="super_admin")
    await add_own(desk)
    path = "/v2/calendars/desk_power"
    assert (await desk.send("PATCH", path, json={"document": {"day_start": "07:00"}})).status_code == 200, "no quotes yet"
    stored = await desk.send("POST", "/v2/curves/quotes", json={"data": [ROW]})
    assert stored.status_code == 200, stored.text
    for changed in ({"zone": "Europe/Berlin"}, {"day_start": "06:00"}, {"day_offset": -1}, {"blocks": None}):
        refused = await desk.send("PATCH", path, json={"document": changed})
        assert (refused.status_code, refused.json()["product"]) == (409, OWN), refused.text
        assert "another name" in refused.json()["detail"]
    assert (await desk.send("PATCH", path, json={"document": {"title": "Renamed"}})).status_code == 200
    of_seasons = "/v2/calendars/desk?kind=seasons"
    (summer,) = SEASONS["seasons"]
    longer = await desk.send("PATCH", of_seasons, json={"document": {"seasons": [summer | {"months": 7}]}})
    assert (longer.status_code, longer.json()["field"]) == (409, "seasons")
    winter = {"name": "Win", "aliases": [], "first_month": 10, "months": 6}
    assert (await desk.send("PATCH", of_seasons, json={"document": {"seasons": [summer, winter]}})).status_code == 200
    shared = await admin.send("PATCH", "/v2/calendars/eu_power", json={"document": {"zone": "Europe/Paris"}})
    assert (shared.status_code, shared.json()["field"]) == (409, "zone")
    again = await admin.send("POST", "/v2/calendars", json={"document": TOKYO, "owner": "shared"})
    assert again.status_code == 409


async def test_a_product_without_its_calendar_does_not_fail_a_pattern(desks: Desks, store: Store) -> None:
    lost = "power:XA:base:LOST"
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(replace(product(lost), calendar="gone"), tenant=None)
    await store.loader.load(file_of({lost: {MONDAY: {JAN: 50.0}}}))
    desk = desks.of()
    moves = await desk.get("/v2/curves/diff", curve="power:XA:*")
    assert moves.status_code == 200, moves.text
    assert [one["key"] for one in moves.json()["meta"]["curves"]] == [BASE, PEAK]
    many = await desk.send("POST", "/v2/curves/query", json={"curves": ["power:XA:*"], "trade_date": "2024-10-14"})
    assert {row["curve"] for row in many.json()["data"]} == {BASE, PEAK}
    assert (await desk.get(f"/v2/curves/{lost}/quotes")).status_code == 404


async def test_a_shipped_product_cannot_be_deleted(desks: Desks, store: Store) -> None:
    shipped = default_products()[0]
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.declare([shipped])
    refused = await desks.of(role="super_admin").send("DELETE", f"/v2/products/{shipped.key}")
    assert (refused.status_code, "part of this release" in refused.text) == (409, True)
