"""``DELETE /v2/admin/series/{key}``, and lists while a stored key is invalid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from api_market import NYC, ODD, WEST, declare, invented_series, load

from aurum.api.testing import Served, serving
from aurum.common.settings import ApiSettings, DatabaseSettings, Settings
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

KEYS = {entry.key for entry in invented_series()}
USD = "ecb:reference_rates:EURUSD:rate"
INVALID = "nyiso:damlbmp_zone:61752\u200b\x91:lmp"


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    await declare(postgres_store)
    await load(postgres_store)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def served(store: PostgresStore, database_url: str) -> AsyncIterator[Served]:
    del store  # it has its data by then
    settings = Settings(database=DatabaseSettings(url=database_url, pool_size=2), api=ApiSettings(enable_v1=True))
    async with serving(settings) as running:
        yield running


def path_of(key: str, reason: str = "?reason=wrong+file") -> str:
    return f"/v2/admin/series/{quote(key, safe='')}{reason}"


async def listed(served: Served) -> set[str]:
    answer = await served.client.get("/v2/series?limit=1000")
    assert answer.status_code == 200, answer.text
    return {one["key"] for one in answer.json()["data"]}


@pytest.mark.parametrize("key", [NYC, ODD])
async def test_a_removed_series_is_gone_from_every_answer_also_from_cached_ones(served: Served, key: str) -> None:
    paths = [f"/v2/series/{quote(key, safe='')}", f"/v2/series/{quote(key, safe='')}/observations"]
    for path in (*paths, *paths):
        assert (await served.client.get(path)).status_code == 200
    assert key in await listed(served)
    answer = await served.client.delete(path_of(key))
    assert (answer.status_code, answer.content) == (204, b"")

    async def is_gone() -> bool:
        statuses = [(await served.client.get(path)).status_code for path in paths]
        return statuses == [404, 404] and await listed(served) == KEYS - {key}

    await wait_until(is_gone)
    (entry, *_) = (await served.client.get("/v2/admin/audit")).json()["data"]
    assert (entry["action"], entry["target"], entry["detail"]["reason"]) == ("series.remove", key, "wrong file")
    assert (await served.client.delete(path_of(key))).status_code == 404


@pytest.mark.parametrize(
    "reason", ["", "?reason=", "?reason=%20%09", "?reason=a%00b", "?reason=%E2%80%8B", "?reason=" + "x" * 1001]
)
async def test_without_a_reason_the_request_is_refused(served: Served, reason: str) -> None:
    answer = await served.client.delete(path_of(NYC, reason))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "reason"
    assert "why the series is removed" in error["message"].lower() or "at most 1,000 characters" in error["message"]
    assert NYC in await listed(served)


async def test_an_unknown_series_is_a_404_that_names_similar_keys(served: Served) -> None:
    answer = await served.client.delete(path_of("nyiso:damlbmp_zone:61762:lmp"))
    assert answer.status_code == 404
    assert NYC in answer.json()["nearest"]


async def test_a_rate_in_use_is_a_409_that_names_what_needs_it(served: Served) -> None:
    answer = await served.client.delete(path_of(USD))
    assert answer.status_code == 409
    (referrer,) = answer.json()["referrers"]
    assert (referrer["kind"], referrer["count"] > 1) == ("conversion of series in USD", True)
    assert USD in await listed(served)


async def test_a_key_that_is_invalid_today_fails_no_list_and_can_be_removed(served: Served, store: PostgresStore) -> None:
    async with store.pool.acquire() as connection:
        await connection.execute(
            "UPDATE series SET key = $1, location = '61752' || chr(8203) || chr(145) WHERE key = $2", INVALID, WEST
        )

    async def is_left_out() -> bool:
        return await listed(served) == KEYS - {WEST}

    await wait_until(is_left_out)
    for path in (
        "/v2/catalog/locations?limit=1000",
        "/v2/catalog/dimensions",
        "/v2/catalog/quality",
        "/v2/catalog/quality/completeness",
        "/v2/series?source=nyiso&limit=1",
        "/v1/metadata/locations",
        "/v1/metadata/dimensions",
        "/v1/iso/lmp/daily?iso_code=NYISO&start=2025-11-01&end=2025-11-03",
        "/v1/external/providers",
    ):
        answer = await served.client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
    assert (await served.client.get(f"/v2/series/{quote(INVALID, safe='')}")).status_code == 404
    assert (await served.client.delete(path_of(INVALID))).status_code == 204
    async with store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM series WHERE key = $1", INVALID) == 0
