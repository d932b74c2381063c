"""Blocks that administrators add, change and remove; what is read by them follows at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from api_curves import Desks, serving_desks

from aurum.core.calendars import default_blocks
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

HOURLY = "invented:hourly:XA:price"
PEAK = "/v2/blocks/pjm/SUPER_PEAK"
NEW = {
    "calendar": "pjm",
    "name": "SUPER_PEAK",
    "title": "Monday HE 15-18",
    "zone": "America/New_York",
    "holidays": "nerc",
    "windows": [{"days": ["mon"], "hours": [[15, 18]]}],
}


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    blocks = [block.to_document() for block in default_blocks()]
    await postgres_store.catalog_writer.declare(sources=[], datasets=[], blocks=blocks)
    async with serving_desks(postgres_store, database_url, tmp_path, enable_v1=True) as running:
        yield running


async def test_an_administrator_adds_changes_and_removes_a_block(desks: Desks) -> None:
    operator = desks.of("acme", "super_admin")
    added = await operator.send("POST", "/v2/blocks", json=NEW)
    assert added.status_code == 201, added.text
    assert (added.json()["data"]["version"], added.json()["data"]["is_edited"]) == (1, True)
    changed = await operator.send("PATCH", PEAK, json={"windows": [{"hours": [[15, 16]]}], "version": 1})
    assert changed.status_code == 200, changed.text
    assert changed.json()["data"]["windows"][0]["hours"] == [[15, 16]]
    assert changed.json()["data"]["version"] == 2
    lost = await operator.send("PATCH", PEAK, json={"title": "Lost", "version": 1})
    assert (lost.status_code, "has version 2, not 1" in lost.text) == (409, True)
    assert (await operator.send("DELETE", f"{PEAK}?version=1")).status_code == 409
    assert (await operator.send("DELETE", f"{PEAK}?version=2")).status_code == 204
    assert (await operator.get(PEAK)).status_code == 404


async def test_lists_and_hours_follow_a_change_at_once(desks: Desks) -> None:
    operator, reader = desks.of("acme", "super_admin"), desks.of("acme")
    await operator.send("POST", "/v2/blocks", json=NEW)
    path, v1 = "/v2/catalog/blocks/pjm/SUPER_PEAK/hours", "/v1/metadata/calendars/pjm/hours"
    first = await reader.get(path, start="2025-11-03", end="2025-11-04")
    assert [row["hour_ending"] for row in first.json()["data"]] == ["15", "16", "17", "18"]
    names = await reader.get("/v1/metadata/calendars/pjm/blocks")
    assert "SUPER_PEAK" in names.json()["data"]
    await operator.send("PATCH", PEAK, json={"windows": [{"days": ["mon"], "hours": [[15, 16]]}], "aliases": ["1x2"]})
    second = await reader.get(path, start="2025-11-03", end="2025-11-04")
    assert [row["hour_ending"] for row in second.json()["data"]] == ["15", "16"]
    assert first.headers["etag"] != second.headers["etag"]
    hours = await reader.get(v1, block="1x2", date="2025-11-03")
    assert hours.json()["data"] == ["2025-11-03T14:00:00-05:00", "2025-11-03T15:00:00-05:00"]
    listed = [row for row in await reader.rows("/v2/catalog/blocks", calendar="pjm") if row["name"] == "SUPER_PEAK"]
    assert listed[0]["aliases"] == ["1x2"]


async def test_a_block_of_quoted_products_keeps_its_hours_and_a_removal_restores_the_shipped_one(desks: Desks) -> None:
    operator = desks.of("acme", "super_admin")
    peak = "/v2/blocks/entsoe/PEAK"
    before = (await operator.get(peak)).json()["data"]
    assert (before["version"], before["is_edited"]) == (1, False)
    refused = await operator.send("PATCH", peak, json={"windows": [{"hours": [[1, 24]]}]})
    assert refused.status_code == 409, refused.text
    assert "has quotes, and they depend on windows of block entsoe:PEAK" in refused.text
    assert (await operator.send("DELETE", peak)).status_code == 409
    named = await operator.send("PATCH", peak, json={"title": "Working days, 8 to 20"})
    assert (named.status_code, named.json()["data"]["is_edited"]) == (200, True), named.text
    assert (await operator.send("DELETE", peak)).status_code == 204
    after = (await operator.get(peak)).json()["data"]
    assert (after["title"], after["is_edited"], after["version"]) == (before["title"], False, 3)


async def test_a_name_of_all_hours_is_of_all_hours_in_every_calendar(desks: Desks) -> None:
    operator = desks.of("acme", "super_admin")
    half = [{"hours": [[1, 12]]}]
    base = "/v2/blocks/entsoe/BASE"
    refused = await operator.send("PATCH", base, json={"windows": half, "version": 1})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "windows"), refused.text
    assert "BASE" in refused.text
    assert "must be all hours" in refused.text
    own = {"calendar": "mine", "name": "Atc", "zone": "Europe/Berlin", "windows": half}
    assert (await operator.send("POST", "/v2/blocks", json=own)).status_code == 422
    alias = await operator.send("POST", "/v2/blocks", json=own | {"name": "MORNING", "aliases": ["base"]})
    assert (alias.status_code, alias.json()["errors"][0]["field"]) == (422, "aliases"), alias.text
    # The same hours in other windows, and other words, are no other hours.
    split = await operator.send("PATCH", base, json={"windows": [*half, {"hours": [[13, 24]]}], "title": "Every hour"})
    assert (split.status_code, split.json()["data"]["version"]) == (200, 2), split.text
    weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    whole = await operator.send("POST", "/v2/blocks", json=own | {"name": "BASE", "windows": [{"days": weekdays}]})
    assert whole.status_code == 201, whole.text


async def test_a_block_of_another_tenants_quotes_keeps_its_hours_and_its_product_is_not_named(desks: Desks) -> None:
    operator, bolt = desks.of("acme", "super_admin"), desks.of("bolt")
    added = await operator.send(
        "POST", "/v2/blocks", json=NEW | {"calendar": "entsoe", "zone": "Europe/Berlin", "holidays": "none"}
    )
    assert added.status_code == 201, added.text
    key = "power:XZ:super:DESK"
    product = {"key": key, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}
    declared = await bolt.send("POST", "/v2/products", json=product | {"calendar_block": "SUPER_PEAK"})
    assert declared.status_code == 201, declared.text
    path = "/v2/blocks/entsoe/SUPER_PEAK"
    assert (await operator.send("PATCH", path, json={"windows": [{"hours": [[15, 17]]}]})).status_code == 200
    row = {"trade_date": "2024-10-14", "product": key, "period": "Q1-25", "settle": 97.0}
    assert (await bolt.send("POST", "/v2/curves/quotes", json={"data": [row]})).status_code == 200
    for refused in (
        await operator.send("PATCH", path, json={"windows": [{"hours": [[15, 16]]}]}),
        await operator.send("DELETE", path),
    ):
        assert (refused.status_code, "a product of another tenant" in refused.text) == (409, True)
        assert key not in refused.text
    strips = f"/v2/curves/{key}/strips"
    before = await bolt.get(strips, period="Q1-25")
    assert (await operator.send("PATCH", path, json={"title": "Three hours"})).status_code == 200
    assert (await bolt.get(strips, period="Q1-25")).json()["data"] == before.json()["data"]


async def test_aggregates_by_a_block_follow_it_at_once(desks: Desks, postgres_store: PostgresStore) -> None:
    operator, reader = desks.of("acme", "super_admin"), desks.of("acme")
    hours = [(hour, 0, float(hour)) for hour in range(24)]
    await postgres_store.loader.load(file_load(hours, key=HOURLY, unit="USD/MWh", currency="USD", zone="America/New_York"))
    day = f"{T0:%Y-%m-%d}"
    block = NEW | {"windows": [{"hours": [[15, 18]]}]}
    assert (await operator.send("POST", "/v2/blocks", json=block)).status_code == 201
    path = f"/v2/series/{HOURLY}/observations"
    question = {"start": f"{day}T00:00:00Z", "end": f"{T0 + timedelta(days=1):%Y-%m-%d}T00:00:00Z", "block": "pjm:SUPER_PEAK"}
    first = await reader.get(path, **question)
    assert len(first.json()["data"]) == 4, first.text
    assert (await operator.send("PATCH", PEAK, json={"windows": [{"hours": [[15, 16]]}]})).status_code == 200
    second = await reader.get(path, **question)
    assert len(second.json()["data"]) == 2
    assert first.headers["etag"] != second.headers["etag"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"zone": "America/Chicago"}, "zone"),
        ({"zone": "Nowhere/Land"}, "zone"),
        ({"holidays": "none"}, "holidays"),
        ({"aliases": ["5x16"]}, "aliases"),
        ({"name": "on-peak"}, "name"),
        ({"name": "a:b"}, "name"),
        ({"windows": [{"days": ["mon"], "hours": [[18, 15]]}]}, "hours"),
        ({"windows": [{"days": ["monday"]}]}, "windows"),
        ({"windows": []}, "windows"),
        ({"windows": [{}], "complement": True}, "windows"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_block_that_is_none_names_the_member(desks: Desks, changed: dict[str, object], field: str) -> None:
    refused = await desks.of("acme", "super_admin").send("POST", "/v2/blocks", json=NEW | changed)
    assert refused.status_code == 422, refused.text
    assert field in [part for one in refused.json()["errors"] for part in one["field"].split(".")]


async def test_only_administrators_change_blocks(desks: Desks) -> None:
    tenant = desks.of("acme")
    for method, path, body in (
        ("POST", "/v2/blocks", NEW),
        ("PATCH", "/v2/blocks/pjm/ON_PEAK", {"title": "Theirs"}),
        ("DELETE", "/v2/blocks/pjm/ON_PEAK", None),
    ):
        assert (await tenant.send(method, path, json=body)).status_code == 403
    assert (await tenant.get("/v2/blocks/pjm/ON_PEAK")).json()["data"]["version"] == 1
