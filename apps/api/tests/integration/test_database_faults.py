"""The database goes away and comes back under load: nothing wrong is said, and nothing but 503 refused."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import isnan
from pathlib import Path
from typing import Protocol

import httpx
import psutil
import pytest
from api_market import FIRST_KNOWN, NYC, NYC_START, WEST, InventedSeries, file_of, invented_series
from api_processes import api_process, wait_until_ready

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.api_keys import key_text
from aurum.core.errors import Unavailable
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import ApiKey
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

KEPT = f"/v2/series/{NYC}/observations"
TRUTH = [
    None if isnan(value) else value
    for _, value in sorted({ts: value for one in invented_series() if one.key == NYC for ts, value, *_ in one.rows}.items())
]
"""The newest value of each hour of NYC, oldest hour first."""
REVISED_KEY = "nyiso:damlbmp_zone:99999:lmp"


@dataclass
class Seen:
    """The responses that callers got, and how long refusals took. ``in_a_row``: the last of them that were no refusals."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    caches: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    broken: int = 0
    in_a_row: int = 0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="aurum-fault-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def fill(url: str) -> None:
    from api_market import declare, load

    await upgrade(url)
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    store = PostgresStore(pool, SystemClock())
    await declare(store)
    await load(store)
    await pool.close()


async def ask_on(url: str, seen: Seen, until: asyncio.Event) -> None:
    """Request as one caller does: the same slice again and again, and between them slices that are not cached."""
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        number = 0
        while not until.is_set():
            number += 1
            is_cached = number % 2 == 0
            # Within a second of its start: another question each time, the same answer.
            path = KEPT if is_cached else f"{KEPT}?start=2025-10-31T03:59:{number % 60:02d}.{number:06d}Z"
            try:
                answer = await client.get(url + path)
            except httpx.TransportError:
                seen.broken += 1
                continue
            seen.statuses[answer.status_code] += 1
            seen.in_a_row = seen.in_a_row + 1 if answer.status_code == 200 else 0
            seen.caches[answer.headers.get("x-cache", "")] += 1
            if answer.status_code == 200 and [row["value"] for row in answer.json()["data"]] != TRUTH:
                seen.wrong.append(answer.text[:200])
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) >= 1


async def load_on(url: str, done: list[float], until: asyncio.Event) -> None:
    """Revise one number again and again; ``done``: what is committed for certain."""
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    store, number = PostgresStore(pool, SystemClock()), 0
    while not until.is_set():
        number += 1
        rows = [(NYC_START, float(number), FIRST_KNOWN + number * timedelta(minutes=1), 0)]
        revision = InventedSeries(REVISED_KEY, "USD/MWh", "1h", "America/New_York", "NYISO", rows, "USD")
        try:
            await store.loader.load(file_of(revision, content=str(number)))
        except Unavailable:
            await asyncio.sleep(0.05)  # a loader that waits before it tries again
        else:
            done.append(float(number))
    await pool.close()


class Fault(Protocol):
    """A way in which a server fails and comes back."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None: ...

    def begin(self) -> None: ...

    def end(self) -> None: ...


class Stopped:
    """A server that is shut down in order."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.suspended: list[psutil.Process] = []

    def begin(self) -> None:
        self.server.stop()

    def end(self) -> None:
        self.server.start()

    def processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children(recursive=True)]


class Killed(Stopped):
    """A server whose processes are killed."""

    def begin(self) -> None:
        processes = self.processes()
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(processes, timeout=60)

    def end(self) -> None:
        self.server.stop()
        self.server.start()


class Silent(Stopped):
    """A server that accepts connections and queries, and never responds."""

    def begin(self) -> None:
        self.suspended = self.processes()
        for one in self.suspended:
            one.suspend()

    def end(self) -> None:
        for one in self.suspended:
            with suppress(psutil.NoSuchProcess):
                one.resume()


