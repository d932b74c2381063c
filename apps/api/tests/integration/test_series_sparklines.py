"""Sparklines in lists of series: only where they are requested, by one read for the page, and each tenant's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from api_curves import Desks, serving_desks
from lxml import etree

from aurum.api.testing import file_of, hourly
from aurum.common.clock import SystemClock
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import Store

START = datetime(2025, 11, 2, 4, tzinfo=UTC)
LONG, SHORT = "invented:day_ahead:SPARK1:price", "invented:day_ahead:SPARK2:price"
DECLARATION = {"unit": "MWh", "frequency": "1h", "zone": "America/New_York", "title": "East plant"}
OWN = "/v2/private/series"


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


@pytest_asyncio.fixture(loop_scope="session")
async def desks(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desks]:
    url = None if isinstance(store, MemoryStore) else request.getfixturevalue("database_url")
    async with serving_desks(store, url, tmp_path) as running:
        await store.loader.load(file_of(hourly(LONG, START, [float(hour) for hour in range(60)])))
        await store.loader.load(file_of(hourly(SHORT, START, [5.0, 4.0])))
        yield running


async def test_a_list_has_the_newest_values_where_they_are_requested(desks: Desks) -> None:
    rows = await desks.of().rows("/v2/series", source="invented", dataset="day_ahead", sparkline="true")
    lines = {row["key"]: row["sparkline"] for row in rows}
    assert lines[LONG]["points"] == [float(hour) for hour in range(12, 60)]
    assert lines[LONG]["first"] == (START + timedelta(hours=12)).isoformat().replace("+00:00", "Z")
    assert lines[LONG]["last"] == (START + timedelta(hours=59)).isoformat().replace("+00:00", "Z")
    assert lines[SHORT]["points"] == [5.0, 4.0]
    etree.fromstring(lines[LONG]["svg"])
    without = [{name: value for name, value in row.items() if name != "sparkline"} for row in rows]
    assert await desks.of().rows("/v2/series", source="invented", dataset="day_ahead") == without


async def test_a_page_with_sparklines_follows_a_new_value(desks: Desks, store: Store) -> None:
    async def newest() -> float:
        rows = await desks.of().rows("/v2/series", text="SPARK2", sparkline="true")
        return rows[0]["sparkline"]["points"][-1]

    assert await newest() == await newest() == 4.0
    await store.loader.load(file_of(hourly(SHORT, START + timedelta(hours=2), [7.5]), content="later"))
    fresh = await desks.of().send(
        "GET", "/v2/series", params={"text": "SPARK2", "sparkline": "true"}, headers={"cache-control": "no-cache"}
    )
    assert fresh.json()["data"][0]["sparkline"]["points"] == [5.0, 4.0, 7.5]


async def test_private_series_have_sparklines_for_their_owner_alone(desks: Desks) -> None:
    for tenant, value in (("acme", 77.5), ("bolt", 11.5)):
        desk = desks.of(tenant)
        assert (await desk.send("PUT", f"{OWN}/meter", json=DECLARATION)).status_code == 201
        assert (await desk.send("PUT", f"{OWN}/bare", json=DECLARATION)).status_code == 201
        points = [{"start": START.isoformat(), "value": value}]
        assert (await desk.send("PUT", f"{OWN}/meter/observations", json={"data": points})).status_code == 200
    for tenant, value in (("acme", 77.5), ("bolt", 11.5)):
        rows = await desks.of(tenant).rows(OWN, sparkline="true")
        assert {row["name"]: row["sparkline"]["points"] for row in rows} == {"bare": [], "meter": [value]}
        assert all("sparkline" not in row for row in await desks.of(tenant).rows(OWN))
        shared = await desks.of(tenant).get("/v2/series", sparkline="true")
        assert "77.5" not in shared.text
        assert "private:" not in shared.text
