"""Settings of the service: AURUM_API__*, AURUM_LIMITS__*, AURUM_CACHE__*."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import httpx
import pytest

from aurum.api import __main__ as command
from aurum.api.cache.response import CachedResponse
from aurum.api.cache.store import ResponseStore
from aurum.api.cache.warming import keep_warm
from aurum.api.middleware.admission import AdmissionQueue
from aurum.api.process.drain import Drain
from aurum.api.testing import InMemory, MovableClock, Served, changed, file_of, hourly, on_clock, serving
from aurum.assembly.store import StoreParts
from aurum.common.cache.entry import CacheEntry
from aurum.common.clock import SystemClock
from aurum.common.resilience.errors import QueueFull, WaitedTooLong
from aurum.common.settings import Settings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import RateLimited, Unavailable
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import ChangeFilter
from aurum.storage.testing.waiting import wait_until

from .conftest import HOURLY, OBSERVATIONS, OTHER, QUICK, START

shows, needs = pytest.mark.shows, pytest.mark.given
ClientAt = Callable[[str], httpx.AsyncClient]

CLOSED = {"start": "2025-11-03T00:00:00Z", "end": "2025-11-03T06:00:00Z"}


# --- how it listens ---------------------------------------------------------------------------------------------------


@shows(AURUM_API__HOST="127.0.0.2", AURUM_API__PORT="9001", AURUM_API__WORKERS="3")
@needs(AURUM_API__CURSOR_SECRET="open-sesame", AURUM_DATABASE__URL="postgresql://aurum@db/aurum")
def test_the_server_listens_where_settings_say_with_so_many_workers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    options_seen: dict[str, Any] = {}

    async def reached(_settings: Settings) -> None: ...

    monkeypatch.setattr("aurum.assembly.postgres.check_store", reached)
    monkeypatch.setattr("aurum.api.serving.server.serve", lambda *_args, **options: options_seen.update(options))
    monkeypatch.setattr(sys, "argv", ["aurum.api", "serve"])
    assert command.main() == 0
    assert (options_seen["host"], options_seen["port"], options_seen["workers"]) == ("127.0.0.2", 9001, 3)


@shows(AURUM_API__CURSOR_SECRET="open-sesame")
async def test_cursors_are_signed_with_the_secret(served: Served) -> None:
    assert served.state["services"].cursor_secret == b"open-sesame"


@shows(AURUM_API__NAMES='["desk.example"]')
async def test_an_open_service_answers_for_further_names(client_at: ClientAt) -> None:
    async with client_at("127.0.0.1") as client:
        statuses = [
            (await client.get("/v2/series", headers={"Host": host})).status_code for host in ("desk.example", "x.example")
        ]
    assert statuses == [200, 403]


@shows(AURUM_API__HSTS_S="600")
async def test_browsers_are_told_to_use_tls(served: Served) -> None:
    assert (await served.client.get("/v2/series")).headers["strict-transport-security"] == "max-age=600"


@shows(AURUM_API__CORS_ORIGINS='["https://desk.example"]', AURUM_API__CORS_MAX_AGE_S="77")
async def test_pages_of_an_origin_may_ask_and_need_not_ask_again_for_a_while(served: Served) -> None:
    headers = {"Origin": "https://desk.example", "Access-Control-Request-Method": "GET"}
    answer = (await served.client.options("/v2/series", headers=headers)).headers
    assert answer["access-control-allow-origin"] == "https://desk.example"
    assert answer["access-control-max-age"] == "77"


@shows(AURUM_API__ENABLE_V1="true")
async def test_the_earlier_surface_is_served(settings: Settings, served: Served, store: MemoryStore) -> None:
    without = settings.model_copy(update={"api": settings.api.model_copy(update={"enable_v1": False})})
    async with serving(without, InMemory(store)) as other:
        statuses = [(await one.client.get("/v1/metadata/dimensions")).status_code for one in (served, other)]
    assert statuses == [200, 404]


# --- limits -----------------------------------------------------------------------------------------------------------


@shows(AURUM_API__PAGE_LIMIT="2")
async def test_pages_have_no_more_items_than_the_service_allows(served: Served) -> None:
    page = (await served.client.get("/v2/series", params={"limit": 100})).json()
    assert (len(page["data"]), page["meta"]["limit"]) == (2, 2)
    rest = (await served.client.get("/v2/series", params={"limit": 100, "cursor": page["meta"]["next_cursor"]})).json()
    assert (len(rest["data"]), rest["meta"]["next_cursor"]) == (1, None)


@shows(AURUM_API__DOCUMENT_ROWS="3")
async def test_a_longer_document_is_refused(served: Served) -> None:
    answer = await served.client.get(OBSERVATIONS, params=CLOSED)
    assert (answer.status_code, "3" in answer.json()["detail"]) == (422, True)


@shows(AURUM_API__SERIES_PER_REQUEST="1", AURUM_API__SERIES_IN_ROWS="2")
@pytest.mark.parametrize(("layout", "most"), [("wide", 1), ("long", 2)])
async def test_more_series_in_one_question_are_refused(served: Served, layout: str, most: int) -> None:
    statuses = [
        (await served.client.get("/v2/observations", params={**CLOSED, "layout": layout, "series": keys})).status_code
        for keys in ([HOURLY], [HOURLY, OTHER], [HOURLY, OTHER, "*"])
    ]
    assert statuses == [200 if number <= most else 422 for number in (1, 2, 3)]


@shows(AURUM_LIMITS__POINTS="10")
async def test_a_question_that_spans_too_many_points_is_refused(served: Served) -> None:
    answer = await served.client.get(OBSERVATIONS, params={"start": "2025-11-03"})
    assert answer.status_code == 422


@shows(AURUM_LIMITS__BODY_BYTES="20", AURUM_LIMITS__URL_BYTES="100")
async def test_a_body_or_url_that_is_too_long_is_refused(served: Served) -> None:
    body = await served.client.post("/v2/observations/query", content=b"x" * 21)
    url = await served.client.get("/v2/series", params={"q": "x" * 100})
    assert (body.status_code, url.status_code) == (413, 414)


@shows(AURUM_PRIVATE__SERIES="1", AURUM_PRIVATE__POINTS="2", AURUM_PRIVATE__BODY_BYTES="100")
async def test_private_series_their_points_and_their_bodies_are_bounded(served: Served) -> None:
    declaration = {"unit": "MWh", "frequency": "1d", "zone": "UTC"}
    path, as_csv = "/v2/private/series/a", {"content-type": "text/csv"}
    series = [(await served.client.put(f"/v2/private/series/{name}", json=declaration)).status_code for name in "ab"]
    assert series == [201, 409]
    rows = [f"2025-11-0{day},1\n" for day in range(1, 5)]
    for count, status in ((2, 200), (3, 422)):
        content = "start,value\n" + "".join(rows[:count])
        assert (await served.client.put(f"{path}/observations", content=content, headers=as_csv)).status_code == status
    assert (await served.client.put(f"{path}/observations", content=" " * 101, headers=as_csv)).status_code == 413


@shows(AURUM_PRIVATE__PRODUCTS="1", AURUM_PRIVATE__DOCUMENTS="1")
async def test_own_products_and_reference_documents_are_bounded(served: Served) -> None:
    product = {"title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}
    calendar = {"title": "Days", "zone": "Europe/Paris"}
    for path, bodies in (
        ("/v2/products", [product | {"key": f"power:X{number}:base:DESK"} for number in range(2)]),
        ("/v2/calendars", [{"document": calendar | {"name": f"desk{number}"}} for number in range(2)]),
    ):
        first, second = [await served.client.post(path, json=body) for body in bodies]
        assert (first.status_code, second.status_code) == (201, 409), first.text
        assert "may have 1: remove one" in second.json()["detail"]


@shows(AURUM_WEBHOOKS__PER_TENANT="1")
async def test_a_tenant_has_a_limited_number_of_webhooks(served: Served) -> None:
    body = {"url": "https://receiver.example/"}
    assert [(await served.client.post("/v2/webhooks", json=body)).status_code for _ in range(2)] == [201, 409]


@shows(AURUM_LIMITS__ALLOW='["203.0.113.0/24"]', AURUM_LIMITS__DENY='["203.0.113.9"]')
async def test_addresses_are_let_in_by_lists(client_at: ClientAt) -> None:
    statuses = []
    for address in ("203.0.113.8", "203.0.113.9", "198.51.100.1"):
        async with client_at(address) as client:
            statuses.append((await client.get("/v2/series")).status_code)
    assert statuses == [200, 403, 403]


@shows(AURUM_LIMITS__TRUSTED_PROXIES='["198.51.100.0/24"]', AURUM_LIMITS__PROXY_HEADER="forwarded")
@needs(AURUM_LIMITS__DENY='["203.0.113.9"]')
async def test_a_trusted_proxy_is_believed_in_the_header_it_writes(client_at: ClientAt) -> None:
    statuses = []
    for proxy, header in (("198.51.100.1", "Forwarded"), ("198.51.100.1", "X-Forwarded-For"), ("192.0.2.1", "Forwarded")):
        async with client_at(proxy) as client:
            value = "for=203.0.113.9" if header == "Forwarded" else "203.0.113.9"
            statuses.append((await client.get("/v2/series", headers={header: value})).status_code)
    assert statuses == [403, 200, 200]


@shows(AURUM_LIMITS__GLOBAL_PER_SECOND="1")
async def test_all_callers_together_have_one_rate(served: Served) -> None:
    statuses = [(await served.client.get("/v2/series")).status_code for _ in range(20)]
    assert statuses[0] == 200
    assert 429 in statuses


@shows(AURUM_LIMITS__FAILURES_PER_MINUTE="1")
@needs(AURUM_ACCESS__MODE="required")
async def test_an_address_that_keeps_failing_is_refused(served: Served) -> None:
    statuses = [(await served.client.get("/v2/series", headers={"X-API-Key": "nonsense"})).status_code for _ in range(3)]
    assert (statuses[0], statuses[-1]) == (401, 429)


@shows(AURUM_LIMITS__SHARE_RATES="false")
@needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0")
async def test_counts_are_not_shared_though_there_is_redis(served: Served) -> None:
    assert served.state["sharing"] is None
    assert "redis" in {one.name for one in served.state["services"].checks}


@shows(AURUM_LIMITS__SETTLE_EVERY_S="0.5")
@needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0")
async def test_counts_are_put_together_at_an_interval(served: Served) -> None:
    assert served.state["sharing"]._every_s == 0.5


@shows(AURUM_API__USAGE_EVERY_S="0.01")
async def test_usage_is_written_at_an_interval(
    served: Served, store: MemoryStore, client_at: Callable[[str], httpx.AsyncClient]
) -> None:
    async with client_at("127.0.0.1") as client:
        assert (await client.get(OBSERVATIONS)).status_code == 200

    async def is_written() -> bool:
        return [one.requests for one in await store.usage.of_caller("local", "local", since=date.min)] == [1]

    await wait_until(is_written)


# --- admission --------------------------------------------------------------------------------------------------------


class Clock:
    """A clock in seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def caller(tenant: str) -> Caller:
    return Caller(tenant, "key:1", frozenset(), None)


