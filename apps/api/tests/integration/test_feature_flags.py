"""Feature flags of a running service: made over HTTP, in every process within a second, asked through OpenFeature."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from aurum.api.flags import context_of
from aurum.api.testing import serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.access import LOCAL

FLAGS = "/v2/admin/flags"
ON = {"rules": [{"variant": "on"}]}


async def within_a_second(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 1.0
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_change_reaches_every_service_within_a_second(database_url: str) -> None:
    settings = Settings(database=DatabaseSettings(url=database_url, pool_size=2))
    async with serving(settings) as first, serving(settings) as second:
        states: list[Any] = []
        for served in (first, second):
            await served.client.get("/live")
            states.append(served.state["services"].flags.client)

        def values() -> list[bool]:
            return [client.get_boolean_value("new-curves", False, context_of(LOCAL)) for client in states]

        assert values() == [False, False]
        assert (await first.client.put(f"{FLAGS}/new-curves", json=ON)).status_code == 200
        await within_a_second(lambda: values() == [True, True])
        await second.client.post(f"{FLAGS}/new-curves/kill")
        await within_a_second(lambda: values() == [False, False])
        await second.client.post(f"{FLAGS}/new-curves/revive")
        await within_a_second(lambda: values() == [True, True])
        await first.client.delete(f"{FLAGS}/new-curves")
        await within_a_second(lambda: values() == [False, False])
        record = (await first.client.get("/v2/admin/audit")).json()["data"]
    assert [entry["action"] for entry in record] == ["flag.delete", "flag.put", "flag.put", "flag.put"]


async def test_a_flag_is_read_with_its_version_and_changed_by_it(client: httpx.AsyncClient) -> None:
    url = f"{FLAGS}/versions"
    assert (await client.put(f"{url}?version=0", json=ON)).json()["data"]["version"] == 1
    assert (await client.get(url)).headers["etag"] == '"1"'
    assert (await client.put(f"{url}?version=0", json=ON)).status_code == 409
    assert (await client.put(f"{url}?version=1", json={"enabled": False})).json()["data"]["version"] == 2


async def test_what_somebody_would_get_is_told_with_the_reason(client: httpx.AsyncClient) -> None:
    rule = {"conditions": [{"attribute": "tenant", "operator": "eq", "value": "acme"}], "variant": "on"}
    await client.put(f"{FLAGS}/asked", json={"rules": [rule]})
    for tenant, expected in (("acme", ("on", True, "rule", 0)), ("bolt", ("off", False, "default", None))):
        asking = {"key": tenant, "attributes": {"tenant": tenant}}
        found = (await client.post(f"{FLAGS}/asked/evaluate", json=asking)).json()["data"]
        assert (found["variant"], found["value"], found["reason"], found["rule"]) == expected


@pytest.mark.parametrize(
    "flag",
    [
        {"prerequisites": [{"flag": "nowhere", "variant": "on"}]},
        {"prerequisites": [{"flag": "circle", "variant": "on"}]},
        {"rules": [{"variant": "maybe"}]},
        {"variants": {}},
    ],
)
async def test_a_flag_that_makes_no_sense_is_422(client: httpx.AsyncClient, flag: dict[str, Any]) -> None:
    assert (await client.put(f"{FLAGS}/circle", json=flag)).status_code == 422


async def test_an_unknown_flag_is_404_with_the_nearest(client: httpx.AsyncClient) -> None:
    await client.put(f"{FLAGS}/nearest-flag", json=ON)
    response = await client.get(f"{FLAGS}/nearest-flg")
    assert (response.status_code, response.json()["nearest"][0]) == (404, "nearest-flag")


async def test_evaluations_are_counted(database_url: str) -> None:
    settings = Settings(database=DatabaseSettings(url=database_url, pool_size=2))
    async with serving(settings) as served:
        await served.client.put(f"{FLAGS}/counted", json=ON)
        flags = served.state["services"].flags
        await within_a_second(lambda: "counted" in flags.provider.flags)
        for _ in range(3):
            flags.client.get_boolean_value("counted", False, context_of(LOCAL))
        await flags.flush()
        found = (await served.client.get(f"{FLAGS}/counted/use")).json()["data"]
    assert [(one["variant"], one["evaluations"]) for one in found] == [("on", 3)]
