"""``/v2/external`` and ``/v2/drought`` over the sample on PostgreSQL: providers, their series and observations."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, Settings

pytestmark = pytest.mark.needs_postgres

NYC = "nyiso:damlbmp_zone:61761:lmp"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(sample_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(database=DatabaseSettings(url=sample_url, pool_size=2, statement_timeout_s=300.0))
    async with serving(settings) as served:

        async def on_loopback(scope: Any, receive: Any, send: Any) -> None:
            await served.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

        transport = httpx.ASGITransport(on_loopback, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as connected:
            yield connected


async def get(client: httpx.AsyncClient, path: str, **params: str | int) -> dict[str, Any]:
    response = await client.get(f"/v2/{path}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def walked(client: httpx.AsyncClient, path: str, **params: str | int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    page = await get(client, path, **params)
    while True:
        rows += page["data"]
        if page["meta"]["next_cursor"] is None:
            return rows
        page = await get(client, path, **params, cursor=page["meta"]["next_cursor"])


async def test_providers_are_agencies_and_no_grid_operators(client: httpx.AsyncClient) -> None:
    providers = {one["name"]: one for one in (await get(client, "external/providers"))["data"]}
    assert {"ecb", "drought_monitor"} <= set(providers)
    assert not {"nyiso", "pjm", "ercot"} & set(providers)
    assert "reference_rates" in providers["ecb"]["datasets"]
    assert providers["drought_monitor"]["series"] == 1
    assert await walked(client, "external/providers", limit=2) == [*providers.values()]


async def test_series_of_providers_are_filtered_and_paged(client: httpx.AsyncClient) -> None:
    everything = await walked(client, "external/series", limit=1000)
    keys = [one["key"] for one in everything]
    assert keys == sorted(keys)
    assert NYC not in keys
    assert [one["key"] for one in await walked(client, "external/series", limit=7)] == keys
    rates = await walked(client, "external/series", provider="ecb", dataset="reference_rates", frequency="1d")
    assert rates
    assert {(one["source"], one["dataset"], one["frequency"]) for one in rates} == {("ecb", "reference_rates", "1d")}
    matching = await walked(client, "external/series", text="conus")
    assert [one["key"] for one in matching] == ["drought_monitor:dsci:CONUS:dsci"]
    assert await walked(client, "external/series", provider="ecb", frequency="1h") == []


async def test_observations_are_those_of_the_series_in_every_format(client: httpx.AsyncClient) -> None:
    (rate, *_) = await walked(client, "external/series", provider="ecb")
    key = rate["key"]
    here = await client.get(f"/v2/external/series/{key}/observations?format=json")
    there = await client.get(f"/v2/series/{key}/observations?format=json")
    assert here.json() == there.json()
    assert len(here.json()["data"]) > 100
    for name in ("csv", "ndjson", "arrow", "parquet"):
        pair = [await client.get(f"/v2/{path}/{key}/observations?format={name}") for path in ("external/series", "series")]
        assert [one.status_code for one in pair] == [200, 200]
        assert pair[0].content == pair[1].content
    rows = list(csv.DictReader(io.StringIO((await client.get(f"/v2/external/series/{key}/observations?format=csv")).text)))
    assert float(rows[0]["value"]) == here.json()["data"][0]["value"]
    same = await client.get(
        f"/v2/external/series/{key}/observations?format=json", headers={"if-none-match": here.headers["etag"]}
    )
    assert same.status_code == 304


async def test_the_past_is_read_as_it_was_known(client: httpx.AsyncClient) -> None:
    (rate, *_) = await walked(client, "external/series", provider="ecb")
    url = f"/v2/external/series/{rate['key']}/observations"
    rows = (await client.get(url)).json()["data"]
    then = (await client.get(url, params={"as_of": rows[9]["known_at"]})).json()["data"]
    assert [row["start"] for row in then] == [row["start"] for row in rows if row["known_at"] <= rows[9]["known_at"]]


async def test_a_series_of_a_grid_operator_is_no_providers(client: httpx.AsyncClient) -> None:
    for key in (NYC, "ecb:reference_rates:XXX:rate", "x"):
        response = await client.get(f"/v2/external/series/{key}/observations")
        assert response.status_code in (404, 422)
        assert response.headers["content-type"] == "application/problem+json"
    assert (await client.get(f"/v2/external/series/{NYC}/observations")).status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter", "hint"),
    [
        ("series?provider=nyiso", "provider", "/v2/external/providers"),
        ("series?provider=ebc", "provider", "ecb"),
        ("series?provider=ecb&dataset=damlbmp_zone", "dataset", "reference_rates"),
        ("series?frequency=2d", "frequency", ""),
        ("series?providers=ecb", "providers", "provider"),
        ("series?cursor=AAAA", "cursor", ""),
        ("providers?limit=0", "limit", ""),
        ("providers?provider=ecb", "provider", ""),
        ("series/ecb:reference_rates:USD:rate/observations?limits=3", "limits", ""),
    ],
)
async def test_what_cannot_be_used_is_refused_by_name(client: httpx.AsyncClient, query: str, parameter: str, hint: str) -> None:
    response = await client.get(f"/v2/external/{query}")
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    error = response.json()["errors"][0]
    assert error["field"] == parameter
    assert hint in error["message"]


async def test_a_cursor_belongs_to_its_query(client: httpx.AsyncClient) -> None:
    cursor = (await get(client, "external/series", limit=2))["meta"]["next_cursor"]
    for other in ("series?provider=ecb&limit=2", "providers?limit=2"):
        response = await client.get(f"/v2/external/{other}&cursor={cursor}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cursor")


async def test_drought_is_read_from_the_database_in_pages_with_changes(client: httpx.AsyncClient) -> None:
    whole = (await get(client, "drought/indices", region="CONUS", weeks=4, limit=1000))["data"]
    assert (whole[0]["day"], whole[0]["value"], whole[0]["value_change"]) == ("2009-01-06", 69.0, None)
    assert whole[4]["value_change"] == whole[4]["value"] - whole[0]["value"]
    assert await walked(client, "drought/indices", region="CONUS", weeks=4, limit=50) == whole