@shows(AURUM_LIMITS__SLOW_START="3", AURUM_LIMITS__SLOW_START_EVERY_S="10", AURUM_LIMITS__AT_ONCE="5")
def test_places_grow_from_a_few_to_all(settings: Settings) -> None:
    clock = Clock()
    gate = AdmissionQueue(settings.limits, clock)
    seen = []
    for clock.now in (0.0, 9.9, 10.0, 20.0, 90.0):
        gate.sheds(clock.now)
        seen.append(gate.places.places)
    assert seen == [3, 3, 4, 5, 5]


@shows(AURUM_LIMITS__TENANT_AT_ONCE="4")
def test_a_tenant_has_some_of_the_places(settings: Settings) -> None:
    tenant = AdmissionQueue(settings.limits).tenant_of(caller("acme"))
    assert tenant is not None
    assert tenant.places == 4


@shows(AURUM_LIMITS__QUEUE="1", AURUM_LIMITS__LONGEST_WAIT_S="0.01")
@needs(AURUM_LIMITS__AT_ONCE="1")
async def test_so_many_wait_for_a_place_and_no_longer(settings: Settings) -> None:
    gate = AdmissionQueue(settings.limits)
    assert gate.try_enter(None)
    waiting = asyncio.create_task(gate.enter(None))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await gate.enter(None)
    with pytest.raises(WaitedTooLong):
        await waiting


