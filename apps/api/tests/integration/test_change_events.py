"""Following changes over real sockets: quiet streams, limits, draining, and clients that resume after every kind of fault."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio
from api_connection import connected
from api_events import Event, Follower, Parser, events_of, following
from api_processes import api_child, api_process
from redis.asyncio import Redis

from aurum.api.testing import file_of, hourly
from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import ChangesSettings, DatabaseSettings, Settings
from aurum.common.settings.limits import LimitsSettings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.core.errors import Unavailable
from aurum.services.access import create_tenant, put_plan, revoke_key
from aurum.services.changes import position_text
from aurum.storage.embedded import EmbeddedPostgres, EmbeddedValkey
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.recordings import ChangeFilter
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

EVENTS = "/v2/changes/events"
START = datetime(2025, 11, 3, tzinfo=UTC)
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
KEY, OTHER = "nyiso:damlbmp_zone:61761:lmp", "pjm:da:1:lmp"
OPERATOR = Actor("operator")


async def load(store: PostgresStore, number: int, key: str = KEY) -> None:
    await store.loader.load(file_of(hourly(key, START, [float(number)]), content=str(number)))


async def listed(store: PostgresStore, criteria: ChangeFilter | None = None) -> list[str]:
    start = (await store.change_log.bounds(ALWAYS)).oldest
    page = await store.change_log.changes(start, criteria or ChangeFilter(), limit=10_000)
    return [position_text(one.position) for one in page.entries]


def settings(url: str, changes: ChangesSettings | None = None, **limits: float) -> Settings:
    return Settings(
        database=DatabaseSettings(url=url, pool_size=3),
        changes=changes or ChangesSettings(),
        limits=LimitsSettings.model_validate(limits),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, timeout=300, limits=limits) as client:
        yield client


class Stream:
    """An open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.parser = Parser()
        self._events = events_of(response, self.parser)

    async def next(self) -> Event:
        return await anext(self._events)

    async def rest(self) -> list[Event]:
        return [event async for event in self._events]


@asynccontextmanager
async def opened(client: httpx.AsyncClient, url: str, **options: object) -> AsyncGenerator[Stream]:
    async with client.stream("GET", url + EVENTS, **options) as response:  # type: ignore[arg-type] - as httpx has them
        yield Stream(response)


async def opened_in_time(stack: AsyncExitStack, client: httpx.AsyncClient, url: str) -> Stream:
    """Open a stream whose request arrives within the limits of its connection: on a busy machine the first one may not."""
    while True:
        with suppress(httpx.TransportError):
            stream = await stack.enter_async_context(opened(client, url))
            if stream.response.status_code != 408:
                return stream


