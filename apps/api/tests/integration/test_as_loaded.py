"""``as_loaded``: answers from the store as it stood, which clients may keep without asking again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from api_market import FIRST_KNOWN, NYC, NYC_START, InventedSeries, file_of

from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

HOURS = 25


def prices(value: float, *, known_days: int = 0) -> InventedSeries:
    known_at = FIRST_KNOWN + timedelta(days=known_days)
    points = [(NYC_START + timedelta(hours=hour), value + hour, known_at, 0) for hour in range(HOURS)]
    return InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", points, "USD")


@pytest_asyncio.fixture(loop_scope="session")
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as served:
        yield served.client


async def test_answers_as_loaded_are_those_given_then(client: httpx.AsyncClient, postgres_store: PostgresStore) -> None:
    queries = [
        f"/v2/series/{NYC}/observations?tz=market",
        f"/v2/series/{NYC}/observations?freq=1d&agg=mean",
        f"/v2/series/{NYC}/observations?format=csv",
        f"/v2/series/{NYC}/revisions?layout=columns",
        f"/v2/observations?series={NYC}&layout=wide&as_of=2026-01-01",
        f"/v2/observations?series={NYC}&format=ndjson",
    ]
    await postgres_store.loader.load(file_of(prices(1.0), content="1"))
    at = (await postgres_store.loaded.latest()).isoformat().replace("+00:00", "Z")
    then = [await client.get(query) for query in queries]
    # A correction, and another publication that is known earlier and arrives later.
    await postgres_store.loader.load(file_of(prices(2.0, known_days=1), content="2"))
    await postgres_store.loader.load(file_of(prices(0.5, known_days=-1), content="3"))
    for query, before in zip(queries, then, strict=True):
        response = await client.get(query, params={**dict(httpx.URL(query).params), "as_loaded": at})
        # Revisions show the bases of known times, which a later file that repeats all values may add to.
        stays = "no-cache" if "/revisions" in query else "max-age=3600, immutable"
        assert response.headers["cache-control"] == f"public, {stays}"
        if response.headers["content-type"].startswith("application/json"):
            assert response.json()["data"] == before.json()["data"]
            assert response.json()["meta"]["as_loaded"] == at
            assert "version" not in str(response.json()["meta"])
        else:
            assert response.content == before.content


async def test_an_answer_as_loaded_keeps_its_tag_and_bytes_over_later_loads(
    client: httpx.AsyncClient, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_of(prices(1.0), content="1"))
    query = f"/v2/series/{NYC}/observations"
    params = {"as_loaded": (await postgres_store.loaded.latest()).isoformat()}
    first = await client.get(query, params=params)
    await postgres_store.loader.load(file_of(prices(2.0, known_days=1), content="2"))
    again = await client.get(query, params=params)
    assert (again.headers["etag"], again.content) == (first.headers["etag"], first.content)
    assert (await client.get(query, params=params, headers={"if-none-match": first.headers["etag"]})).status_code == 304


async def test_an_answer_about_a_past_instant_is_asked_for_again(
    client: httpx.AsyncClient, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_of(prices(1.0), content="1"))
    response = await client.get(f"/v2/series/{NYC}/observations?as_of=2026-01-01")
    assert response.headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize("instant", ["1999-01-01", "2999-01-01T00:00:00Z"])
async def test_an_instant_that_the_store_cannot_be_read_at_is_refused(
    client: httpx.AsyncClient, postgres_store: PostgresStore, instant: str
) -> None:
    await postgres_store.loader.load(file_of(prices(1.0), content="1"))
    for query in (f"/v2/series/{NYC}/observations", f"/v2/series/{NYC}/revisions", f"/v2/observations?series={NYC}"):
        params = {**dict(httpx.URL(query).params), "as_loaded": instant}
        for accept in ("application/json", "text/csv"):
            response = await client.get(query, params=params, headers={"accept": accept})
            assert response.status_code == 422
            problem = response.json()
            assert problem["errors"][0]["field"] == "as_loaded"
            assert problem["earliest"][:2] == "20"


async def test_a_batch_of_queries_takes_as_loaded(client: httpx.AsyncClient, postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_of(prices(1.0), content="1"))
    at = (await postgres_store.loaded.latest()).isoformat()
    await postgres_store.loader.load(file_of(prices(2.0, known_days=1), content="2"))
    queries = [{"id": "then", "series": [NYC], "as_loaded": at}, {"id": "now", "series": [NYC]}]
    response = await client.post("/v2/observations/query", json={"queries": queries})
    values = [item["answer"]["data"][0]["value"] for item in response.json()["data"]]
    assert values == [1.0, 2.0]
