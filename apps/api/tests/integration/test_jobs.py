"""Jobs over the API, on a real store: who sees and controls which, and what their streams send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from api_events import Event, Parser, events_of
from api_jobs import FETCH, finish, parked_job, queued_job, report, start

from aurum.api.testing import Served, serving
from aurum.api.testing.listening import listening
from aurum.common.clock import SystemClock
from aurum.common.settings import AccessSettings, ChangesSettings, DatabaseSettings, Settings
from aurum.core.access import RatePlan
from aurum.core.api_keys import key_text
from aurum.core.jobs.states import JobState
from aurum.services.access import create_tenant, put_plan, revoke_key
from aurum.services.jobs.definitions import default_definitions
from aurum.services.jobs.listing import NOT_SHOWN
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.testing.access import insert_key
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

OPERATOR = Actor("operator")
NUMBERS = iter(range(1, 1_000))
UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"
NEW = {"name": "fetch.day", "payload": FETCH}


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    await put_plan(postgres_store.transactions, RatePlan("trial", 6_000, 90_000, 90_000, 2.0, 9, 2), by=OPERATOR)
    for tenant in ("acme", "bolt"):
        await create_tenant(postgres_store.transactions, tenant, tenant, "trial", by=OPERATOR)
    return postgres_store


def guarded_settings(database_url: str, changes: ChangesSettings | None = None) -> Settings:
    return Settings(
        database=DatabaseSettings(url=database_url, pool_size=3),
        access=AccessSettings(mode="required"),
        changes=changes or ChangesSettings(),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(database_url: str, store: PostgresStore) -> AsyncIterator[Served]:
    del store  # it has its tenants by then
    async with serving(guarded_settings(database_url)) as served:
        yield served


async def credential(store: PostgresStore, role: str, tenant: str = "acme") -> dict[str, str]:
    """The header of a new key."""
    text, parts = key_text(next(NUMBERS).to_bytes(8, "big") + bytes(32))
    key = ApiKey(parts.key_id, tenant, "test", (role,), (), SystemClock().now(), "test")
    await insert_key(store.transactions, key, parts.digest)
    return {"authorization": f"Bearer {text}", "x-key-id": parts.key_id}


async def ids(client: httpx.AsyncClient, headers: dict[str, str], query: str = "") -> list[str]:
    answer = await client.get(f"/v2/jobs{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [one["job_id"] for one in answer.json()["data"]]


async def test_a_caller_sees_the_jobs_of_its_own_tenant_and_an_operator_all(guarded: Served, store: PostgresStore) -> None:
    platform, mine, other = [await queued_job(store, tenant=tenant) for tenant in (None, "acme", "bolt")]
    user, root = await credential(store, "user"), await credential(store, "super_admin")
    client = guarded.client
    assert await ids(client, user) == await ids(client, user, "?tenant=acme") == [mine]
    assert await ids(client, root) == [other, mine, platform]
    assert await ids(client, root, "?tenant=bolt") == [other]
    refused = await client.get("/v2/jobs?tenant=bolt", headers=user)
    assert (refused.status_code, refused.json()["scope"]) == (403, "admin:write")
    own = await client.get(f"/v2/jobs/{mine}", headers=user)
    assert (own.status_code, own.headers["cache-control"]) == (200, "no-store")
    assert own.json()["data"]["tenant"] == "acme"
    queues = (await client.get("/v2/jobs/queues", headers=user)).json()["data"]
    assert {one["name"]: one["waiting"] for one in queues} == {"bulk": 1, "interactive": 0, "maintenance": 0}
    everything = (await client.get("/v2/jobs/queues", headers=root)).json()["data"]
    assert {one["name"]: one["waiting"] for one in everything}["bulk"] == 3


async def test_the_job_of_another_tenant_or_of_the_platform_is_404(guarded: Served, store: PostgresStore) -> None:
    trader = await credential(store, "trader")
    others = [await parked_job(store, tenant="bolt"), await parked_job(store), UNKNOWN, "no id"]
    for job_id in others:
        for method, path in (
            ("GET", ""),
            ("GET", "/events"),
            ("POST", "/cancel"),
            ("POST", "/retry"),
            ("DELETE", ""),
        ):
            answer = await guarded.client.request(method, f"/v2/jobs/{job_id}{path}", headers=trader)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), (method, path, answer.text)
            assert answer.json()["job_id"] == job_id
    assert [(await store.jobs.job(one)).state for one in others[:2]] == [JobState.PARKED] * 2
    audit = await store.audit.page(before=None, limit=99)
    assert not [one for one in audit if one.action.startswith("job.")]


async def test_reading_needs_jobs_read_and_changing_jobs_run(guarded: Served, store: PostgresStore) -> None:
    user, analyst = await credential(store, "user"), await credential(store, "analyst")
    trader = await credential(store, "trader")
    job_id = await parked_job(store, tenant="acme")
    client = guarded.client
    for method, path in (("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")):
        answer = await client.request(method, f"/v2/jobs/{job_id}{path}", headers=analyst)
        assert (answer.status_code, answer.json()["scope"]) == (403, "jobs:run")
    created = await client.post("/v2/jobs", json=NEW, headers=user)
    assert (created.status_code, created.json()["scope"]) == (403, "jobs:run")
    created = await client.post("/v2/jobs", json=NEW, headers=trader)
    assert (created.status_code, created.json()["scope"]) == (403, "admin:write"), "as its definition says"
    assert (await client.post(f"/v2/jobs/{job_id}/retry", headers=trader)).json()["data"]["state"] == "queued"
    assert (await client.get("/v2/jobs")).status_code == 401


async def test_a_created_job_is_queued_on_record_and_created_once(guarded: Served, store: PostgresStore) -> None:
    root = await credential(store, "super_admin")
    client, once = guarded.client, root | {"idempotency-key": "fetch-1", "x-request-id": "create-1"}
    answer = await client.post("/v2/jobs", json=NEW, headers=once)
    assert answer.status_code == 202
    job = answer.json()["data"]
    assert answer.headers["location"] == f"/v2/jobs/{job['job_id']}"
    assert (job["state"], job["queue"], job["tenant"], job["payload"]) == ("queued", "bulk", None, FETCH)
    assert job["subject"] == f"key:{root['x-key-id']}"
    again = await client.post("/v2/jobs", json=NEW, headers=once)
    assert (again.json(), again.headers["idempotent-replayed"]) == (answer.json(), "true")
    (record,) = await store.audit.page(action="job.create", before=None, limit=9)
    assert (record.target, record.request_id, record.actor) == (job["job_id"], "create-1", job["subject"])
    assert record.detail == {"name": "fetch.day", "payload": FETCH}
    stored = await store.jobs.job(job["job_id"])
    assert stored.carried["asked_by"] == {"request_id": "create-1", "tenant": "acme"}


async def test_a_request_whose_answer_was_not_stored_creates_no_second_job(
    guarded: Served, store: PostgresStore, database_url: str
) -> None:
    root = await credential(store, "super_admin")
    headers = root | {"idempotency-key": "fetch-2"}
    first = (await guarded.client.post("/v2/jobs", json=NEW, headers=headers)).json()["data"]
    async with store.pool.begin() as connection:  # as if the process had ended between the job and its answer
        await connection.execute("DELETE FROM idempotency")
    again = (await guarded.client.post("/v2/jobs", json=NEW, headers=headers)).json()["data"]
    other = {**NEW, "payload": {**FETCH, "day": "2025-11-03"}}
    async with store.pool.begin() as connection:
        await connection.execute("DELETE FROM idempotency")
    another = (await guarded.client.post("/v2/jobs", json=other, headers=headers)).json()["data"]
    assert again["job_id"] == first["job_id"] != another["job_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "fetch.dya"}, "name"),
        ({"name": "fetch.day", "payload": {**FETCH, "day": "1762041600"}}, "payload.day"),
        ({"name": "fetch.day", "payload": {**FETCH, "hour": 1}}, "payload.hour"),
        ({"name": "fetch.day", "payload": {**FETCH, "source": "a\x00b"}}, "payload"),
        ({"name": "fetch.day", "payload": []}, "payload"),
        ({"payload": {}}, "name"),
        ({**NEW, "queue": "interactive"}, "queue"),
    ],
)
async def test_a_body_that_fits_no_definition_is_422_with_the_field(
    guarded: Served, store: PostgresStore, body: dict[str, Any], field: str
) -> None:
    root = await credential(store, "super_admin")
    answer = await guarded.client.post("/v2/jobs", json=body, headers=root)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert await ids(guarded.client, root) == []


async def test_definitions_have_the_schema_of_their_payload(guarded: Served, store: PostgresStore) -> None:
    user = await credential(store, "user")
    listed = (await guarded.client.get("/v2/jobs/definitions", headers=user)).json()["data"]
    known = default_definitions().by_name
    assert [one["name"] for one in listed] == sorted(known)
    for one in listed:
        assert one["payload_schema"] == known[one["name"]].schema()
        assert (one["queue"], one["summary"]) == (known[one["name"]].queue, known[one["name"]].summary)


async def test_a_list_is_filtered_and_paged_without_gaps(guarded: Served, store: PostgresStore) -> None:
    user = await credential(store, "user")
    parked = [await parked_job(store, tenant="acme") for _ in range(3)]
    queued = [await queued_job(store, tenant="acme", name="ingest.file") for _ in range(2)]
    client = guarded.client
    assert await ids(client, user, "?state=parked") == parked[::-1]
    assert await ids(client, user, "?name=ingest.file&queue=bulk") == queued[::-1]
    assert await ids(client, user, "?queue=interactive") == []
    assert await ids(client, user, f"?parent={parked[0]}") == []
    pages: list[list[str]] = []
    url = "/v2/jobs?limit=2"
    while True:
        answer = (await client.get(url, headers=user)).json()
        pages.append([one["job_id"] for one in answer["data"]])
        if (cursor := answer["meta"]["next_cursor"]) is None:
            break
        url = f"/v2/jobs?limit=2&cursor={cursor}"
    assert [len(one) for one in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == (parked + queued)[::-1]
    for query in ("?state=lost", "?queue=ingest", "?stat=parked", "?cursor=x"):
        assert (await client.get(f"/v2/jobs{query}", headers=user)).status_code == 422, query


async def test_cancelling_is_at_once_or_asked_for_and_409_after_the_end(guarded: Served, store: PostgresStore) -> None:
    trader = await credential(store, "trader")
    running = await queued_job(store, tenant="acme")
    attempts = await start(store)
    queued = await queued_job(store, tenant="acme")
    client = guarded.client
    answer = await client.post(f"/v2/jobs/{queued}/cancel", headers=trader)
    assert (answer.status_code, answer.json()["data"]["state"]) == (202, "cancelled")
    answer = await client.post(f"/v2/jobs/{running}/cancel", headers=trader)
    assert (answer.status_code, answer.json()["data"]["state"]) == (202, "running")
    assert answer.json()["data"]["cancel_requested_at"] is not None
    await finish(store, running, attempts[running], JobState.CANCELLED)
    for job_id in (queued, running):
        refused = await client.post(f"/v2/jobs/{job_id}/cancel", headers=trader)
        assert (refused.status_code, refused.json()["state"]) == (409, "cancelled")
    assert (await client.post(f"/v2/jobs/{queued}/retry", headers=trader)).status_code == 202


async def test_a_parked_job_shows_its_reason_and_its_evidence_to_operators_only(guarded: Served, store: PostgresStore) -> None:
    trader, root = await credential(store, "trader"), await credential(store, "super_admin")
    job_id = await parked_job(store, tenant="acme")
    client = guarded.client
    own = (await client.get(f"/v2/jobs/{job_id}", headers=trader)).json()["data"]
    assert (own["state"], own["reason"], own["attempts"]) == ("parked", "the publisher has no such day", 1)
    assert (own["evidence"], own["worker"]) == (None, None)
    seen = (await client.get(f"/v2/jobs/{job_id}", headers=root)).json()["data"]
    assert (seen["evidence"]["kind"], seen["worker"]) == ("NotPublished", "worker-1")


async def test_a_parked_job_is_dropped_and_others_are_not(guarded: Served, store: PostgresStore) -> None:
    trader = await credential(store, "trader")
    job_id = await parked_job(store, tenant="acme")
    client = guarded.client
    dropped = await client.delete(f"/v2/jobs/{job_id}", headers=trader)
    assert (dropped.status_code, dropped.json()["data"]["job_id"]) == (200, job_id)
    assert (await client.get(f"/v2/jobs/{job_id}", headers=trader)).status_code == 404
    queued = await queued_job(store, tenant="acme")
    for method, path in (("DELETE", ""), ("POST", "/retry")):
        refused = await client.request(method, f"/v2/jobs/{queued}{path}", headers=trader)
        assert (refused.status_code, refused.json()["state"]) == (409, "queued")
    (record,) = await store.audit.page(tenant="acme", action="job.drop", before=None, limit=9)
    assert record.detail == {"name": "fetch.day", "payload": FETCH, "reason": "the publisher has no such day"}


# --- streams ----------------------------------------------------------------------------------------------------------


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


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        yield client


@asynccontextmanager
async def opened(client: httpx.AsyncClient, url: str, job_id: str, headers: dict[str, str]) -> AsyncGenerator[Stream]:
    async with client.stream("GET", f"{url}/v2/jobs/{job_id}/events", headers=headers) as response:
        yield Stream(response)


async def test_a_stream_shows_each_change_until_the_job_has_ended(
    store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    user = await credential(store, "user")
    job_id = await queued_job(store, tenant="acme")
    with listening(guarded_settings(database_url)) as url:
        async with opened(client, url, job_id, user) as stream:
            headers = stream.response.headers
            assert headers["content-type"].startswith("text/event-stream")
            assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
            seen = [await stream.next()]
            attempts = await start(store)
            seen.append(await stream.next())
            await report(store, job_id, attempts[job_id], 1, 3)
            seen.append(await stream.next())
            await finish(store, job_id, attempts[job_id], JobState.SUCCEEDED, result={"files": 1})
            seen += await stream.rest()
        assert [(one.kind, one.data["state"]) for one in seen] == [
            ("state", "queued"),
            ("state", "running"),
            ("progress", "running"),
            ("state", "succeeded"),
        ]
        assert seen[2].data["progress"] == {"done": 1, "total": 3, "note": "file 1"}
        assert seen[3].data["result"] == {"files": 1}
        assert "payload" not in seen[3].data
        assert len({one.id for one in seen}) == 4

        resumed = user | {"last-event-id": seen[2].id}
        async with opened(client, url, job_id, resumed) as stream:
            assert await stream.rest() == seen[3:]
        over = await client.get(f"{url}/v2/jobs/{job_id}/events", headers=user | {"last-event-id": seen[3].id})
        assert (over.status_code, over.content) == (204, b"")


async def test_a_client_that_resumes_gets_nothing_twice(
    store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    user = await credential(store, "user")
    job_id = await queued_job(store, tenant="acme")
    short = ChangesSettings(comment_s=0.05)
    with listening(guarded_settings(database_url, short)) as url:
        async with opened(client, url, job_id, user) as stream:
            first = await stream.next()
        async with opened(client, url, job_id, user | {"last-event-id": first.id}) as stream:
            reading = asyncio.create_task(stream.next())
            await wait_until(lambda: stream.parser.comments >= 3, "comments")
            attempts = await start(store)
            event = await reading
            assert event.data["state"] == "running"
            await finish(store, job_id, attempts[job_id], JobState.PARKED, reason="the publisher has no such day")
            (last,) = await stream.rest()
    assert (last.data["state"], last.data["reason"]) == ("parked", "the publisher has no such day")


async def test_streams_have_limits_and_end_when_their_key_is_revoked(
    store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    # All keys come first: a new one ends the streams, because access has changed.
    first, second, third = [await credential(store, "user") for _ in range(3)]
    job_id = await queued_job(store, tenant="acme")
    with listening(guarded_settings(database_url, ChangesSettings(key_listeners=1))) as url:
        path = f"{url}/v2/jobs/{job_id}/events"
        assert (await client.get(path)).status_code == 401
        async with opened(client, url, job_id, first) as stream, opened(client, url, job_id, second) as other:
            await stream.next()
            await other.next()
            refused = await client.get(path, headers=first)
            assert (refused.status_code, refused.json()["limit"]) == (429, 1)
            refused = await client.get(path, headers=third)
            assert (refused.status_code, refused.json()["limit"]) == (429, 2), "as the plan of the tenant says"
            await revoke_key(store.transactions, "acme", first["x-key-id"], by=OPERATOR)
            assert await stream.rest() == []
        assert (await client.get(path, headers=first)).status_code == 401


async def test_a_stream_ends_when_its_job_is_dropped(
    store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    user = await credential(store, "user")
    job_id = await queued_job(store, tenant="acme")
    with listening(guarded_settings(database_url)) as url:
        async with opened(client, url, job_id, user) as stream:
            await stream.next()
            async with store.pool.begin() as connection:
                await connection.execute("DELETE FROM job")
            assert await stream.rest() == []
        assert (await client.get(f"{url}/v2/jobs/{job_id}/events", headers=user)).status_code == 404


async def test_a_stream_ends_after_its_time_with_a_retry(
    store: PostgresStore, database_url: str, client: httpx.AsyncClient
) -> None:
    user = await credential(store, "user")
    job_id = await queued_job(store, tenant="acme")
    with listening(guarded_settings(database_url, ChangesSettings(stream_s=0.05))) as url:
        async with opened(client, url, job_id, user) as stream:
            (event,) = await stream.rest()
        assert (event.data["state"], len(stream.parser.retry_ms)) == ("queued", 2)
        assert (await client.head(f"{url}/v2/jobs/{job_id}/events", headers=user)).status_code == 200


# --- the routes from before -------------------------------------------------------------------------------------------


async def test_the_earlier_routes_answer_from_the_same_jobs_and_say_that_they_are_deprecated(
    guarded: Served, store: PostgresStore
) -> None:
    root = await credential(store, "super_admin")
    client = guarded.client
    created = await client.post("/v2/admin/jobs", json=NEW, headers=root)
    job = created.json()["data"]
    assert (created.status_code, job) == (202, {"job_id": job["job_id"], "name": "fetch.day", "queue": "bulk"})
    assert await ids(client, root) == [job["job_id"]]
    attempts = await start(store)
    await finish(store, job["job_id"], attempts[job["job_id"]], JobState.PARKED, reason="the publisher has no such day")
    queues = await client.get("/v2/admin/jobs", headers=root)
    assert {"name": "bulk", "waiting": 0, "delayed": 0, "parked": 1} in queues.json()["data"]
    (parked,) = (await client.get("/v2/admin/jobs/parked", headers=root)).json()["data"]
    assert set(parked) == {"job_id", "name", "queue", "payload", "reason", "parked_at"}
    assert (parked["payload"], parked["reason"]) == (FETCH, "the publisher has no such day")
    path = f"/v2/admin/jobs/parked/{job['job_id']}"
    again = await client.post(f"{path}/retry", headers=root)
    assert (again.status_code, again.json()["data"]) == (202, parked)
    missing = await client.delete(path, headers=root)
    assert missing.status_code == 404, "it is queued again"
    for answer in (created, queues, again, missing):
        assert answer.headers["deprecation"].startswith("@")
        assert answer.headers["sunset"].endswith("GMT")
        assert '</v2/jobs>; rel="successor-version"' in answer.headers["link"]
    attempts = await start(store)
    await finish(store, job["job_id"], attempts[job["job_id"]], JobState.PARKED, reason="no")
    assert (await client.delete(path, headers=root)).status_code == 200
    assert await ids(client, root) == []
    assert "deprecation" not in (await client.get("/v2/jobs", headers=root)).headers


async def test_only_the_earlier_routes_are_marked_as_deprecated(guarded: Served) -> None:
    document = (await guarded.client.get("/openapi.json")).json()
    marked = {path for path, operations in document["paths"].items() for one in operations.values() if one.get("deprecated")}
    assert marked == {path for path in document["paths"] if path.startswith("/v2/admin/jobs")}


async def test_the_contents_of_a_job_are_shown_to_its_own_tenant_alone(guarded: Served, store: PostgresStore) -> None:
    own, foreign = await credential(store, "super_admin", "acme"), await credential(store, "super_admin", "bolt")
    job_id = await parked_job(store, tenant="acme")
    client = guarded.client
    seen = (await client.get(f"/v2/jobs/{job_id}", headers=own)).json()["data"]
    assert (seen["payload"], seen["reason"]) == (FETCH, "the publisher has no such day")
    (listed,) = (await client.get("/v2/jobs", headers=foreign)).json()["data"]
    read = (await client.get(f"/v2/jobs/{job_id}", headers=foreign)).json()["data"]
    for one in (listed, read):
        assert (one["job_id"], one["state"], one["tenant"]) == (job_id, "parked", "acme")
        assert (one["payload"], one["result"], one["evidence"]) == ({}, None, None)
        assert one["reason"] == NOT_SHOWN
    (parked,) = (await client.get("/v2/admin/jobs/parked", headers=foreign)).json()["data"]
    assert (parked["payload"], parked["reason"]) == ({}, NOT_SHOWN)
    stream = (await client.get(f"/v2/jobs/{job_id}/events", headers=foreign)).text
    assert NOT_SHOWN in stream
    assert "no such day" not in stream
    retried = (await client.post(f"/v2/jobs/{job_id}/retry", headers=foreign)).json()["data"]
    assert (retried["state"], retried["payload"]) == ("queued", {})
