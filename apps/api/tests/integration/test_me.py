"""``/v2/me`` and usage: who the caller is, what is left of its limits, and which requests count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aurum.api.testing import InMemory, MovableClock, Served, file_of, hourly, on_clock, serving
from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ApiSettings, DatabaseSettings, Settings, SpoolSettings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.services.access import create_tenant, put_plan
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.usage import DayUsage, UsageBatch
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore, Store

OPERATOR = Actor("operator")
START = datetime(2025, 11, 3, tzinfo=UTC)
KEY = "nyiso:damlbmp_zone:61761:lmp"
OTHER = "nyiso:damlbmp_zone:61762:lmp"
OBSERVATIONS = f"/v2/series/{KEY}/observations"
HOURS = 48
NUMBERS = iter(range(1, 1_000))
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)

Headers = dict[str, str]


async def make_key(store: Store, *roles: str, tenant: str = "acme", scopes: tuple[str, ...] = ()) -> tuple[Headers, str]:
    text, parts = key_text(next(NUMBERS).to_bytes(8, "big") + bytes(32))
    key = ApiKey(parts.key_id, tenant, "notebook", roles, scopes, SystemClock().now(), "test")
    await insert_key(store.transactions, key, parts.digest)
    return {"authorization": f"Bearer {text}", "accept-encoding": "identity"}, f"key:{parts.key_id}"


async def fill(store: Store) -> None:
    for key in (KEY, OTHER):
        await store.loader.load(file_of(hourly(key, START, [30.0 + n for n in range(HOURS)])))
    await put_plan(store.transactions, RatePlan("trial", 10, 100, 1_000, 2.0, 5, 3), by=OPERATOR)
    for tenant in ("acme", "bolt"):
        await create_tenant(store.transactions, tenant, tenant, "trial", by=OPERATOR)


@pytest_asyncio.fixture(loop_scope="session")
async def store() -> MemoryStore:
    store = MemoryStore(SystemClock())
    await fill(store)
    return store


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(store: MemoryStore, clock: MovableClock) -> AsyncIterator[Served]:
    settings = Settings(access=AccessSettings(mode="required"))
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        yield served


async def me(served: Served, who: Headers, **params: int) -> dict[str, Any]:
    response = await served.client.get("/v2/me", headers=who, params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def used(served: Served, who: Headers) -> tuple[int, int, int]:
    """Return requests, points and bytes of today."""
    (today,) = (await me(served, who, days=1))["data"]["usage"]
    return today["requests"], today["points"], today["bytes"]


async def test_a_key_learns_who_it_is_and_what_it_may(guarded: Served, store: MemoryStore) -> None:
    who, subject = await make_key(store, "user", "unheard-of", scopes=("admin:read",))
    data = (await me(guarded, who))["data"]
    assert (data["tenant"], data["subject"], data["name"]) == ("acme", subject, "notebook")
    assert data["roles"] == ["user"]
    assert data["scopes"] == sorted(data["scopes"])
    assert {"admin:read", "series:read"} <= set(data["scopes"])
    assert "series:write" not in data["scopes"]
    assert data["plan"] == {
        "name": "trial",
        "per_minute": 10,
        "per_hour": 100,
        "per_day": 1_000,
        "burst": 2.0,
        "at_once": 5,
        "listeners": 3,
    }


async def test_what_is_left_of_each_limit_falls_with_each_request(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    for _ in range(3):
        assert (await guarded.client.get(OBSERVATIONS, headers=who)).status_code == 200
    limits = (await me(guarded, who))["data"]["limits"]
    windows = {one["name"]: one for one in limits["windows"]}
    assert {name: (one["limit"], one["burst"]) for name, one in windows.items()} == {
        "minute": (10, 20),
        "hour": (100, 100),
        "day": (1_000, 1_000),
    }
    assert (windows["hour"]["left"], windows["day"]["left"]) == (96, 996)
    assert 16 <= windows["minute"]["left"] <= 20
    assert 0 < windows["day"]["full_in_s"] <= 4 * 86.4
    assert limits["at_once"] == {"limit": 5, "left": 4}, "this request is one of them"
    assert limits["listeners"] == {"limit": 3, "left": 3}
    assert limits["points"] == guarded.state["services"].reading.most_points


async def test_a_process_that_counts_for_itself_tells_its_own_share(store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    settings = Settings(access=AccessSettings(mode="required"), api=ApiSettings(workers=4))
    async with serving(settings, InMemory(store)) as served:
        windows = {one["name"]: one for one in (await me(served, who))["data"]["limits"]["windows"]}
    assert (windows["day"]["limit"], windows["day"]["left"]) == (1_000, 249)
    assert 0 < windows["day"]["full_in_s"] <= 4 * 86.4, "a fourth of the rate refills it"


async def test_listeners_and_their_places_are_told(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    places = guarded.state["services"].hub.places
    caller = (await guarded.state["authenticator"].look_up(who["authorization"].encode())).caller
    leave = [places.enter(caller) for _ in range(3)]
    assert (await me(guarded, who))["data"]["limits"]["listeners"] == {"limit": 3, "left": 0}
    for one in leave:
        one()
    assert (await me(guarded, who))["data"]["limits"]["listeners"] == {"limit": 3, "left": 3}


async def test_any_valid_credential_suffices_and_none_does_not(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store)
    data = (await me(guarded, who))["data"]
    assert (data["roles"], data["scopes"]) == ([], [])
    assert (await guarded.client.get("/v2/series", headers=who)).status_code == 403
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"x-api-key": "aurum_1_2"}):
        response = await guarded.client.get("/v2/me", headers=headers)
        assert (response.status_code, response.json()["type"]) == (401, "/problems/unauthenticated")
    other = await guarded.client.get("/v2/me", headers=who | {"x-tenant-id": "bolt"})
    assert other.status_code == 403


async def test_the_answer_is_never_cached(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    for _ in range(2):
        response = await guarded.client.get("/v2/me", headers=who)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers.get("x-cache") != "hit"


@pytest.mark.parametrize(
    ("query", "parameter"), [("days=0", "days"), ("days=367", "days"), ("days=x", "days"), ("day=3", "day"), ("days=", "days")]
)
async def test_bad_parameters_are_refused_by_name(guarded: Served, store: MemoryStore, query: str, parameter: str) -> None:
    who, _ = await make_key(store, "user")
    response = await guarded.client.get(f"/v2/me?{query}", headers=who)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == parameter


async def test_an_open_service_tells_that_its_client_is_local_and_unlimited() -> None:
    store = MemoryStore(SystemClock())
    await store.loader.load(file_of(hourly(KEY, START, [1.0, 2.0])))
    async with serving(Settings(), InMemory(store)) as served:

        async def on_loopback(scope: Any, receive: Any, send: Any) -> None:
            await served.asgi({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

        transport = httpx.ASGITransport(on_loopback, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get(OBSERVATIONS)).status_code == 200
            data = (await client.get("/v2/me")).json()["data"]
    assert (data["tenant"], data["subject"], data["name"], data["plan"]) == ("local", "local", None, None)
    assert data["roles"] == ["super_admin"]
    assert (data["limits"]["windows"], data["limits"]["at_once"]) == ([], None)
    assert len(data["usage"]) == 30
    assert (data["usage"][-1]["requests"], data["usage"][-1]["points"]) == (1, 2)


async def test_answers_count_with_their_points_and_bytes_cached_or_not(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    sizes = 0
    for cached in ("miss", "hit"):
        response = await guarded.client.get(f"{OBSERVATIONS}?tz=UTC", headers=who)
        assert response.headers["x-cache"] == cached
        sizes += int(response.headers["content-length"])
    assert await used(guarded, who) == (2, 2 * HOURS, sizes)
    same = await guarded.client.get(f"{OBSERVATIONS}?tz=UTC", headers=who | {"if-none-match": response.headers["etag"]})
    assert same.status_code == 304
    requests, points, _ = await used(guarded, who)
    assert (requests, points) == (4, 2 * HOURS), "a 304 has no observation; the request for usage before counts"


@pytest.mark.parametrize("format", ["json", "csv", "ndjson", "arrow", "parquet"])
async def test_every_format_counts_its_points(guarded: Served, store: MemoryStore, format: str) -> None:
    who, _ = await make_key(store, "user")
    for layout, points in (("long", 2 * HOURS), ("wide", 2 * HOURS)):
        before = await used(guarded, who)
        url = f"/v2/observations?series={KEY},{OTHER}&format={format}&layout={layout}"
        response = await guarded.client.get(url, headers=who)
        assert response.status_code == 200
        after = await used(guarded, who)
        assert after[1] - before[1] == points, layout
        assert after[2] - before[2] > len(response.content), "the answer before, too"


async def test_a_batch_counts_once_with_the_points_of_its_queries(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    queries = [{"id": key, "series": [key]} for key in (KEY, OTHER, "nyiso:x:y:z")]
    response = await guarded.client.post("/v2/observations/query", headers=who, json={"queries": queries})
    assert [one["status"] for one in response.json()["data"]] == [200, 200, 422]
    assert (await used(guarded, who))[:2] == (1, 2 * HOURS)


async def test_a_file_of_parts_counts_its_points_once_and_each_whole_answer_from_it_anew(
    store: MemoryStore, clock: MovableClock, tmp_path: Path
) -> None:
    settings = Settings(access=AccessSettings(mode="required"), spool=SpoolSettings(folder=tmp_path / "spool"))
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        url, part = f"{OBSERVATIONS}?format=csv", {"range": "bytes=0-99"}
        for first, headers in (("HEAD", {}), ("GET", part), ("GET", {"if-match": "*"})):
            who, _ = await make_key(store, "user")

            async def read(
                method: str, who: Headers = who, headers: Headers | None = None, status: int = 200
            ) -> tuple[int, str]:
                response = await served.client.request(method, url, headers=who | (headers or {}))
                assert response.status_code == status, response.text
                return len(response.content), response.headers["etag"]

            size, tag = await read(first, headers=headers, status=206 if headers is part else 200)
            assert await used(served, who) == (1, HOURS, size), first
            for _ in range(3):
                await read("GET", headers=part, status=206)
            await read("HEAD")
            await read("GET", headers={"if-none-match": tag}, status=304)
            _, points, _ = await used(served, who)
            assert points == HOURS, "no part, HEAD or 304 counts again"
            await read("GET")
            await read("GET", headers=part | {"if-range": '"other"'})
            _, points, _ = await used(served, who)
            assert points == 3 * HOURS


async def test_points_of_a_file_count_when_its_client_has_left(store: MemoryStore, clock: MovableClock, tmp_path: Path) -> None:
    settings = Settings(access=AccessSettings(mode="required"), spool=SpoolSettings(folder=tmp_path / "spool"))
    who, _ = await make_key(store, "user")
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        flights = served.state["spooler"].flights
        leaving = asyncio.create_task(served.client.head(f"{OBSERVATIONS}?format=csv", headers=who))
        while not flights:  # noqa: ASYNC110 - one step of the event loop at a time
            await asyncio.sleep(0)
        (flight,) = flights.values()
        leaving.cancel()
        await flight
        assert (await used(served, who))[1] == HOURS


async def test_a_head_sends_no_points(guarded: Served, store: MemoryStore) -> None:
    who, _ = await make_key(store, "user")
    assert (await guarded.client.head(OBSERVATIONS, headers=who)).status_code == 200
    assert await used(guarded, who) == (1, 0, 0)


async def test_refusals_by_credential_scope_and_limit_do_not_count_and_other_failures_do(
    guarded: Served, store: MemoryStore
) -> None:
    who, subject = await make_key(store, "user")
    assert (await guarded.client.get("/v2/admin/cache", headers=who)).status_code == 403
    assert (await guarded.client.get("/v2/series/nyiso:x:y:z", headers=who)).status_code == 404
    assert (await guarded.client.get("/v2/series?nonsense=1", headers=who)).status_code == 422
    statuses = [(await guarded.client.get("/v2/catalog/units", headers=who)).status_code for _ in range(25)]
    assert statuses.count(429) > 0
    await guarded.state["usage"].write()
    (today,) = await store.usage.of_caller("acme", subject, since=NOON.date())
    assert today.requests == 2 + statuses.count(200)


async def test_usage_of_each_day_is_told_and_days_without_are_zero(
    guarded: Served, store: MemoryStore, clock: MovableClock
) -> None:
    who, subject = await make_key(store, "user")
    earlier = DayUsage("acme", subject, date(2026, 11, 27), 7, 70, 700)
    other = DayUsage("acme", "key:other", date(2026, 11, 27), 1_000, 0, 0)
    await store.usage.add(UsageBatch("another process", 1, [earlier, other]))
    document = await me(guarded, who, days=4)
    assert document["meta"] == {"days": 4, "first": "2026-11-26", "last": "2026-11-29"}
    assert [one["requests"] for one in document["data"]["usage"]] == [0, 7, 0, 0]
    await guarded.state["usage"].write()
    clock.at += timedelta(days=1)
    assert [one["requests"] for one in (await me(guarded, who, days=4))["data"]["usage"]] == [7, 0, 1, 0]


async def test_a_process_that_stops_writes_its_last_counts(store: MemoryStore) -> None:
    who, subject = await make_key(store, "user")
    async with serving(Settings(access=AccessSettings(mode="required")), InMemory(store)) as served:
        assert (await served.client.get(OBSERVATIONS, headers=who)).status_code == 200
        assert await store.usage.of_caller("acme", subject, since=date.min) == []
    (today,) = await store.usage.of_caller("acme", subject, since=date.min)
    assert (today.requests, today.points) == (1, HOURS)


async def test_an_operator_lists_usage_of_all_tenants_and_an_admin_of_its_own(guarded: Served, store: MemoryStore) -> None:
    root, _ = await make_key(store, "super_admin")
    admin, _ = await make_key(store, "admin")
    user, _ = await make_key(store, "user")
    days = [DayUsage(tenant, f"key:{n}", date(2026, 11, 28), n, 0, 0) for tenant in ("acme", "bolt") for n in (1, 2)]
    await store.usage.add(UsageBatch("another process", 1, days))

    async def listed(who: Headers, **params: str | int) -> list[dict[str, Any]]:
        response = await guarded.client.get("/v2/admin/usage", headers=who, params=params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    everything = await listed(root)
    assert [(one["tenant"], one["subject"]) for one in everything] == [(one.tenant, one.subject) for one in days]
    assert everything[0] == {
        "day": "2026-11-28",
        "tenant": "acme",
        "subject": "key:1",
        "requests": 1,
        "points": 0,
        "bytes": 0,
    }
    assert await listed(root, tenant="bolt") == everything[2:]
    assert await listed(root, days=1) == []
    assert await listed(admin) == await listed(admin, tenant="acme") == everything[:2]
    first = (await guarded.client.get("/v2/admin/usage?limit=3", headers=root)).json()
    assert await listed(root, limit=3, cursor=first["meta"]["next_cursor"]) == everything[3:]
    for who, path in ((admin, "?tenant=bolt"), (user, "")):
        assert (await guarded.client.get(f"/v2/admin/usage{path}", headers=who)).status_code == 403
    foreign = await guarded.client.get(
        "/v2/admin/usage", headers=root, params={"tenant": "bolt", "cursor": first["meta"]["next_cursor"]}
    )
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.needs_postgres
async def test_processes_over_one_database_add_up_on_the_fast_path_too(
    database_url: str, postgres_store: PostgresStore
) -> None:
    await fill(postgres_store)
    who, subject = await make_key(postgres_store, "user")
    settings = Settings(
        database=DatabaseSettings(url=database_url, pool_size=2),
        access=AccessSettings(mode="required"),
        api=ApiSettings(cursor_secret="secret"),  # type: ignore[arg-type] - pydantic makes it a secret
    )
    sizes = 0

    async def ask(url: str) -> None:
        nonlocal sizes
        async with httpx.AsyncClient(base_url=url, headers=who, timeout=120) as client:
            for _ in range(5):
                response = await client.get(OBSERVATIONS)
                assert response.status_code == 200
                sizes += int(response.headers["content-length"])

    with listening(settings) as first, listening(settings) as second:
        await asyncio.gather(ask(first), ask(second))
    (today,) = await postgres_store.usage.of_caller("acme", subject, since=date.min)
    assert today == DayUsage("acme", subject, today.day, 10, 10 * HOURS, sizes)


PAGES = ["/docs", "/docs?q=cursor", "/docs/reference", "/docs/guides/quickstart", "/problems", "/problems/unauthenticated"]


@pytest.mark.parametrize("path", PAGES)
async def test_pages_have_a_place_for_the_box_of_a_key_where_keys_are_required_and_only_there(
    guarded: Served, store: MemoryStore, path: str
) -> None:
    browser = {"accept": "text/html"}
    page = await guarded.client.get(path, headers=browser)
    assert page.status_code == 200
    assert page.text.count('<div id="keys" class="keys"></div>') == 1
    assert "unsafe" not in page.headers["content-security-policy"]
    assert 'type="password"' not in page.text, "the script makes the field: without scripts no form can send a key"
    async with serving(Settings(), InMemory(store)) as served:
        opened = await served.client.get(path, headers=browser | {"host": "localhost"})
        assert 'id="keys"' not in opened.text
