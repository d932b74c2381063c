"""The service itself: health, request ids, headers, the reference, bugs, a store that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from typing import Any, cast

import asyncpg
import httpx
import polars as pl
import pytest
from api_market import LONG, NYC

from aurum.api.http.problems import ALL_KINDS, TYPES
from aurum.api.testing import Served, changed, serving
from aurum.assembly.postgres import open_live_store
from aurum.assembly.store import StoreParts
from aurum.common.settings import CacheSettings, DatabaseSettings, Settings
from aurum.core.errors import Unavailable
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.observations import SeriesReader

pytestmark = pytest.mark.needs_postgres


async def test_a_service_with_a_migrated_store_is_live_ready_and_healthy(client: httpx.AsyncClient) -> None:
    assert (await client.get("/live")).json() == {"status": "ok"}
    assert (await client.get("/ready")).status_code == 200
    health = (await client.get("/health")).json()
    assert (health["status"], health["dependencies"][0]["name"]) == ("ok", "store")
    assert health["dependencies"][0]["milliseconds"] > 0


async def test_a_store_without_the_schema_is_not_ready_and_says_why(postgres_server: EmbeddedPostgres) -> None:
    bare = postgres_server.url_of("postgres")
    async with serving(Settings(database=DatabaseSettings(url=bare, pool_size=2))) as served:
        ready = await served.client.get("/ready")
        assert ready.status_code == 503
        assert ready.headers["retry-after"] == "1"
        assert ready.json()["type"] == "/problems/unavailable"
        assert (await served.client.get("/live")).status_code == 200
        assert (await served.client.get("/health")).json()["status"] == "not migrated"
        read = await served.client.get(f"/v2/series/{NYC}/observations")
        assert read.status_code == 503
        assert "migrated" in read.json()["detail"]


async def test_a_database_that_goes_away_is_503_without_its_name(
    postgres_server: EmbeddedPostgres, migrated_template: str
) -> None:
    connection = await asyncpg.connect(postgres_server.url_of("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE api_goes_away TEMPLATE {migrated_template}")
        url = postgres_server.url_of("api_goes_away")
        # Without golden queries, which would have answered some of these requests in advance.
        settings = Settings(database=DatabaseSettings(url=url, pool_size=2), cache=CacheSettings(golden=()))
        async with serving(settings) as served:
            assert (await served.client.get("/ready")).status_code == 200
            await connection.execute("DROP DATABASE api_goes_away WITH (FORCE)")
            for path in ("/ready", f"/v2/series/{NYC}", f"/v2/series/{NYC}/observations?format=csv", "/v2/catalog/sources"):
                response = await served.client.get(path)
                assert response.status_code == 503, response.text[:300]
                assert int(response.headers["retry-after"]) >= 1
                assert "api_goes_away" not in response.text
            assert (await served.client.get("/live")).status_code == 200
    finally:
        await connection.close()


class SilentReader:
    """A store that has stopped to answer."""

    async def stream(self, series_ids: object, *, span: object, as_of: object = None) -> AsyncIterator[pl.DataFrame]:
        raise Unavailable("the database took too long", retry_after=7.4)
        yield pl.DataFrame()


async def test_a_stream_that_cannot_begin_is_503_and_not_a_broken_200(settings: Settings) -> None:
    def silent(store: StoreParts) -> StoreParts:
        reader = cast("SeriesReader", SilentReader())
        return replace(store, observations=replace(store.observations, reader=reader))

    async with serving(settings, changed(open_live_store, silent)) as served:
        response = await served.client.get(f"/v2/series/{LONG}/observations?format=csv")
    assert (response.status_code, response.headers["retry-after"]) == (503, "8")


async def test_a_sane_request_id_comes_back_and_another_is_replaced(client: httpx.AsyncClient) -> None:
    assert (await client.get("/live", headers={"x-request-id": "trace-1.2_3"})).headers["x-request-id"] == "trace-1.2_3"
    for bad in ("a b", "x" * 129, "<script>", ""):
        request_id = (await client.get("/live", headers={"x-request-id": bad})).headers["x-request-id"]
        assert request_id != bad
        assert len(request_id) >= 16


async def test_answers_bear_security_headers_once(client: httpx.AsyncClient) -> None:
    for path in ("/live", "/v2/nothing", f"/v2/series/{NYC}/observations"):
        headers = (await client.get(path)).headers
        assert headers.get_list("x-content-type-options") == ["nosniff"]
        assert len(headers.get_list("x-request-id")) == 1


class BrokenCatalog:
    """Every look-up is a bug."""

    async def series_by_key(self, keys: object) -> object:
        raise ZeroDivisionError("secret detail")


async def test_a_bug_is_500_with_the_request_id_and_no_detail(settings: Settings) -> None:
    def broken(store: StoreParts) -> StoreParts:
        return replace(store, catalog=replace(store.catalog, reader=cast("Catalog", BrokenCatalog())))

    async with serving(settings, changed(open_live_store, broken)) as served:
        response = await served.client.get(f"/v2/series/{NYC}", headers={"x-request-id": "find-me"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["request_id"]) == ("/problems/internal", "find-me")
    assert "secret" not in response.text


async def test_every_problem_type_leads_to_its_page(client: httpx.AsyncClient) -> None:
    problem = (await client.get("/v2/series/a:b:c:d")).json()
    assert problem["type"] in {TYPES + kind.name for kind in ALL_KINDS}
    for kind in ALL_KINDS:
        page = await client.get(TYPES + kind.name)
        assert page.headers["content-type"].startswith("text/markdown")
        assert page.text.startswith(f"# {kind.title}\n")


async def test_a_stream_that_is_left_gives_its_connection_back(market_url: str) -> None:
    settings = Settings(database=DatabaseSettings(url=market_url, pool_size=2))
    async with serving(settings) as served:
        for _ in range(3):
            await leave_early(served, f"/v2/series/{LONG}/observations")
        assert (await served.client.get(f"/v2/series/{NYC}")).status_code == 200


async def leave_early(served: Served, path: str) -> None:
    """Ask for a long stream and go away after its first piece."""
    received = asyncio.Event()

    async def receive() -> dict[str, object]:
        await received.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            received.set()
            await asyncio.sleep(0.01)  # a client that reads slowly

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"format=csv", "root_path": "",
        "headers": [(b"host", b"aurum.test")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    await served.asgi(scope, receive, send)
    assert received.is_set()


async def test_latest_is_another_name_of_the_newest_version(client: httpx.AsyncClient) -> None:
    for path in ("/series?limit=2", f"/series/{NYC}/observations?start=2025-11-02&end=2025-11-03", "/catalog/units"):
        newest, latest = await client.get("/v2" + path), await client.get("/latest" + path)
        assert (latest.status_code, latest.content, latest.headers["etag"]) == (200, newest.content, newest.headers["etag"])
    assert (await client.get("/latest/nothing")).status_code == 404


async def test_a_kept_absence_names_each_request_that_asks_and_keeps_the_rest_of_its_text(client: httpx.AsyncClient) -> None:
    path = f"/v2/series/{NYC}-not"
    first = await client.get(path, headers={"x-request-id": "e"})
    second = await client.get(path, headers={"x-request-id": "POISON"})
    assert (first.status_code, second.headers["x-cache"]) == (404, "hit")
    assert second.json() == {**first.json(), "request_id": "POISON"}
    assert int(second.headers["content-length"]) == len(second.content)


async def test_an_absence_that_went_out_compressed_names_each_request_too(client: httpx.AsyncClient) -> None:
    path = f"/v2/series/{'x' * 600}:a:b:c"
    for name in ("first", "second"):
        answer = await client.get(path, headers={"x-request-id": name, "accept-encoding": "gzip"})
        assert (answer.status_code, answer.json()["request_id"]) == (404, name)