@pytest.mark.parametrize("kind", [Stopped, Killed, Silent])
async def test_the_database_goes_and_comes_back_under_load(folder: Path, kind: type[Fault]) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    fault = kind(server, folder)
    try:
        url = server.url_of("postgres")
        await fill(url)
        with api_process(url, patient=False) as api:
            seen, over, loaded = Seen(), asyncio.Event(), list[float]()
            callers = [asyncio.create_task(ask_on(api, seen, over)) for _ in range(4)]
            loading = asyncio.create_task(load_on(url, loaded, over))
            await wait_until(lambda: seen.in_a_row >= 100 and bool(loaded), "requests and loads before the fault")
            # In threads: callers whose event loop stood still would time out.
            await asyncio.to_thread(fault.begin)
            async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
                await wait_until(partial(is_known_to_be_away, client, api), "the store is known to be away")
            posted = await refused_posts(api)
            refused = seen.statuses[503]
            async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
                health = (await client.get(f"{api}/health")).json()
                ready = await client.get(f"{api}/ready")
            stale = seen.caches["stale"]
            await wait_until(
                lambda: seen.statuses[503] >= refused + 50 and seen.caches["stale"] >= stale + 50, "requests meanwhile"
            )
            during = Counter(seen.statuses)
            await asyncio.to_thread(fault.end)
            await asyncio.to_thread(wait_until_ready, api)
            await wait_until(lambda: seen.in_a_row >= 100, "callers are served again")
            before_end = len(loaded)
            await wait_until(lambda: seen.in_a_row >= 200, "nothing is refused once it is back")
            await wait_until(lambda: len(loaded) > before_end, "loads go on")
            over.set()
            await asyncio.gather(*callers, loading)
            async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
                fresh: httpx.Response | None = None

                async def is_served() -> bool:
                    nonlocal fresh
                    fresh = await client.get(f"{api}/v2/series/{WEST}/observations")
                    return fresh.status_code != 503

                async def is_seen() -> bool:
                    revised = await client.get(f"{api}/v2/series/{REVISED_KEY}/observations")
                    return [row["value"] for row in revised.json().get("data", ())] == [loaded[-1]]

                await wait_until(is_served)
                await wait_until(is_seen, "the last revision is what callers get")
    finally:
        if kind is Silent:
            fault.end()
        server.stop()
    assert seen.wrong == []
    assert seen.broken == 0
    assert set(seen.statuses) == {200, 503}
    assert seen.caches["stale"] > 0, "what was kept is given while the store is away"
    assert during[503] > 0, "what was not kept is refused"
    assert [one.status_code for one in posted] == [503] * len(posted)
    # An open breaker refuses without asking the store, hence at once.
    assert {one["name"]: one["status"] for one in health["dependencies"]}["breakers"] == "open"
    assert ready.status_code == 503
    assert fresh is not None
    assert (fresh.status_code, fresh.headers["x-cache"]) == (200, "miss")


async def is_known_to_be_away(client: httpx.AsyncClient, api: str) -> bool:
    """Return whether the service knows that its store does not answer, and so refuses requests at once."""
    health = (await client.get(f"{api}/health")).json()
    (breakers,) = [one for one in health["dependencies"] if one["name"] == "breakers"]
    return "store: open" in str(breakers)


async def refused_posts(api: str) -> list[httpx.Response]:
    question = {"series": [NYC], "start": "2025-11-02", "end": "2025-11-03"}
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        url = f"{api}/v2/observations/query"
        return [
            await client.post(url, json=question, headers={"idempotency-key": f"key-{number}"} if number % 2 else {})
            for number in range(6)
        ]


async def make_key(url: str, *, ends: datetime | None = None) -> str:
    text, parts = key_text(secrets.token_bytes(40))
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    store = PostgresStore(pool, SystemClock())
    key = ApiKey(parts.key_id, "local", "test", ("user",), (), SystemClock().now(), "test", ends)
    await insert_key(store.transactions, key, parts.digest)
    await pool.close()
    return text


async def test_callers_that_are_known_have_what_is_kept_while_the_database_is_away(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    required = {"AURUM_ACCESS__MODE": "required", "AURUM_ACCESS__REMEMBERED_S": "0.2"}
    try:
        url = server.url_of("postgres")
        await fill(url)
        known, unknown = await make_key(url), await make_key(url)
        with api_process(url, **required) as api:
            async with httpx.AsyncClient(base_url=api, trust_env=False, timeout=120) as client:

                async def ask(key: str, path: str = KEPT) -> httpx.Response:
                    return await client.get(path, headers={"x-api-key": key})

                ends = SystemClock().now() + timedelta(seconds=2.5)
                short = await make_key(url, ends=ends)
                assert (await ask(known)).status_code == 200
                assert (await ask(short)).status_code == 200 or SystemClock().now() >= ends
                server.stop()
                await wait_until(partial(is_known_to_be_away, client, api), "the store is known to be away")
                for _ in range(3):
                    answer = await ask(known)
                    assert (answer.status_code, answer.headers["x-cache"]) == (200, "stale")
                assert (await ask(unknown)).status_code == 503
                assert (await client.get(KEPT)).status_code == 401

                async def has_ended() -> bool:
                    return (await ask(short)).status_code == 503

                await wait_until(has_ended, "a key that has ended is not taken for longer")
                assert SystemClock().now() >= ends
                assert (await ask(known)).status_code == 200
    finally:
        server.stop()
