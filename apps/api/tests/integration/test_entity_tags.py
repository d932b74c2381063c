"""Entity tags: a caller that has the answer is told so; a new version of the data is a new tag."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from api_market import FIRST_KNOWN, NYC, NYC_START, InventedSeries, file_of

from aurum.api.testing import serving
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

PATH = f"/v2/series/{NYC}/observations"


async def test_a_caller_that_has_the_answer_gets_304_and_no_body(client: httpx.AsyncClient) -> None:
    for url in (PATH, f"{PATH}?freq=1d", f"{PATH}?format=csv", f"/v2/series/{NYC}/revisions", f"/v2/observations?series={NYC}"):
        first = await client.get(url)
        tag = first.headers["etag"]
        assert tag.startswith('"')
        again = await client.get(url, headers={"if-none-match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert first.headers["cache-control"] == again.headers["cache-control"] == "public, no-cache"


async def test_every_other_question_has_another_tag(client: httpx.AsyncClient) -> None:
    questions = ["", "?format=csv", "?layout=columns", "?tz=market", "?start=2025-11-01", "?as_of=2025-11-01", "?block=ON_PEAK"]
    tags = [(await client.get(PATH + question)).headers["etag"] for question in questions]
    tags.append((await client.get(PATH, headers={"accept": "application/x-ndjson"})).headers["etag"])
    assert len(set(tags)) == len(tags)


async def test_a_stale_tag_gets_the_new_answer(database_url: str, postgres_store: PostgresStore) -> None:
    def series_with(value: float) -> InventedSeries:
        return InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", [(NYC_START, value, FIRST_KNOWN, 0)], "USD")

    await postgres_store.loader.load(file_of(series_with(1.0), content="1"))
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as served:
        tag = (await served.client.get(PATH)).headers["etag"]
        await postgres_store.loader.load(file_of(series_with(2.0), content="2"))
        response = await served.client.get(PATH, headers={"if-none-match": tag})

        async def changed() -> bool:
            nonlocal response
            response = await served.client.get(PATH, headers={"if-none-match": tag})
            return response.status_code != 304

        await wait_until(changed, "the new version is seen")
        assert response.headers["etag"] != tag
        assert [row["value"] for row in response.json()["data"]] == [2.0]


async def test_head_has_the_headers_of_get_and_no_body(client: httpx.AsyncClient) -> None:
    bulk = (f"{PATH}?format=csv", f"/v2/observations?series={NYC}&format=csv")
    for url in (PATH, *bulk, "/v2/series", "/v2/catalog/sources", "/live"):
        head, get = await client.head(url), await client.get(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.get("etag") == get.headers.get("etag")
        assert head.headers["content-type"] == get.headers["content-type"]
        # A stream has no Content-Length, so HEAD must not have one either, least of all 0.
        assert head.headers.get("content-length") in (None, get.headers.get("content-length"))
    assert (await client.head("/v2/series/a:b:c:d")).status_code == 404


async def test_the_copy_of_a_store_has_other_tags(database_url: str) -> None:
    """It counts versions on from where the copy was made: the same number would stand for other data."""
    pool = await PostgresPool.open(DatabaseSettings(url=database_url, pool_size=2))
    series = InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", [(NYC_START, 1.0, FIRST_KNOWN, 0)], "USD")
    await PostgresStore(pool, SystemClock()).loader.load(file_of(series, content="1"))
    await pool.close()
    server = urlsplit(database_url)
    copy = f"{server.path[1:]}_restored"
    owner = await asyncpg.connect(urlunsplit(server._replace(path="/postgres")))
    await owner.execute(f"CREATE DATABASE {copy} TEMPLATE {server.path[1:]}")
    tags = []
    for name in (server.path[1:], copy):
        url = urlunsplit(server._replace(path=f"/{name}"))
        async with serving(Settings(database=DatabaseSettings(url=url, pool_size=2))) as served:
            tags.append((await served.client.get(PATH)).headers["etag"])
    await owner.execute(f"DROP DATABASE {copy}")
    await owner.close()
    assert tags[0] != tags[1]
