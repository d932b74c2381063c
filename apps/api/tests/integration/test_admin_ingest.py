"""Files, quarantined rows and limits as operators see them, and loading a file again."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from api_curves import JAN, file_of
from api_market import NYC, declare, load
from redis.asyncio import Redis

from aurum.api.testing import Served, serving
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, DatabaseSettings, RedisSettings, Settings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.core.catalog.entries import QuoteFlag
from aurum.services.access import create_tenant, put_plan
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.curves import add_product
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

DIGEST = hashlib.sha256(NYC.encode()).hexdigest()
OPERATOR = Actor("operator")


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    await declare(postgres_store)
    await load(postgres_store)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def operated(database_url: str, store: PostgresStore, redis_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    del store  # it has its data by then
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
    database = DatabaseSettings(url=database_url, pool_size=2)
    async with serving(Settings(data_dir=tmp_path, database=database, redis=RedisSettings(url=redis_url))) as served:
        yield served


async def test_files_are_listed_newest_first_by_what_became_of_them(operated: Served) -> None:
    refused = (await operated.client.get("/v2/admin/ingest?status=refused")).json()["data"]
    assert [(one["name"], one["reason"]) for one in refused] == [("empty.csv", "the file is empty")]
    first = (await operated.client.get("/v2/admin/ingest?limit=2")).json()
    assert first["data"][0] == refused[0]
    second = (await operated.client.get(f"/v2/admin/ingest?limit=2&cursor={first['meta']['next_cursor']}")).json()
    numbers = [one["file_id"] for one in first["data"] + second["data"]]
    assert numbers == sorted(numbers, reverse=True)


async def test_files_are_found_by_source_dataset_and_time(operated: Served) -> None:
    everything = (await operated.client.get("/v2/admin/ingest")).json()["data"]
    newest = everything[0]["loaded_at"]
    for parameters, wanted in (
        ({"source": "nyiso"}, [one for one in everything if one["source"] == "nyiso"]),
        ({"source": "nyiso", "dataset": "nothing"}, []),
        ({"since": newest}, [one for one in everything if one["loaded_at"] == newest]),
        ({"since": "0001-01-01T00:00:00Z"}, everything),
        ({"since": "9999-12-31T23:59:59Z"}, []),
    ):
        assert (await operated.client.get("/v2/admin/ingest", params=parameters)).json()["data"] == wanted
    for no_instant in ("yesterday", "0.5", "1764000000", "2025-11-02", "2025-11-02T14:00:00"):
        assert (await operated.client.get("/v2/admin/ingest", params={"since": no_instant})).status_code == 422, no_instant
    cursor = (await operated.client.get("/v2/admin/ingest?limit=1")).json()["meta"]["next_cursor"]
    other = await operated.client.get(f"/v2/admin/ingest?limit=1&source=nyiso&cursor={cursor}")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "cursor")


async def test_the_record_of_a_file_has_what_the_checks_found_in_its_quotes(store: PostgresStore, operated: Served) -> None:
    key, day = "power:XF:base:EXCH", date(2024, 10, 14)
    flags = (
        QuoteFlag(key, "unit_jump", day, ratio=100.0),
        QuoteFlag(key, "stale", day, date(2025, 1, 1), date(2025, 2, 1), 80.0, 80.0, None, 3),
    )
    await add_product(store, key)
    file = file_of({key: {day: {JAN: 80.0}}})
    await store.loader.load(replace(file, record=replace(file.record, flagged_curves=1, quote_flags=flags)))
    (record,) = (await operated.client.get(f"/v2/admin/ingest/{file.record.digest}")).json()["data"]
    assert record["flagged_curves"] == 1
    nothing = dict.fromkeys(("delivery_start", "delivery_end", "price", "before", "ratio", "sessions"))
    assert record["quote_flags"] == [
        {**nothing, "curve": key, "check": "unit_jump", "trade_date": "2024-10-14", "ratio": 100.0},
        {
            "curve": key, "check": "stale", "trade_date": "2024-10-14", "delivery_start": "2025-01-01",
            "delivery_end": "2025-02-01", "price": 80.0, "before": 80.0, "ratio": None, "sessions": 3,
        },
    ]  # fmt: skip
    other = (await operated.client.get(f"/v2/admin/ingest/{DIGEST}")).json()["data"][0]
    assert (other["flagged_curves"], other["quote_flags"]) == (0, [])


async def test_a_content_is_found_by_its_digest(operated: Served) -> None:
    (record,) = (await operated.client.get(f"/v2/admin/ingest/{DIGEST}")).json()["data"]
    assert (record["source"], record["status"], record["quarantined"]) == ("nyiso", "applied", 1)
    assert (await operated.client.get(f"/v2/admin/ingest/{'f' * 64}")).status_code == 404
    assert (await operated.client.get("/v2/admin/ingest/nonsense")).status_code == 422


async def test_rows_held_back_are_those_of_a_file(operated: Served) -> None:
    (row,) = (await operated.client.get(f"/v2/admin/quarantine?digest={DIGEST}")).json()["data"]
    assert (row["reason"], row["raw"], row["line"]) == ("non_numeric", "n/a", 7)
    assert len((await operated.client.get("/v2/admin/quarantine")).json()["data"]) == 3


async def test_a_file_is_loaded_again_by_a_job_that_is_on_record(operated: Served) -> None:
    answer = await operated.client.post(f"/v2/admin/quarantine/{DIGEST}/replay")
    assert (answer.status_code, answer.json()["data"]["digest"]) == (202, DIGEST)
    job = (await operated.client.get(f"/v2/jobs/{answer.json()['data']['job_id']}")).json()["data"]
    assert (job["name"], job["queue"], job["state"], job["payload"]) == (
        "quarantine.replay",
        "interactive",
        "queued",
        {"digest": DIGEST},
    )
    (entry,) = (await operated.client.get("/v2/admin/audit?action=quarantine.replay")).json()["data"]
    assert (entry["target"], entry["detail"]) == (DIGEST, {"job_id": answer.json()["data"]["job_id"]})
    assert (await operated.client.post(f"/v2/admin/quarantine/{'f' * 64}/replay")).status_code == 404


async def test_a_service_without_redis_accepts_jobs(database_url: str, store: PostgresStore) -> None:
    async with serving(Settings(database=DatabaseSettings(url=database_url, pool_size=2))) as served:
        answer = await served.client.post(f"/v2/admin/quarantine/{DIGEST}/replay")
    assert answer.status_code == 202
    assert (await store.jobs.job(answer.json()["data"]["job_id"])).name == "quarantine.replay"


@pytest.mark.parametrize("shared", [True, False])
async def test_limits_say_what_is_left_to_whom(
    database_url: str, store: PostgresStore, redis_url: str, tmp_path: Path, shared: bool
) -> None:
    await put_plan(store.transactions, RatePlan("trial", 100, 1_000, 10_000, 1.0, 5), by=OPERATOR)
    await create_tenant(store.transactions, "acme", "Acme", "trial", by=OPERATOR)
    headers = []
    for number, role in enumerate(("user", "admin")):
        text, parts = key_text(bytes([number]) * 40)
        key = ApiKey(parts.key_id, "acme", "test", (role,), (), SystemClock().now(), "test")
        await insert_key(store.transactions, key, parts.digest)
        headers.append({"authorization": f"Bearer {text}"})
    settings = Settings(
        data_dir=tmp_path,
        database=DatabaseSettings(url=database_url, pool_size=2),
        access=AccessSettings(mode="required"),
        # A database of its own: other services of this session share the limits of the first.
        redis=RedisSettings(url=redis_url.replace("db=0", "db=7") if shared else None),
    )
    async with serving(settings) as served:
        for _ in range(20):
            assert (await served.client.get("/v2/catalog/sources", headers=headers[0])).status_code == 200
        limits: dict[str, Any] = {}

        async def are_counted() -> bool:
            answer = await served.client.get("/v2/admin/limits?tenant=acme", headers=headers[1])
            limits.update(answer.json()["data"])
            # What was used comes back with time, of a day so slowly that a busy machine does not matter.
            return limits["shared"] is shared and limits["callers"][0]["windows"][2]["left"] <= 9_990

        await wait_until(are_counted)
        assert (await served.client.get("/v2/admin/limits", headers=headers[0])).status_code == 403
    assert (limits["processes"], limits["refused"]) == (1, 0)
    most, least = limits["callers"]
    assert (most["tenant"], most["plan"], least["plan"]) == ("acme", "trial", "trial")
    assert [(one["name"], one["limit"]) for one in most["windows"]] == [("minute", 100), ("hour", 1_000), ("day", 10_000)]
    assert [one["left"] >= one["limit"] - 22 for one in most["windows"]] == [True] * 3
    assert "secret" not in str(limits)
