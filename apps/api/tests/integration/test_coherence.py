"""Several processes, one truth: no kept answer is older than its data for more than a second."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from api_market import FIRST_KNOWN, NYC, NYC_START, WEST, InventedSeries, file_of
from api_processes import api_process

from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

ROUNDS = 12
PATH = f"/v2/series/{NYC}/observations?start=2025-10-31&end=2025-11-01"
OTHER = f"/v2/series/{WEST}/observations?start=2025-10-31&end=2025-11-01"


def series_with(key: str, value: float) -> InventedSeries:
    return InventedSeries(key, "USD/MWh", "1h", "America/New_York", "NYISO", [(NYC_START, value, FIRST_KNOWN, 0)], "USD")


async def until_given(client: httpx.AsyncClient, url: str, value: float) -> None:
    """Return once a process gives a value."""

    async def is_given() -> bool:
        return [row["value"] for row in (await client.get(url)).json()["data"]][:1] == [value]

    await wait_until(is_given, f"{url} gives {value}")


async def test_two_processes_forget_what_a_load_changed_and_nothing_else(
    database_url: str, postgres_store: PostgresStore
) -> None:
    await postgres_store.loader.load(file_of(series_with(NYC, -1.0)))
    await postgres_store.loader.load(file_of(series_with(WEST, -1.0)))
    with api_process(database_url) as first, api_process(database_url) as second:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            for url in (first, second):
                await client.get(url + OTHER)
                assert (await client.get(url + PATH)).headers["x-cache"] == "miss"
                assert (await client.get(url + PATH)).headers["x-cache"] == "hit"
            for number in range(ROUNDS):
                await postgres_store.loader.load(file_of(series_with(NYC, float(number)), content=str(number)))
                await asyncio.gather(*(until_given(client, url + PATH, float(number)) for url in (first, second)))
                assert [(await client.get(url + PATH)).headers["x-cache"] for url in (first, second)] == ["hit", "hit"]
            for url in (first, second):
                assert (await client.get(url + OTHER)).headers["x-cache"] == "hit"


async def test_a_missing_series_is_found_soon_after_its_first_load(database_url: str, postgres_store: PostgresStore) -> None:
    with api_process(database_url) as url:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            missing = [await client.get(url + PATH, headers={"x-request-id": f"request-{number}"}) for number in range(2)]
            assert [(one.status_code, one.headers["x-cache"]) for one in missing] == [(404, "miss"), (404, "hit")]
            assert [one.json()["request_id"] for one in missing] == ["request-0", "request-1"]
            await postgres_store.loader.load(file_of(series_with(NYC, 1.0)))

            async def is_found() -> bool:
                return (await client.get(url + PATH)).status_code == 200

            await wait_until(is_found)
