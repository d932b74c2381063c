"""The feature flag ``v1``: version 1 of the API on or off for each tenant, at once, also where an answer was given before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import cast

import httpx
import pytest_asyncio

from aurum.api.registry import surface_of
from aurum.api.testing import InMemory, Served, changed, serving
from aurum.assembly.store import StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ApiSettings, DatabaseSettings, Settings
from aurum.core.api_keys import key_text
from aurum.core.errors import Unavailable
from aurum.services.access import create_tenant
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.flags import FlagStore
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

FLAG = "/v2/admin/flags/v1"
UNITS = "/v1/metadata/units"
GUIDE = "/docs/guides/from-v1-to-v2"
OFF_FOR_ACME = {
    "default_variant": "on",
    "rules": [{"conditions": [{"attribute": "tenant", "operator": "in", "value": ["acme"]}], "variant": "off"}],
}
PATHS = [
    UNITS,
    "/v1/metadata/dimensions",
    "/v1/metadata/locations",
    "/v1/metadata/eia/datasets",
    "/v1/iso/lmp/hourly",
    "/v1/ref/eia/series",
    "/v1/external/series",
    "/v1/drought/usdm",
]


@dataclass(frozen=True, slots=True)
class Clients:
    """A service and the headers of its callers: two tenants, and an operator."""

    served: Served
    acme: dict[str, str]
    bolt: dict[str, str]
    operator: dict[str, str]

    async def get(self, path: str, caller: dict[str, str], **headers: str) -> httpx.Response:
        return await self.served.client.get(path, headers=caller | headers)

    async def put_flag(self, document: dict[str, object]) -> None:
        answer = await self.served.client.put(FLAG, json=document, headers=self.operator)
        assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def clients(database_url: str, postgres_store: PostgresStore) -> AsyncIterator[Clients]:
    async def key(number: int, tenant: str, role: str) -> dict[str, str]:
        text, parts = key_text(number.to_bytes(8, "big") + bytes(32))
        made = ApiKey(parts.key_id, tenant, "test", (role,), (), SystemClock().now(), "test", None)
        await insert_key(postgres_store.transactions, made, parts.digest)
        return {"x-api-key": text}

    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant, "basic", by=Actor("operator"))
    keys = [await key(1, "acme", "user"), await key(2, "bolt", "user"), await key(3, "local", "super_admin")]
    settings = Settings(
        database=DatabaseSettings(url=database_url, pool_size=3),
        api=ApiSettings(enable_v1=True),
        access=AccessSettings(mode="required"),
    )
    async with serving(settings) as served:
        yield Clients(served, *keys)


async def switch_off_for_acme(clients: Clients) -> None:
    await clients.put_flag(OFF_FOR_ACME)

    async def is_off() -> bool:
        return (await clients.get(UNITS, clients.acme)).status_code == 404

    await wait_until(is_off)


async def test_every_path_is_404_for_a_tenant_that_is_switched_off(clients: Clients) -> None:
    paths = [*PATHS, "/v1/iso/lmp/hourly?iso_code=nowhere", "/v1/curves", "/v1/nothing/here"]
    others = [(await clients.get(path, clients.bolt)).status_code for path in paths]
    await switch_off_for_acme(clients)
    for path in paths:
        refused = await clients.get(path, clients.acme)
        problem = refused.json()
        assert (refused.status_code, problem["type"], problem["status"]) == (404, "/problems/not-found", 404), path
        assert "switched off for tenant 'acme'" in problem["detail"]
        assert (problem["guide"], GUIDE in problem["detail"]) == (GUIDE, True)
    assert [(await clients.get(path, clients.bolt)).status_code for path in paths] == others


async def test_the_answer_has_no_header_of_version_1_and_names_a_guide_that_exists(clients: Clients) -> None:
    await switch_off_for_acme(clients)
    refused = await clients.get(UNITS, clients.acme)
    assert {"deprecation", "sunset", "x-api-version", "x-api-lifecycle"}.isdisjoint(refused.headers)
    assert (await clients.get(UNITS, clients.bolt)).headers["deprecation"] == "true"
    assert (await clients.get(refused.json()["guide"], clients.acme, accept="text/html")).status_code == 200


async def test_other_methods_are_404_too(clients: Clients) -> None:
    await switch_off_for_acme(clients)
    assert (await clients.served.client.head(UNITS, headers=clients.acme)).status_code == 404
    assert (await clients.served.client.head(UNITS, headers=clients.bolt)).status_code == 200


async def test_an_answer_that_was_given_before_does_not_outlive_the_switch(clients: Clients) -> None:
    tags: dict[str, str] = {}
    for path in PATHS:
        first, second = await clients.get(path, clients.acme), await clients.get(path, clients.acme)
        assert (first.status_code, second.status_code) == (200, 200), path
        assert second.headers.get("x-cache") != "hit", "answers of version 1 depend on a flag and must not be cached"
        tags[path] = first.headers["etag"]
    await switch_off_for_acme(clients)
    for path, tag in tags.items():
        assert (await clients.get(path, clients.acme, **{"if-none-match": tag})).status_code == 404, path
        assert (await clients.get(path, clients.bolt, **{"if-none-match": tag})).status_code == 304, path


async def test_version_1_comes_back_when_the_flag_goes(clients: Clients) -> None:
    await switch_off_for_acme(clients)
    assert (await clients.served.client.delete(FLAG, headers=clients.operator)).status_code == 204

    async def is_on() -> bool:
        return (await clients.get(UNITS, clients.acme)).status_code == 200

    await wait_until(is_on)


async def test_the_kill_switch_turns_version_1_off_for_every_tenant(clients: Clients) -> None:
    await clients.put_flag(OFF_FOR_ACME | {"enabled": False})

    async def is_off() -> bool:
        return (await clients.get(UNITS, clients.bolt)).status_code == 404

    await wait_until(is_off)


async def test_version_2_answers_as_before_and_evaluates_no_flag(clients: Clients) -> None:
    await switch_off_for_acme(clients)
    provider = clients.served.state["services"].flags.provider
    provider.take_usage()
    for path, status in (("/v2/series", 200), ("/v2/catalog/units", 200), ("/latest/series", 200), ("/v2/nothing", 404)):
        assert (await clients.get(path, clients.acme)).status_code == status
    assert provider.take_usage() == {}


async def test_requests_for_version_1_are_counted_in_the_use_of_the_flag(clients: Clients) -> None:
    await switch_off_for_acme(clients)
    flags = clients.served.state["services"].flags
    flags.provider.take_usage()
    for caller, times in ((clients.acme, 2), (clients.bolt, 3)):
        for _ in range(times):
            await clients.get(UNITS, caller)
    await flags.flush()
    use = (await clients.get(f"{FLAG}/use", clients.operator)).json()["data"]
    assert sorted((one["variant"], one["evaluations"]) for one in use) == [("off", 2), ("on", 3)]


async def test_version_1_answers_where_flags_could_not_be_read() -> None:
    class Away:
        async def flags(self) -> None:
            raise Unavailable("the store does not answer")

    def away(store: StoreParts) -> StoreParts:
        return replace(store, flags=cast("FlagStore", Away()))

    opened = changed(InMemory(MemoryStore(SystemClock())), away)
    async with serving(Settings(api=ApiSettings(enable_v1=True)), opened) as served:
        answer = await served.client.get(UNITS)
    assert (answer.status_code, answer.headers["deprecation"]) == (200, "true")


def test_no_response_of_version_1_is_cached_or_shared_between_tenants() -> None:
    surface = surface_of(Settings(api=ApiSettings(enable_v1=True)))
    policies = [policy for one in surface.features if one.name.startswith("v1 ") for _, policy in one.router.policies]
    assert len(policies) == 26
    assert {(policy.is_shared, policy.cached) for policy in policies} == {(False, None)}
