"""The series that a product settles against: checked when it is written, shown with the curve and with the series."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from api_curves import BASE, OWN, Desk, Desks, serving_desks

from aurum.storage.testing.builders import file_load
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

SPOT, LOAD, DOLLARS, DAILY = (f"invented:day_ahead:XA:{name}" for name in ("price", "load", "dollars", "kwh_price"))
NEW = {"key": OWN, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}


@pytest_asyncio.fixture(loop_scope="session")
async def desks(postgres_store: PostgresStore, database_url: str, tmp_path: Path) -> AsyncIterator[Desks]:
    points = [(0, 0, 40.0), (1, 0, 41.0)]
    for key, unit, currency, kind in (
        (SPOT, "EUR/MWh", "EUR", "price"),
        (DAILY, "EUR/kWh", "EUR", "price"),
        (DOLLARS, "USD/MWh", "USD", "price"),
        (LOAD, "MW", None, "load"),
    ):
        await postgres_store.loader.load(file_load(points, key=key, unit=unit, currency=currency, kind=kind, digest=key))
    async with serving_desks(postgres_store, database_url, tmp_path) as running:
        yield running


@pytest.fixture
def operator(desks: Desks) -> Desk:
    return desks.of("acme", "super_admin")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("invented:day_ahead:XA:prise", SPOT),
        (LOAD, "must be a series of prices"),
        (DOLLARS, "does not convert"),
        ("private:own:meter:value", "unknown series"),
    ],
)
async def test_a_series_that_is_no_price_of_the_product_is_refused(operator: Desk, key: str, why: str) -> None:
    for method, path, body in (("PATCH", f"/v2/products/{BASE}", {}), ("POST", "/v2/products", NEW)):
        refused = await operator.send(method, path, json=body | {"settles_on": key})
        assert refused.status_code == 422, refused.text
        assert [one["field"] for one in refused.json()["errors"]] == ["settles_on"]
        assert why in refused.text


async def test_the_curve_shows_its_series_and_the_series_its_curves(desks: Desks, operator: Desk) -> None:
    before = await operator.get(f"/v2/series/{SPOT}")
    assert before.json()["data"]["settles"] == []
    assert (await operator.get(f"/v2/curves/{BASE}")).json()["data"]["settlement"] is None
    changed = await operator.send("PATCH", f"/v2/products/{BASE}", json={"settles_on": SPOT})
    assert changed.status_code == 200, changed.text
    curve = await operator.get(f"/v2/curves/{BASE}")
    shown = curve.json()["data"]["settlement"]
    assert {"key": SPOT, "unit": "EUR/MWh", "currency": "EUR"}.items() <= shown.items()
    assert datetime.fromisoformat(shown["last"]) - datetime.fromisoformat(shown["first"]) == timedelta(hours=1)
    after = await operator.get(f"/v2/series/{SPOT}")
    assert after.json()["data"]["settles"] == [BASE]
    assert after.headers["etag"] != before.headers["etag"]
    assert [row["key"] for row in await operator.rows("/v2/curves", settles_on=SPOT)] == [BASE]
    assert await operator.rows("/v2/curves", settles_on=LOAD) == []
    assert (await operator.send("PATCH", f"/v2/products/{BASE}", json={"settles_on": None})).status_code == 200
    assert (await operator.get(f"/v2/series/{SPOT}")).json()["data"]["settles"] == []


async def test_own_curves_of_a_tenant_are_listed_for_it_alone(desks: Desks) -> None:
    acme, bolt = desks.of("acme"), desks.of("bolt")
    assert (await acme.send("POST", "/v2/products", json=NEW | {"settles_on": DAILY})).status_code == 201
    assert [row["key"] for row in await acme.rows("/v2/curves", settles_on=DAILY)] == [OWN]
    assert await bolt.rows("/v2/curves", settles_on=DAILY) == []
    for desk in (acme, bolt):
        assert (await desk.get(f"/v2/series/{DAILY}")).json()["data"]["settles"] == []
