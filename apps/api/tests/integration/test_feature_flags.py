"""Feature flags of a running service: made over HTTP, in every process within a second, asked through OpenFeature."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from aurum.api.handlers.flags import context_of
from aurum.api.testing import Served, serving
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.access import LOCAL
from aurum.storage.ports.access import Actor
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

FLAGS = "/v2/admin/flags"
ON = {"rules": [{"variant": "on"}]}


async def test_a_change_reaches_every_service_soon(database_url: str) -> None:
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
        await wait_until(lambda: values() == [True, True])
        await second.client.post(f"{FLAGS}/new-curves/kill")
        await wait_until(lambda: values() == [False, False])
        await second.client.post(f"{FLAGS}/new-curves/revive")
        await wait_until(lambda: values() == [True, True])
        await first.client.delete(f"{FLAGS}/new-curves")
        await wait_until(lambda: values() == [False, False])
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
        evaluation = (await client.post(f"{FLAGS}/asked/evaluate", json=asking)).json()["data"]
        assert (evaluation["variant"], evaluation["value"], evaluation["reason"], evaluation["rule"]) == expected


async def test_a_flag_is_put_where_its_tag_is_the_one_that_was_read(client: httpx.AsyncClient) -> None:
    url = f"{FLAGS}/tagged"

    async def put(tag: str) -> httpx.Response:
        return await client.put(url, json=ON, headers={"if-match": tag})

    refused = await put("*")
    assert (refused.status_code, refused.json()["type"]) == (412, "/problems/precondition-failed")
    assert (await client.put(url, json=ON)).headers["etag"] == '"1"'
    assert (await put('"1"')).headers["etag"] == '"2"'
    assert [(await put(tag)).status_code for tag in ('"1"', 'W/"2"', '"7", "2"', "*")] == [412, 412, 200, 200]
    assert (await client.get(url)).headers["etag"] == '"4"'


async def test_a_flag_that_another_needs_can_go_and_nothing_is_in_the_way_of_others(client: httpx.AsyncClient) -> None:
    needing = {"rules": [{"variant": "on"}], "prerequisites": [{"flag": "base", "variant": "on"}]}
    for name, flag in (("base", ON), ("on-base", needing)):
        assert (await client.put(f"{FLAGS}/{name}", json=flag)).status_code == 200
    assert (await client.delete(f"{FLAGS}/base")).status_code == 204
    assert (await client.put(f"{FLAGS}/another", json=ON)).status_code == 200
    evaluation = (await client.post(f"{FLAGS}/on-base/evaluate", json={"key": "x"})).json()["data"]
    assert (evaluation["variant"], evaluation["reason"]) == ("off", "prerequisite")
    await client.delete(f"{FLAGS}/on-base")


async def test_of_two_that_would_close_a_circle_at_once_one_is_refused(client: httpx.AsyncClient) -> None:
    names = ("left", "right")
    for name in names:
        await client.put(f"{FLAGS}/{name}", json=ON)

    async def put(name: str, other: str) -> int:
        flag = {"prerequisites": [{"flag": other, "variant": "on"}]}
        return (await client.put(f"{FLAGS}/{name}", json=flag)).status_code

    assert sorted(await asyncio.gather(put(*names), put(*reversed(names)))) == [200, 422]
    for name in names:
        await client.delete(f"{FLAGS}/{name}")


async def test_a_circle_that_was_stored_is_a_conflict_to_who_tries_it(served: Served) -> None:
    transactions, operator = served.state["services"].store.transactions, Actor("operator")
    async with transactions.transaction(by=operator) as tx:
        await tx.flags.put("ring", {"prerequisites": [{"flag": "ring", "variant": "on"}]}, by=operator.subject)
    answer = await served.client.post(f"{FLAGS}/ring/evaluate", json={"key": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "ring needs ring")
    async with transactions.transaction(by=operator) as tx:
        await tx.flags.delete("ring")


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
        await wait_until(lambda: "counted" in flags.provider.flags)
        for _ in range(3):
            flags.client.get_boolean_value("counted", False, context_of(LOCAL))
        await flags.flush()
        uses = (await served.client.get(f"{FLAGS}/counted/use")).json()["data"]
    assert [(one["variant"], one["evaluations"]) for one in uses] == [("on", 3)]
