"""Mappings that administrators write, and what shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from api_curves import BASE, Desk, Desks, serving_desks

from aurum.core.curves.product_documents import default_products
from aurum.storage.ports.access import Actor
from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

PRICE = "invented:day_ahead:XA:price"
AREA = {"kind": "area", "scope": "europe", "spelling": "Grossbritannien", "target": "GB"}
UNIT = {"spelling": "EUR per MW hour", "target": "eur/mwh"}


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    await postgres_store.loader.load(file_load([(0, 0, 0.04)], key=PRICE, unit="EUR/kWh", currency="EUR", kind="price"))
    async with postgres_store.transactions.transaction(by=Actor("operator")) as tx:
        await tx.curve_reference.declare([one for one in default_products() if one.key.venue == "RP"])
    async with serving_desks(postgres_store, database_url, tmp_path, enable_v1=True) as running:
        yield running


@pytest.fixture
def operator(desks: Desks) -> Desk:
    return desks.of("acme", "super_admin")


async def test_an_administrator_adds_changes_and_removes_a_mapping(operator: Desk) -> None:
    added = await operator.send("POST", "/v2/mappings", json=AREA)
    assert added.status_code == 201, added.text
    mapping = added.json()["data"]
    assert AREA.items() <= mapping.items()
    path = f"/v2/mappings/{mapping['id']}"
    changed = await operator.send("PATCH", path, json={"target": "FR", "version": 1})
    assert (changed.status_code, changed.json()["data"]["version"]) == (200, 2), changed.text
    for lost in (
        await operator.send("PATCH", path, json={"target": "DE", "version": 1}),
        await operator.send("DELETE", f"{path}?version=1"),
    ):
        assert (lost.status_code, "has version 2, not 1" in lost.text) == (409, True)
    assert (await operator.send("POST", "/v2/mappings", json=AREA | {"spelling": "GROSSBRITANNIEN"})).status_code == 409
    assert [row["target"] for row in await operator.rows("/v2/mappings", kind="area", scope="europe")] == ["FR"]
    assert (await operator.send("DELETE", path)).status_code == 204
    assert (await operator.get(path)).status_code == 404
    assert await operator.rows("/v2/mappings") == []


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"target": "XX"}, 422, "target"),
        ({"scope": "asia"}, 422, "scope"),
        ({"spelling": " - "}, 422, "spelling"),
        ({"kind": "colour"}, 422, "kind"),
        ({"colour": "red"}, 422, "colour"),
        ({"spelling": "Great Britain"}, 409, ""),
        ({"kind": "location", "spelling": "TTF", "target": "NBP"}, 409, ""),
        ({"kind": "location", "spelling": "TTF Hub", "target": "TTG"}, 422, "target"),
        ({"kind": "period", "spelling": "Kal", "target": "Kalender", "scope": "*"}, 422, "target"),
        ({"kind": "period", "spelling": "Cal", "target": "Summer", "scope": "*"}, 409, ""),
        ({"kind": "unit", "spelling": "EUR/MWh", "target": "USD/MWh", "scope": "*"}, 409, ""),
        ({"kind": "unit", "spelling": "doubloons", "target": "pieces of eight", "scope": "*"}, 422, "target"),
        ({"kind": "quoted_unit", "spelling": "gas:NBP", "target": "EUR/MWh", "scope": "RP"}, 422, "target"),
        ({"kind": "quoted_unit", "spelling": "gas:XXX", "target": "EUR/MWh", "scope": "RP"}, 422, "spelling"),
    ],
)
async def test_a_mapping_of_a_known_spelling_or_to_an_unknown_word_is_refused(
    operator: Desk, changed: dict[str, str], status: int, field: str
) -> None:
    refused = await operator.send("POST", "/v2/mappings", json=AREA | changed)
    assert refused.status_code == status, refused.text
    if field:
        assert [one["field"].rpartition(".")[2] for one in refused.json()["errors"]] == [field]


async def test_a_mapped_unit_is_shown_and_read_at_once(desks: Desks, operator: Desk) -> None:
    reader = desks.of("bolt")
    question = {"start": "2025-11-01T00:00:00Z", "end": "2025-11-02T00:00:00Z", "unit": "EUR per MW hour"}
    observations, quotes = f"/v2/series/{PRICE}/observations", f"/v2/curves/{BASE}/quotes"
    for path, parameters in ((observations, question), (quotes, {"unit": "EUR per MW hour"})):
        assert (await reader.get(path, **parameters)).status_code == 422
    spread = {"template": "custom", "legs": {"a": {"value": 1.0, "unit": "EUR per MW hour"}}, "unit": "EUR/kWh"}
    assert (await reader.send("POST", "/v2/curves/spread", json=spread)).status_code == 422
    added = await operator.send("POST", "/v2/units/mappings", json=UNIT)
    assert (added.status_code, added.json()["data"]["target"]) == (201, "EUR/MWh"), added.text
    for path, parameters in ((observations, question), (quotes, {"unit": "EUR per MW hour"})):
        assert (await reader.get(path, **parameters)).status_code == 200
    (row,) = (await reader.send("POST", "/v2/curves/spread", json=spread)).json()["data"]
    assert row["value"] == pytest.approx(0.001)
    for path in ("/v2/units", "/v2/catalog/units"):
        (unit,) = [row for row in await reader.rows(path) if row["unit"] == "EUR/MWh"]
        assert "EUR per MW hour" in unit["aliases"]
    assert [row["spelling"] for row in await reader.rows("/v2/units/mappings")] == ["EUR per MW hour"]
    (spelling,) = await reader.rows("/v1/metadata/units/mapping", prefix="EUR per MW hour")
    assert spelling == {"units_raw": "EUR per MW hour", "currency": "EUR", "per_unit": "MWh"}
    path = f"/v2/units/mappings/{added.json()['data']['id']}"
    moved = await operator.send("PATCH", path, json={"target": "EUR/kWh"})
    assert (moved.status_code, "numbers may be stored by it" in moved.text) == (409, True)
    assert (await operator.send("DELETE", path)).status_code == 204
    assert (await reader.get(observations, **question)).status_code == 422
    assert await reader.rows("/v1/metadata/units/mapping", prefix="EUR per MW hour") == []


async def test_only_administrators_read_and_write_mappings(desks: Desks, operator: Desk) -> None:
    tenant = desks.of("acme")
    added = await operator.send("POST", "/v2/mappings", json=AREA)
    path = f"/v2/mappings/{added.json()['data']['id']}"
    for method, where, body in (
        ("GET", "/v2/mappings", None),
        ("GET", "/v2/mappings/unknown", None),
        ("POST", "/v2/mappings", AREA | {"spelling": "Angleterre"}),
        ("PATCH", path, {"target": "FR"}),
        ("DELETE", path, None),
        ("POST", "/v2/units/mappings", UNIT),
    ):
        assert (await tenant.send(method, where, json=body)).status_code == 403, (method, where)
    assert (await operator.get(path)).json()["data"]["version"] == 1
    assert (await operator.send("DELETE", f"/v2/units/mappings/{added.json()['data']['id']}")).status_code == 404


async def test_a_mapped_word_names_periods_in_requests_at_once(desks: Desks, operator: Desk) -> None:
    reader, path = desks.of("bolt"), f"/v2/curves/{BASE}/strips"
    known = await reader.get(path, period="Q1-25")
    assert (await reader.get(path, period="Quartal1-25")).status_code == 422
    word = {"kind": "period", "spelling": "Quartal", "target": "Q"}
    added = await operator.send("POST", "/v2/mappings", json=word)
    assert added.status_code == 201, added.text
    assert (await reader.get(path, period="Quartal1-25")).json()["data"] == known.json()["data"]
    quotes = [{"period": "Quartal1-25", "price": 98.31}]
    question = {"curve": BASE, "quotes": quotes, "trade_date": "2024-10-14", "format": "csv"}
    built = await reader.send("POST", "/v2/curves/build", json=question)
    assert built.status_code == 200, built.text
    assert (await operator.send("DELETE", f"/v2/mappings/{added.json()['data']['id']}")).status_code == 204
    assert (await reader.get(path, period="Quartal1-25")).status_code == 422


async def test_the_unit_of_a_broker_does_not_rescale_the_quotes_of_a_tenant_and_its_product_is_not_named(
    desks: Desks, operator: Desk
) -> None:
    bolt, key = desks.of("bolt"), "gas:NBP:desk:RP"
    product = {"key": key, "title": "Marks", "unit": "GBp/th", "tick": 0.01, "calendar": "uk_gas"}
    declared = await bolt.send("POST", "/v2/products", json=product)
    assert declared.status_code == 201, declared.text
    mapping = {"kind": "quoted_unit", "spelling": "gas:NBP", "target": "GBP/MWh", "scope": "RP"}
    row = {"trade_date": "2024-10-14", "product": key, "period": "Q1-25", "settle": 97.0}
    stored = await bolt.send("POST", "/v2/curves/quotes", json={"data": [row]})
    assert stored.status_code == 200, stored.text
    refused = await operator.send("POST", "/v2/mappings", json=mapping)
    assert (refused.status_code, "a product of another tenant has quotes" in refused.text) == (409, True), refused.text
    assert key not in refused.text


async def test_shared_reference_data_does_not_tell_whose_key_changed_it(desks: Desks, operator: Desk) -> None:
    assert (await operator.send("POST", "/v2/units/mappings", json=UNIT)).status_code == 201
    block = {"calendar": "desk", "name": "PEAK", "zone": "UTC", "windows": [{"hours": [[9, 20]]}]}
    added = await operator.send("POST", "/v2/blocks", json=block)
    assert added.status_code == 201, added.text
    for path in ("/v2/units/mappings", "/v2/units", "/v2/blocks", "/v2/blocks/desk/PEAK"):
        shown = await desks.of("bolt").get(path)
        assert shown.status_code == 200, shown.text
        assert "updated_by" not in shown.text
        assert "key:" not in shown.text
