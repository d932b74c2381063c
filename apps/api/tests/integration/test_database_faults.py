"""The database goes away and comes back under load: nothing wrong is said, and nothing but 503 refused."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from api_market import NYC, NYC_HOURS, WEST, series_given
from api_processes import api_process, wait_until_ready

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.api_keys import key_text
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.postgres import PostgresPool
from aurum.storage.testing.stores import PostgresStore

KEPT = f"/v2/series/{NYC}/observations"
TRUTH = {one.key: one for one in series_given()}


@dataclass
class Seen:
    """What a caller got, and when."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    caches: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    slowest_refusal_s: float = 0.0
    broken: int = 0


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
    """One caller: the same slice again and again, and between them slices nobody has asked for."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        number = 0
        while not until.is_set():
            number += 1
            kept = number % 2 == 0
            # Within a second of its start: another question each time, the same answer.
            path = KEPT if kept else f"{KEPT}?start=2025-10-31T03:59:{number % 60:02d}.{number:06d}Z"
            began = time.monotonic()
            try:
                answer = await client.get(url + path)
            except httpx.TransportError:
                seen.broken += 1
                continue
            seen.statuses[answer.status_code] += 1
            seen.caches[answer.headers.get("x-cache", "")] += 1
            if answer.status_code == 200 and len(answer.json()["data"]) != NYC_HOURS:
                seen.wrong.append(answer.text[:200])
            if answer.status_code == 503:
                seen.slowest_refusal_s = max(seen.slowest_refusal_s, time.monotonic() - began)
                assert int(answer.headers["retry-after"]) >= 1


async def test_the_database_stops_and_starts_under_load(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        url = server.url_of("postgres")
        await fill(url)
        with api_process(url) as api:
            seen, over = Seen(), asyncio.Event()
            callers = [asyncio.create_task(ask_on(api, seen, over)) for _ in range(4)]
            await asyncio.sleep(1.0)
            assert set(seen.statuses) == {200}
            server.stop()
            await asyncio.sleep(2.5)
            during = Counter(seen.statuses)
            server.start()
            wait_until_ready(api)
            await asyncio.sleep(1.5)
            after = Counter(seen.statuses)
            await asyncio.sleep(0.5)
            over.set()
            await asyncio.gather(*callers)
            async with httpx.AsyncClient(trust_env=False) as client:
                fresh = await client.get(f"{api}/v2/series/{WEST}/observations")
    finally:
        server.stop()
    assert seen.wrong == []
    assert seen.broken == 0
    assert set(seen.statuses) == {200, 503}
    assert seen.caches["stale"] > 0, "what was kept is given while the store is away"
    assert during[503] > 0, "what was not kept is refused"
    assert seen.statuses[503] == after[503], "nothing is refused once it is back"
    assert (fresh.status_code, fresh.headers["x-cache"]) == (200, "miss")


async def make_key(url: str, *, ends: datetime | None = None) -> str:
    text, parts = key_text(secrets.token_bytes(40))
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=1))
    store = PostgresStore(pool, SystemClock())
    key = ApiKey(parts.key_id, "local", "test", ("user",), (), SystemClock().now(), "test", ends)
    await store.keys.create(key, parts.digest, by=Actor("operator"))
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
            async with httpx.AsyncClient(base_url=api, trust_env=False, timeout=10) as client:

                async def ask(key: str, path: str = KEPT) -> httpx.Response:
                    return await client.get(path, headers={"x-api-key": key})

                ends = SystemClock().now() + timedelta(seconds=2.5)
                short = await make_key(url, ends=ends)
                assert [(await ask(key)).status_code for key in (known, short)] == [200, 200]
                server.stop()
                await asyncio.sleep(1.5)
                for _ in range(3):
                    answer = await ask(known)
                    assert (answer.status_code, answer.headers["x-cache"]) == (200, "stale")
                assert (await ask(unknown)).status_code == 503
                assert (await client.get(KEPT)).status_code == 401
                await asyncio.sleep((ends - SystemClock().now()).total_seconds() + 0.1)
                assert (await ask(short)).status_code == 503, "a key that has ended is not taken for longer"
                assert (await ask(known)).status_code == 200
    finally:
        server.stop()
