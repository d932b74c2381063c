"""Errors are pages for browsers and problem documents for every other client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, Settings
from aurum.common.settings.limits import LimitsSettings
from aurum.storage.memory import MemoryStore

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
UNKNOWN = "/v2/series/nyiso:damlbmp_zone:61761:<script>alert(1)</script>"


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Settings(), InMemory(MemoryStore(SystemClock()))) as served:
        yield served.client


@pytest.mark.parametrize("coding", ["identity", "gzip, br, zstd"])
async def test_a_browser_gets_a_page_with_the_same_status(client: httpx.AsyncClient, coding: str) -> None:
    page = await client.get(UNKNOWN, headers={"accept": BROWSER, "accept-encoding": coding})
    document = (await client.get(UNKNOWN)).json()
    assert page.status_code == document["status"] == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-request-id"] in page.text
    assert document["title"] in page.text
    assert '<a href="/problems/not-found">' in page.text


async def test_texts_of_a_request_stand_in_a_page_as_text(client: httpx.AsyncClient) -> None:
    page = await client.get(UNKNOWN, headers={"accept": BROWSER})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


async def test_wrong_parameters_are_listed_in_the_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/v2/series?limit=many", headers={"accept": BROWSER})
    assert page.status_code == 422
    assert "<td>limit</td>" in page.text


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5", "text/csv"])
async def test_every_other_client_gets_the_document(client: httpx.AsyncClient, accept: str | None) -> None:
    response = await client.get(UNKNOWN, headers={"accept": accept} if accept else {})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 404


async def test_a_page_is_not_cached_for_a_client_that_wants_the_document(client: httpx.AsyncClient) -> None:
    path = "/v2/series/nyiso:damlbmp_zone:61761:nothing"
    for _ in range(2):
        assert (await client.get(path, headers={"accept": BROWSER})).headers["content-type"].startswith("text/html")
        assert (await client.get(path)).headers["content-type"] == "application/problem+json"


async def test_what_the_layers_refuse_is_a_page_as_well() -> None:
    settings = Settings(access=AccessSettings(mode="required"))
    async with serving(settings, InMemory(MemoryStore(SystemClock()))) as served:
        page = await served.client.get("/v2/series", headers={"accept": BROWSER})
    assert page.status_code == 401
    assert page.headers["www-authenticate"].startswith("Bearer")
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_page_names_the_time_after_which_to_repeat_a_limited_request() -> None:
    settings = Settings(limits=LimitsSettings(global_per_second=0.01))
    async with serving(settings, InMemory(MemoryStore(SystemClock()))) as served:
        await served.client.get("/v2/series", headers={"accept": BROWSER})
        page = await served.client.get("/v2/series", headers={"accept": BROWSER})
    assert page.status_code == 429
    assert f"Repeat the request in {page.headers['retry-after']} seconds." in page.text


async def test_a_browser_reads_data_as_it_is_served(client: httpx.AsyncClient) -> None:
    response = await client.get("/v2/series", headers={"accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
