"""The fast path sends what the layers send, and leaves to them the requests it does not understand: over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count, pairwise

import httpx
import pytest
import pytest_asyncio
from api_market import FIRST_KNOWN, NYC, NYC_START, InventedSeries, file_of

from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, Settings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.services.access import create_tenant, put_plan, revoke_key
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

PATH = f"/v2/series/{NYC}/observations"
VARYING = ("x-request-id", "age", "x-cache", "ratelimit", "ratelimit-remaining", "ratelimit-reset")
OPERATOR = Actor("operator")


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    rows = [(NYC_START + hour * timedelta(hours=1), float(hour), FIRST_KNOWN, 0) for hour in range(24)]
    await postgres_store.loader.load(file_of(InventedSeries(NYC, "USD/MWh", "1h", "America/New_York", "NYISO", rows, "USD")))
    await put_plan(postgres_store.transactions, RatePlan("trial", 600, 1_000, 10, 1.0, 5), by=OPERATOR)
    await create_tenant(postgres_store.transactions, "acme", "Acme", "trial", by=OPERATOR)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def client(database_url: str, store: PostgresStore) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(database=DatabaseSettings(url=database_url, pool_size=2), access=AccessSettings(mode="required"))
    with listening(settings) as url:
        async with httpx.AsyncClient(base_url=url, timeout=120) as connected:
            yield connected


async def key(store: PostgresStore, number: int, *roles: str) -> dict[str, str]:
    text, parts = key_text(bytes([number]) * 40)
    made = ApiKey(parts.key_id, "acme", "test", roles, (), SystemClock().now(), "test")
    await insert_key(store.transactions, made, parts.digest)
    return {"authorization": f"Bearer {text}"}


def steady(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in VARYING}


def through_layers(headers: dict[str, str]) -> dict[str, str]:
    """Add a header that only the layers understand."""
    return headers | {"x-request-id": "mine"}


@pytest.mark.parametrize("accepted", ["identity", "zstd", "gzip"])
async def test_the_fast_path_and_the_layers_send_the_same(
    client: httpx.AsyncClient, store: PostgresStore, accepted: str
) -> None:
    who = await key(store, 1, "user") | {"accept-encoding": accepted}
    await client.get(PATH, headers=who)
    short, long = await client.get(PATH, headers=who), await client.get(PATH, headers=through_layers(who))
    assert (short.headers["x-cache"], long.headers["x-cache"]) == ("hit", "hit")
    assert long.headers["x-request-id"] == "mine"
    assert (short.status_code, short.content, steady(short)) == (long.status_code, long.content, steady(long))
    assert set(short.headers) == set(long.headers)
    has = who | {"if-none-match": short.headers["etag"]}
    short, long = await client.get(PATH, headers=has), await client.get(PATH, headers=through_layers(has))
    assert (short.status_code, short.content) == (304, b"")
    assert steady(short) == steady(long)


async def test_the_fast_path_was_taken(client: httpx.AsyncClient, store: PostgresStore) -> None:
    numbers = count(100)

    async def is_taken() -> bool:
        who = await key(store, next(numbers), "user") | {"accept-encoding": "identity"}
        ids = [int((await client.get(PATH, headers=who)).headers["x-request-id"], 16) for _ in range(9)]
        # Its ids are numbers behind one prefix; those of the layers, which answer while limits are not shared or the change
        # feed lags, are random.
        return 1 in [after - before for before, after in pairwise(ids)]

    await wait_until(is_taken)


async def test_it_admits_no_caller_whom_the_layers_would_not(client: httpx.AsyncClient, store: PostgresStore) -> None:
    good, nothing = await key(store, 2, "user"), await key(store, 3)
    await client.get(PATH, headers=good)
    assert (await client.get(PATH, headers=good)).headers["x-cache"] == "hit"
    assert (await client.get(PATH)).status_code == 401
    assert (await client.get(PATH, headers={"authorization": "Bearer nonsense"})).status_code == 401
    for _ in range(2):
        assert (await client.get(PATH, headers=nothing)).status_code == 403
    assert (await client.get(PATH, headers=good | {"x-tenant-id": "bolt"})).status_code == 403


async def test_it_counts_against_the_plan_as_the_layers_do(client: httpx.AsyncClient, store: PostgresStore) -> None:
    who = await key(store, 4, "user")
    answers = [await client.get(PATH, headers=who) for _ in range(14)]
    assert [answer.status_code for answer in answers].count(200) == 10
    left = [int(answer.headers["ratelimit-remaining"]) for answer in answers if answer.status_code == 200]
    assert left == sorted(left, reverse=True)
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_what_it_gives_is_counted(client: httpx.AsyncClient, store: PostgresStore) -> None:
    who, admin = await key(store, 5, "user"), await key(store, 6, "admin")
    for _ in range(4):
        await client.get(PATH, headers=who)
    text = (await client.get("/metrics", headers=admin)).text
    (line,) = [
        one
        for one in text.splitlines()
        if one.startswith("http_server_request_duration_seconds_count{") and 'cache="hit"' in one
    ]
    assert line.endswith(" 3.0")


async def test_a_revoked_key_is_refused_soon_on_the_fast_path_too(client: httpx.AsyncClient, store: PostgresStore) -> None:
    who = await key(store, 7, "user")
    for _ in range(2):
        assert (await client.get(PATH, headers=who)).status_code == 200
    await revoke_key(store.transactions, "acme", (bytes([7]) * 8).hex(), by=OPERATOR)

    async def is_refused() -> bool:
        return (await client.get(PATH, headers=who)).status_code not in (200, 429)

    await wait_until(is_refused)