async def test_a_quiet_stream_outlasts_every_limit_of_a_connection(
    postgres_store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    short = settings(database_url, ChangesSettings(comment_s=0.3), send_s=0.05, idle_s=0.05, head_s=0.05, body_s=0.05)
    with listening(short) as url:
        async with AsyncExitStack() as stack:
            stream = await opened_in_time(stack, client, url)
            assert stream.response.headers["content-type"].startswith("text/event-stream")
            reading = asyncio.create_task(stream.next())
            await wait_until(lambda: stream.parser.comments >= 5, "comments")
            await load(postgres_store, 1)
            event = await reading
    assert [event.id] == await listed(postgres_store)


async def test_events_are_sent_as_they_come_and_not_compressed(
    postgres_store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    with listening(settings(database_url)) as url:
        async with opened(client, url, headers={"accept-encoding": "gzip, zstd"}, params={"series": f"{OTHER},nyiso:*"}) as one:
            assert "content-encoding" not in one.response.headers
            assert (one.response.headers["cache-control"], one.response.headers["x-accel-buffering"]) == ("no-store", "no")
            for number in range(3):
                await load(postgres_store, number, (KEY, OTHER)[number % 2])
                event = await one.next()
                assert event.data["matched"] == {"count": 1, "keys": [(KEY, OTHER)[number % 2]]}
        page = (await client.get(f"{url}/v2/changes", params={"series": f"{OTHER},nyiso:*"})).json()
        assert page["data"][-1] == event.data
        assert (await client.head(url + EVENTS)).status_code == 200


async def test_listeners_hold_no_place_and_no_connection(
    postgres_store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    with listening(settings(database_url, at_once=2, tenant_at_once=2, slow_start=0)) as url:
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(opened(client, url)) for _ in range(12)]
            readers = [asyncio.create_task(one.next()) for one in streams]
            # Each has begun to follow; else it would read the entry by itself.
            await wait_until(lambda: all(one.parser.last_id for one in streams), "streams begin")
            assert (await client.get(f"{url}/v2/catalog/sources")).status_code == 200
            await load(postgres_store, 1)
            assert {event.id for event in await asyncio.gather(*readers)} == set(await listed(postgres_store))


async def test_a_client_that_does_not_read_is_served_from_the_store_when_it_reads_again(
    postgres_store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    start = position_text((await postgres_store.change_log.bounds(ALWAYS)).last)
    with listening(settings(database_url, ChangesSettings(queue=3, comment_s=0.05))) as url:
        async with opened(client, url, params={"after": start}) as stream:
            for number in range(40):
                await load(postgres_store, number)
            events = [await stream.next() for _ in range(40)]
    assert [event.id for event in events] == await listed(postgres_store)


async def test_keys_have_limits_and_a_revoked_key_ends_its_streams(
    postgres_store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    await put_plan(postgres_store.transactions, RatePlan("trial", 600, 9_000, 9_000, 1.0, 5), by=OPERATOR)
    await create_tenant(postgres_store.transactions, "acme", "Acme", "trial", by=OPERATOR)
    text, parts = key_text(bytes(40))
    key = ApiKey(parts.key_id, "acme", "test", ("user",), (), SystemClock().now(), "test")
    await insert_key(postgres_store.transactions, key, parts.digest)
    guarded = settings(database_url, ChangesSettings(key_listeners=1))
    guarded = guarded.model_copy(update={"access": guarded.access.model_copy(update={"mode": "required"})})
    headers = {"authorization": f"Bearer {text}"}
    with listening(guarded) as url:
        assert (await client.get(url + EVENTS)).status_code == 401
        async with opened(client, url, headers=headers) as stream:
            refused = await client.get(url + EVENTS, headers=headers)
            assert (refused.status_code, refused.json()["limit"]) == (429, 1)
            assert refused.headers["retry-after"]
            await revoke_key(postgres_store.transactions, "acme", parts.key_id, by=OPERATOR)
            assert await stream.rest() == []
        assert (await client.get(url + EVENTS, headers=headers)).status_code == 401


async def test_a_place_is_free_again_when_a_client_has_left(database_url: str, client: httpx.AsyncClient) -> None:
    with listening(settings(database_url, ChangesSettings(listeners=1))) as url:
        async with opened(client, url):
            assert (await client.get(url + EVENTS)).status_code == 503
        with connected(url) as stream:
            # A client that breaks off before the response has begun.
            stream.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: aurum.test\r\n\r\n".encode())

        async def is_free() -> bool:
            async with client.stream("GET", url + EVENTS) as response:
                return response.status_code == 200

        await wait_until(is_free, "the place is free")


async def test_streams_end_with_a_retry_and_the_process_ends_when_it_is_told_to_stop(
    database_url: str, client: httpx.AsyncClient
) -> None:
    with api_child(database_url) as (url, process):
        async with opened(client, url) as stream:
            reading = asyncio.create_task(stream.rest())
            await wait_until(lambda: bool(stream.parser.last_id), "the stream begins")
            process.send_signal(signal.SIGTERM)
            assert await reading == []
            assert len(stream.parser.retry_ms) == 2
        assert await asyncio.to_thread(process.wait, 300) in (0, -signal.SIGTERM)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="aurum-ev-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Loading:
    """Loads files without a pause, until it is told to stop."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self.files = 0
        self.is_over = False

    async def run(self) -> None:
        while not self.is_over:
            with suppress(Unavailable):
                await load(self._store, self.files, (KEY, OTHER)[self.files % 2])
                self.files += 1
            await asyncio.sleep(0.01)


async def more_events(followers: list[Follower], count: int) -> None:
    """Wait until each follower has a number of further events."""
    before = [len(one.events) for one in followers]
    await wait_until(
        lambda: all(len(one.events) >= n + count for one, n in zip(followers, before, strict=True)), f"{count} more events"
    )


async def finish(followers: list[Follower], loading: Loading, task: asyncio.Task[None], store: PostgresStore) -> None:
    """End the loads, and check that each follower has each entry that it selects once and in order."""
    loading.is_over = True
    await task
    for one in followers:
        expected = await listed(store, ChangeFilter(source=one.query.get("source")))
        expected = expected[expected.index(one.positions[0]) :]
        await wait_until(lambda: len(one.positions) >= len(expected), "the last events")  # noqa: B023 - awaited here
        assert one.positions == expected


def all_followers(url: list[str]) -> list[Follower]:
    return [Follower(lambda: url[0]), Follower(lambda: url[0]), Follower(lambda: url[0], {"source": "nyiso"})]


async def begun(followers: list[Follower], loading: Loading) -> asyncio.Task[None]:
    await wait_until(lambda: all(one.is_connected for one in followers), "all are connected")
    task = asyncio.create_task(loading.run())
    await more_events(followers, 3)
    return task


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_clients_that_resume_see_every_entry_once_over_restarts_of_the_service(
    postgres_store: PostgresStore, database_url: str, fault: signal.Signals
) -> None:
    address = ["http://127.0.0.1:9"]
    followers, loading = all_followers(address), Loading(postgres_store)
    async with following(*followers):
        with api_child(database_url) as (url, process):
            address[0] = url
            task = await begun(followers, loading)
            process.send_signal(fault)
            await asyncio.to_thread(process.wait, 300)
        count = loading.files
        await wait_until(lambda: loading.files > count + 3, "loads while there is no service")
        with api_process(database_url) as url:
            address[0] = url
            await more_events(followers, 6)
            await finish(followers, loading, task, postgres_store)


async def test_clients_see_every_entry_once_when_postgresql_is_killed_and_starts_again(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        url = server.url_of("postgres")
        await upgrade(url)
        pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
        store = PostgresStore(pool, SystemClock())
        with api_process(url) as api:
            followers, loading = all_followers([api]), Loading(store)
            async with following(*followers):
                task = await begun(followers, loading)
                for _ in range(2):
                    await asyncio.to_thread(kill, server, folder)
                    await asyncio.to_thread(server.start)
                    await more_events(followers, 5)
                await finish(followers, loading, task, store)
        await pool.close()
    finally:
        server.stop()


def kill(server: EmbeddedPostgres, folder: Path) -> None:
    """Kill all processes of a server."""
    postmaster = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(processes, timeout=60)
    server.stop()


@pytest.mark.needs_redis
async def test_clients_see_every_entry_once_when_redis_is_killed_and_starts_again(
    postgres_store: PostgresStore, database_url: str, folder: Path
) -> None:
    server = EmbeddedValkey(folder)
    server.start()
    try:
        with api_process(database_url, AURUM_REDIS__URL=server.url) as api:
            followers, loading = all_followers([api]), Loading(postgres_store)
            async with following(*followers):
                task = await begun(followers, loading)
                async with Redis.from_url(server.url) as redis:
                    os.kill(int((await redis.info("server"))["process_id"]), signal.SIGKILL)
                server.stop()
                await more_events(followers, 3)
                server = EmbeddedValkey(folder)
                server.start()
                await more_events(followers, 3)
                await finish(followers, loading, task, postgres_store)
    finally:
        server.stop()