@shows(AURUM_LIMITS__SHED_WAIT_S="0.1", AURUM_LIMITS__SHED_P95_S="0.3", AURUM_LIMITS__SHED_WINDOW_S="2")
@pytest.mark.parametrize("slow", ["waits", "answers", "neither"])
def test_some_requests_are_refused_when_the_others_are_late(settings: Settings, slow: str) -> None:
    clock = Clock()
    gate = AdmissionQueue(settings.limits, clock)
    if slow == "waits":
        gate.shedding.record_wait(0.2)
    for _ in range(20 if slow == "answers" else 0):
        gate.shedding.record_time(0.5, 0.4)
    clock.now = 0.5  # a quarter of the window
    gate.shedding.refuses(clock.now, busy=True)
    assert (gate.shedding.state().refusing > 0) is (slow != "neither")


class Silent:
    """A reader that never answers."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def never(*_args: object, **_options: object) -> None:
            await asyncio.Event().wait()

        return never


@shows(AURUM_LIMITS__DEADLINE_S="0.05")
async def test_an_answer_that_does_not_begin_in_time_is_503(settings: Settings, store: MemoryStore) -> None:
    def silent(opened: StoreParts) -> StoreParts:
        return replace(opened, observations=replace(opened.observations, reader=cast("SeriesReader", Silent())))

    async with serving(settings, changed(InMemory(store), silent)) as served:
        answer = await served.client.get(OBSERVATIONS, params=CLOSED)
    assert (answer.status_code, "0.05 s" in answer.text) == (503, True)


@shows(AURUM_LIMITS__DRAIN_S="50", AURUM_LIMITS__DRAIN_QUIET_S="20")
@pytest.mark.parametrize(("busy", "seconds"), [(False, 20), (True, 50)])
async def test_a_process_drains_until_it_is_quiet_or_for_so_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, busy: bool, seconds: int
) -> None:
    clock, drain, stopped = Clock(), Drain(settings.limits), asyncio.Event()

    class Seconds:
        monotonic = clock

    class Pauses:
        async def sleep(self, seconds: float) -> None:
            clock.now += seconds
            drain.requests += busy

    monkeypatch.setattr("aurum.api.process.drain.time", Seconds())
    monkeypatch.setattr("aurum.api.process.drain.asyncio", Pauses())
    await drain._until_quiet(lambda _number, _frame: stopped.set())
    assert (round(clock.now), stopped.is_set()) == (seconds, True)


# --- response cache ---------------------------------------------------------------------------------------------------


def cache_entries(served: Served) -> list[CacheEntry[CachedResponse]]:
    responses: ResponseStore = served.state["responses"]
    return responses.cache.local.everything()


async def cached(served: Served, path: str, **params: str) -> str | None:
    """Return ``X-Cache`` of the second of two answers."""
    await served.client.get(path, params=params)
    return (await served.client.get(path, params=params)).headers.get("x-cache")


@shows(AURUM_CACHE__ENABLED="false")
async def test_nothing_is_cached(served: Served) -> None:
    assert await cached(served, OBSERVATIONS, **CLOSED) not in ("hit", "HIT")
    assert cache_entries(served) == []


@shows(AURUM_CACHE__POLICY="lfu")
async def test_entries_are_evicted_by_the_policy(served: Served) -> None:
    assert type(served.state["responses"].cache.local._entries).__name__ == "_Lfu"


@shows(AURUM_CACHE__MOST_ENTRIES="2")
async def test_no_more_answers_are_cached_than_allowed(served: Served) -> None:
    for hour in range(1, 6):
        await served.client.get(OBSERVATIONS, params={**CLOSED, "end": f"2025-11-03T0{hour}:00:00Z"})
    assert 0 < len(served.state["responses"].cache.local) <= 2


@shows(AURUM_CACHE__MOST_BYTES="6000")
@needs(AURUM_CACHE__GOLDEN="[]")
async def test_no_more_bytes_are_cached_than_allowed(served: Served) -> None:
    for hour in range(1, 9):
        await served.client.get(OBSERVATIONS, params={**CLOSED, "end": f"2025-11-03T0{hour}:00:00Z"})
    assert 0 < served.state["responses"].cache.local.weight <= 6000


@shows(AURUM_CACHE__MOST_ENTRY_BYTES="1024")
@needs(AURUM_CACHE__GOLDEN="[]")
async def test_a_longer_answer_is_not_cached(served: Served) -> None:
    for end in ("2025-11-03T01:00:00Z", "2025-11-05T00:00:00Z"):
        await served.client.get(OBSERVATIONS, params={**CLOSED, "end": end}, headers={"Accept-Encoding": "identity"})
    bodies = [entry.content.body for entry in cache_entries(served)]
    assert bodies
    assert all(body is not None and len(body) <= 1024 for body in bodies)


FRESH = [
    ("live", f"/v2/series/{QUICK}/observations", {"start": "2025-11-03"}),
    ("day", OBSERVATIONS, {"start": "2025-11-03"}),
    ("history", OBSERVATIONS, CLOSED),
    ("reference", "/v2/catalog/units", {}),
    ("negative", "/v2/series/nyiso:x:y:z/observations", {}),
    ("golden", "/v2/catalog/sources", {}),
]


@shows(
    AURUM_CACHE__FRESH_S__LIVE="11",
    AURUM_CACHE__FRESH_S__DAY="12",
    AURUM_CACHE__FRESH_S__HISTORY="13",
    AURUM_CACHE__FRESH_S__REFERENCE="14",
    AURUM_CACHE__FRESH_S__NEGATIVE="15",
    AURUM_CACHE__FRESH_S__GOLDEN="16",
    AURUM_CACHE__STALE_S="17",
    AURUM_CACHE__GOLDEN='["/v2/catalog/sources"]',
)
@pytest.mark.parametrize(("data_class", "path", "params"), FRESH, ids=[one[0] for one in FRESH])
async def test_answers_are_fresh_by_class_and_stale_for_a_while(
    settings: Settings, served: Served, data_class: str, path: str, params: dict[str, str]
) -> None:
    await served.client.get(path, params=params)
    seconds = getattr(settings.cache.fresh_s, data_class)
    entry = max((one for one in cache_entries(served) if one.fresh_until - one.made_at == pytest.approx(seconds)), key=id)
    assert entry.stale_until - entry.fresh_until == pytest.approx(17)


class Away(MemoryChangeFeed):
    """A change feed that can lose its connection."""

    silent = False

    @property
    def delivered_until(self) -> float:
        return 0.0 if self.silent else time.monotonic()

    async def catch_up(self) -> None:
        if self.silent:
            raise Unavailable("the store does not answer")


@pytest.mark.parametrize("given_s", [None, "0"])
@shows(AURUM_CACHE__STALE_IF_ERROR_S="0")
@needs(AURUM_CACHE__FRESH_S__HISTORY="0", AURUM_CACHE__STALE_S="0")
async def test_stale_answers_are_given_while_the_store_is_away_for_so_long(
    settings: Settings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, given_s: str | None
) -> None:
    if given_s is None:
        settings = settings.model_copy(update={"cache": settings.cache.model_copy(update={"stale_if_error_s": 60.0})})
    provider = InMemory(store)
    provider.feed = feed = Away()
    async with serving(settings, provider) as served:
        await served.client.get(OBSERVATIONS, params=CLOSED)
        feed.silent = True
        answer = await served.client.get(OBSERVATIONS, params=CLOSED)
    assert answer.status_code == (200 if given_s is None else 503)


@shows(AURUM_CACHE__SHARED_FROM_S="0.5", AURUM_CACHE__DURABLE_FROM_S="0.7")
@needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0")
async def test_what_took_long_goes_to_further_tiers(served: Served) -> None:
    assert [from_s for _, from_s in served.state["services"].results._tiers] == [0.5, 0.7]


@shows(AURUM_CACHE__SHARED="false")
@needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0")
async def test_nothing_goes_to_redis(served: Served) -> None:
    assert [tier.name for tier, _ in served.state["services"].results._tiers] == ["memory"]


@shows(AURUM_CACHE__DURABLE="false")
@needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0")
async def test_nothing_goes_to_the_database(served: Served) -> None:
    assert [tier.name for tier, _ in served.state["services"].results._tiers] == ["redis"]


@shows(AURUM_CACHE__WARM_EVERY_S="0.001")
async def test_golden_queries_are_worked_out_again_at_an_interval(settings: Settings) -> None:
    requests, twice = 0, asyncio.Event()

    async def app(_scope: object, _receive: object, send: Callable[..., Any]) -> None:
        nonlocal requests
        requests += 1
        if requests > 4 * len(settings.cache.golden):
            twice.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    task = asyncio.create_task(keep_warm(app, {}, settings.cache))
    async with asyncio.timeout(300):
        await twice.wait()
    task.cancel()


# --- the list of changes, and its push --------------------------------------------------------------------------------

EVENTS = "/v2/changes/events"


@shows(AURUM_CHANGES__KEEP_DAYS="2")
async def test_changes_are_served_for_so_many_days(settings: Settings, store: MemoryStore) -> None:
    clock = MovableClock(SystemClock().now() + timedelta(days=1))
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        assert len((await served.client.get("/v2/changes")).json()["data"]) == 3
        clock.at += timedelta(days=2)
        assert (await served.client.get("/v2/changes")).json()["data"] == []


@shows(AURUM_CHANGES__LISTENERS="0")
async def test_a_process_has_at_most_so_many_listeners(served: Served) -> None:
    assert (await served.client.get(EVENTS)).status_code == 503


@shows(AURUM_CHANGES__KEY_LISTENERS="2")
async def test_a_key_has_at_most_so_many_listeners(served: Served) -> None:
    places, caller = served.state["services"].hub.places, Caller("acme", "key:1", frozenset())
    places.enter(caller)
    places.enter(caller)
    with pytest.raises(RateLimited, match="a key or user may have 2"):
        places.enter(caller)


@shows(AURUM_CHANGES__STREAM_S="0.05", AURUM_CHANGES__COMMENT_S="0.001", AURUM_CHANGES__RETRY_S="7")
async def test_a_stream_has_comments_ends_and_says_when_to_come_back(served: Served) -> None:
    lines = (await served.client.get(EVENTS)).text.splitlines()
    assert ":" in lines
    waits = [int(line.removeprefix("retry: ")) for line in lines if line.startswith("retry: ")]
    assert len(waits) == 2
    assert all(7_000 <= wait <= 14_000 for wait in waits)


@shows(AURUM_CHANGES__QUEUE="1", AURUM_CHANGES__READS="1")
async def test_so_many_events_wait_for_a_listener_and_so_many_read_at_once(served: Served, store: MemoryStore) -> None:
    hub = served.state["services"].hub
    assert hub._reads._value == 1
    start = (await store.change_log.bounds(datetime(2000, 1, 1, tzinfo=UTC))).last
    async with aclosing(hub.stream(ChangeFilter(), start, LOCAL, resumes=True)) as stream:
        await anext(stream)
        first = asyncio.create_task(anext(stream))
        for number in range(3):
            await store.loader.load(file_of(hourly(HOURLY, START, [float(number)]), content=str(number)))
            hub.changed(Change(ChangeKind.RECORDED))
            if not number:
                assert (await first).count(b"event: change") == 1
        # The listener does not read: the second of two entries is one too many, and it reads both from the store.
        await wait_until(lambda: not hub._attached)
        assert (await anext(stream)).count(b"event: change") == 1
        assert (await anext(stream)).count(b"event: change") == 1
