"""Whatever an operator does is on record, before it is done."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest_asyncio
from api_jobs import parked_job, queued_job
from api_market import LONG, NYC, declare, load

from aurum.api.registry import FEATURES
from aurum.api.testing import Served, changed, serving
from aurum.assembly.postgres import open_live_store
from aurum.assembly.store import StoreParts
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.alerts.alert import AlertKind, Finding, Subject
from aurum.core.errors import Unavailable
from aurum.services.alerts.recording import record_findings
from aurum.storage.ports.access import Actor
from aurum.storage.ports.alerts import AlertFilter
from aurum.storage.ports.transaction import Transactions
from aurum.storage.testing.stores import PostgresStore

FETCH = {"name": "fetch.day", "payload": {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}}
PRODUCT = {"key": "power:XA:base:DESK", "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power"}
OVERRIDE = {"curve": "power:XM:base:DESK", "period": "Q2-25", "settle": 91.0, "reason": "broker"}
ACTIONS: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {
    ("POST", "/v2/admin/keys"): ("/v2/admin/keys", {"name": "k", "roles": ["user"]}),
    ("POST", "/v2/admin/keys/{key_id}/rotate"): ("/v2/admin/keys/KEY/rotate", {}),
    ("PUT", "/v2/admin/keys/{key_id}/owner"): ("/v2/admin/keys/KEY/owner", {"owner": "Anna Smith"}),
    ("POST", "/v2/admin/keys/{key_id}/revoke"): ("/v2/admin/keys/KEY/revoke", None),
    ("POST", "/v2/admin/tenants"): ("/v2/admin/tenants", {"tenant_id": "acme", "name": "Acme"}),
    ("PATCH", "/v2/admin/tenants/{tenant_id}"): ("/v2/admin/tenants/acme", {"disabled": True}),
    ("PUT", "/v2/admin/plans/{name}"): (
        "/v2/admin/plans/trial",
        {"per_minute": 1, "per_hour": 1, "per_day": 1, "burst": 1.0, "at_once": 1},
    ),
    ("PUT", "/v2/admin/flags/{name}"): ("/v2/admin/flags/f", {}),
    ("POST", "/v2/admin/flags/{name}/kill"): ("/v2/admin/flags/f/kill", None),
    ("POST", "/v2/admin/flags/{name}/revive"): ("/v2/admin/flags/f/revive", None),
    ("DELETE", "/v2/admin/flags/{name}"): ("/v2/admin/flags/f", None),
    ("POST", "/v2/admin/cache/forget"): ("/v2/admin/cache/forget", {"tags": ["source:pjm"]}),
    ("POST", "/v2/admin/cache/warm"): ("/v2/admin/cache/warm", None),
    ("POST", "/v2/admin/quarantine/{held_file}/replay"): ("/v2/admin/quarantine/HELD/replay", None),
    ("POST", "/v2/admin/jobs"): ("/v2/admin/jobs", FETCH),
    ("POST", "/v2/admin/jobs/parked/{parked_job}/retry"): ("/v2/admin/jobs/parked/PARKED/retry", None),
    ("DELETE", "/v2/admin/jobs/parked/{parked_job}"): ("/v2/admin/jobs/parked/PARKED", None),
    ("POST", "/v2/jobs"): ("/v2/jobs", FETCH),
    ("POST", "/v2/jobs/{job_id}/cancel"): ("/v2/jobs/QUEUED/cancel", None),
    ("POST", "/v2/jobs/{job_id}/retry"): ("/v2/jobs/PARKED/retry", None),
    ("DELETE", "/v2/jobs/{job_id}"): ("/v2/jobs/PARKED", None),
    ("DELETE", "/v2/admin/series/{key:path}"): (f"/v2/admin/series/{NYC}?reason=test", None),
    ("PUT", "/v2/private/series/{name}"): (
        "/v2/private/series/meter",
        {"unit": "MWh", "frequency": "1h", "zone": "UTC", "title": "Meter"},
    ),
    ("PUT", "/v2/private/series/{name}/observations"): (
        "/v2/private/series/meter/observations",
        {"data": [{"start": "2025-11-02T00:00:00Z", "value": 1.0}]},
    ),
    ("DELETE", "/v2/private/series/{name}"): ("/v2/private/series/meter", None),
    ("POST", "/v2/products"): ("/v2/products", PRODUCT),
    ("PATCH", "/v2/products/{key}"): ("/v2/products/power:XA:base:DESK", {"title": "Marks of the desk"}),
    ("DELETE", "/v2/products/{key}"): ("/v2/products/power:XA:base:DESK", None),
    ("POST", "/v2/curves/quotes"): (
        "/v2/curves/quotes",
        {"data": [{"trade_date": "2024-10-14", "product": "power:XQ:base:DESK", "period": "Q1-25", "settle": 97.0}]},
    ),
    ("POST", "/v2/curves/{key}/shape"): (
        "/v2/curves/power:XS:base:DESK/shape",
        {"name": "learned", "series": LONG, "from": "2024-01-01", "to": "2024-03-01"},
    ),
    ("POST", "/v2/curves/sets"): (
        "/v2/curves/sets",
        {"name": "close", "trade_date": "2024-10-14", "curves": ["power:XM:base:DESK"]},
    ),
    ("POST", "/v2/curves/sets/{set_id}/overrides"): ("/v2/curves/sets/DRAFT/overrides", OVERRIDE),
    ("DELETE", "/v2/curves/sets/{set_id}/overrides"): (
        "/v2/curves/sets/DRAFT/overrides?curve=power:XM:base:DESK&period=Q2-25",
        None,
    ),
    ("POST", "/v2/curves/sets/{set_id}:submit"): ("/v2/curves/sets/DRAFT:submit", {}),
    ("POST", "/v2/curves/sets/{set_id}:approve"): ("/v2/curves/sets/SUBMITTED:approve", {}),
    ("POST", "/v2/curves/sets/{set_id}:reject"): ("/v2/curves/sets/SUBMITTED:reject", {"reason": "the broker is wrong"}),
    ("POST", "/v2/curves/sets/{set_id}:close"): ("/v2/curves/sets/APPROVED:close", {}),
    ("POST", "/v2/curves/sets/{set_id}:reopen"): ("/v2/curves/sets/APPROVED:reopen", {"reason": "broker corrected"}),
    ("POST", "/v2/curves/derived"): (
        "/v2/curves/derived",
        {"key": "power:XD:base:TWICE", "expression": {"op": "scale", "curve": "power:XD:base:DESK", "by": 2}},
    ),
    ("POST", "/v2/curves/derived/{derived_id}:rebuild"): ("/v2/curves/derived/DERIVED:rebuild", None),
    ("DELETE", "/v2/curves/derived/{derived_id}"): ("/v2/curves/derived/DERIVED", None),
    ("POST", "/v2/calendars"): ("/v2/calendars", {"document": {"name": "desk", "title": "Desk", "zone": "Europe/Paris"}}),
    ("PATCH", "/v2/calendars/{name}"): ("/v2/calendars/desk", {"document": {"title": "Days of the desk"}}),
    ("DELETE", "/v2/calendars/{name}"): ("/v2/calendars/desk", None),
    ("POST", "/v2/blocks"): (
        "/v2/blocks",
        {"calendar": "desk", "name": "NIGHT", "zone": "Europe/Paris", "windows": [{"hours": [[1, 6]]}]},
    ),
    ("PATCH", "/v2/blocks/{calendar}/{name}"): ("/v2/blocks/desk/NIGHT", {"title": "Night"}),
    ("DELETE", "/v2/blocks/{calendar}/{name}"): ("/v2/blocks/desk/NIGHT", None),
    ("POST", "/v2/mappings"): (
        "/v2/mappings",
        {"kind": "area", "scope": "europe", "spelling": "Grossbritannien", "target": "GB"},
    ),
    ("PATCH", "/v2/mappings/{mapping_id:int}"): ("/v2/mappings/1", {"target": "FR"}),
    ("DELETE", "/v2/mappings/{mapping_id:int}"): ("/v2/mappings/1", None),
    ("POST", "/v2/units/mappings"): ("/v2/units/mappings", {"spelling": "EUR per MW hour", "target": "EUR/MWh"}),
    ("PATCH", "/v2/units/mappings/{mapping_id:int}"): ("/v2/units/mappings/2", {"target": "EUR/MWh"}),
    ("DELETE", "/v2/units/mappings/{mapping_id:int}"): ("/v2/units/mappings/2", None),
    ("POST", "/v2/shapes"): ("/v2/shapes", {"document": {"name": "flat", "mean": 1.0, "means": [[[1.0] * 24] * 3]}}),
    ("PATCH", "/v2/shapes/{name}"): ("/v2/shapes/flat", {"document": {"mean": 2.0}}),
    ("DELETE", "/v2/shapes/{name}"): ("/v2/shapes/flat", None),
    ("POST", "/v2/links"): ("/v2/links", {"query": f"/v2/series/{NYC}/observations"}),
    ("DELETE", "/v2/links/{link_id}"): ("/v2/links/LINK", None),
    ("POST", "/v2/alerts/{alert_id}/acknowledge"): ("/v2/alerts/ALERT/acknowledge", None),
    ("POST", "/v2/alerts/{alert_id}/resolve"): ("/v2/alerts/ALERT/resolve", None),
    ("POST", "/v2/webhooks"): ("/v2/webhooks", {"url": "https://receiver.example/"}),
    ("PATCH", "/v2/webhooks/{webhook_id}"): ("/v2/webhooks/WEBHOOK", {"is_on": False}),
    ("POST", "/v2/webhooks/{webhook_id}/secret"): ("/v2/webhooks/WEBHOOK/secret", None),
    ("POST", "/v2/webhooks/{webhook_id}/ping"): ("/v2/webhooks/WEBHOOK/ping", None),
    ("POST", "/v2/webhooks/deliveries/{delivery_id}/retry"): ("/v2/webhooks/deliveries/DELIVERY/retry", None),
    ("DELETE", "/v2/webhooks/{webhook_id}"): ("/v2/webhooks/WEBHOOK", None),
}
"""A request for each thing that can be done, in an order in which they can."""
CHANGES_NOTHING = {
    ("POST", "/v2/admin/flags/{name}/evaluate"),
    ("POST", "/v2/observations/query"),
    ("POST", "/v2/curves/query"),
    ("POST", "/v2/curves/build"),
    ("POST", "/v2/curves/sets/{set_id}:compare"),
    ("POST", "/v2/curves/spread"),
    ("POST", "/v2/curves/explain"),
}


@pytest_asyncio.fixture(loop_scope="session")
async def store(postgres_store: PostgresStore) -> PostgresStore:
    await declare(postgres_store)
    await load(postgres_store)
    return postgres_store


@pytest_asyncio.fixture(loop_scope="session")
async def settings(database_url: str, store: PostgresStore, tmp_path: Path) -> Settings:
    del store  # it has its data by then
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def do(served: Served, store: PostgresStore, method: str, path: str, body: object, request_id: str) -> httpx.Response:
    if path == "/v2/curves/quotes":
        await served.client.post("/v2/products", json=PRODUCT | {"key": "power:XQ:base:DESK"})
    if path == "/v2/curves/derived":
        await served.client.post("/v2/products", json=PRODUCT | {"key": "power:XD:base:DESK"})
    if "DERIVED" in path:
        listed = await served.client.get("/v2/curves/derived")
        path = path.replace("DERIVED", listed.json()["data"][0]["derived_id"])
    if path.endswith("/shape"):
        await served.client.post("/v2/products", json=PRODUCT | {"key": "power:XS:base:DESK"})
    if "/v2/curves/sets" in path:
        path = await path_of_set(served, store, path)
    if "KEY" in path:
        made = await served.client.post("/v2/admin/keys", json={"name": "x"})
        path = path.replace("KEY", made.json()["data"]["key_id"])
    if "LINK" in path:
        made = await served.client.post("/v2/links", json={"query": f"/v2/series/{NYC}/observations"})
        path = path.replace("LINK", made.json()["data"]["link_id"])
    if "ALERT" in path:
        path = path.replace("ALERT", await open_alert(store))
    if "WEBHOOK" in path or "DELIVERY" in path:
        made = await served.client.post("/v2/webhooks", json={"url": "https://receiver.example/"})
        webhook = made.json()["data"]["webhook_id"]
        path = path.replace("WEBHOOK", webhook)
    if "DELIVERY" in path:
        sent = await served.client.post(f"/v2/webhooks/{webhook}/ping")
        path = path.replace("DELIVERY", sent.json()["data"]["delivery_id"])
    if "QUEUED" in path:
        path = path.replace("QUEUED", await queued_job(store))
    if "PARKED" in path:
        path = path.replace("PARKED", await parked_job(store))
    url = path.replace("HELD", hashlib.sha256(NYC.encode()).hexdigest())
    headers = {"x-request-id": request_id}
    if path.endswith(":approve"):
        headers |= await key_of_bert(served)
    return await served.client.request(method, url, json=body, headers=headers)


async def key_of_bert(served: Served) -> dict[str, str]:
    """Return the header of a new key of a person who approves: a caller without a key does not, on an open service either."""
    made = await served.client.post("/v2/admin/keys", json={"name": "x", "roles": ["approver"], "owner": "Bert"})
    return {"authorization": f"Bearer {made.json()['data']['key']}"}


async def path_of_set(served: Served, store: PostgresStore, path: str) -> str:
    """Return a path with the id of a new set in the state that it names; another person has submitted it."""
    key, sets = "power:XM:base:DESK", "/v2/curves/sets"
    await served.client.post("/v2/products", json=PRODUCT | {"key": key})
    quote = {"trade_date": "2024-10-14", "product": key, "period": "Q1-25", "settle": 97.0}
    await served.client.post("/v2/curves/quotes", json={"data": [quote]})
    state = next((state for state in ("DRAFT", "SUBMITTED", "APPROVED") if state in path), None)
    if state is None:
        return path
    made = await served.client.post(sets, json={"name": "x", "trade_date": "2024-10-14", "curves": [key]})
    set_id = made.json()["data"]["set_id"]
    await served.client.post(f"{sets}/{set_id}/overrides", json=OVERRIDE)
    if state != "DRAFT":
        await served.client.post(f"{sets}/{set_id}:submit", json={})
        async with store.transactions.transaction(by=Actor("test"), tenant="local") as tx:
            locked = await tx.curve_sets.locked(set_id)
            by_anna = [replace(step, person="owner:Anna") for step in locked.steps]
            await tx.curve_sets.change(replace(locked, steps=tuple(by_anna)))
    if state == "APPROVED":
        await served.client.post(f"{sets}/{set_id}:approve", json={}, headers=await key_of_bert(served))
    return path.replace(state, set_id)


async def open_alert(store: PostgresStore) -> str:
    """Open an alert of a day of its own, and return its id."""
    day = date(2025, 11, 1) + timedelta(days=len(await store.alerts.page(AlertFilter(), limit=100)))
    subject = Subject("nyiso", "damlbmp_zone", AlertKind.LATE, day)
    now = datetime(2025, 11, 3, tzinfo=UTC)
    changes = await record_findings(store.transactions, [Finding(subject, "it is late")], now=now)
    return changes.opened[0].alert_id


def test_nothing_that_can_be_done_is_missing_here() -> None:
    there = {
        (method, route.path)
        for one in FEATURES
        for route in one.router.routes
        if getattr(route, "path", "").startswith("/v2/")
        for method in route.methods - {"GET", "HEAD"}
    }
    assert there - CHANGES_NOTHING == set(ACTIONS)


async def test_all_that_can_be_done_is_on_record(settings: Settings, store: PostgresStore) -> None:
    async with serving(settings) as served:
        for number, (action, (path, body)) in enumerate(ACTIONS.items()):
            answer = await do(served, store, action[0], path, body, f"act-{number}")
            assert answer.status_code < 300, (action, answer.text)
        entries = (await served.client.get("/v2/admin/audit?limit=1000")).json()["data"]
    recorded = {entry["request_id"]: entry for entry in entries}
    missing = [action for number, action in enumerate(ACTIONS) if f"act-{number}" not in recorded]
    assert missing == []
    tenants = {entry["tenant"] for entry in entries if entry["action"].startswith("tenant.")}
    assert tenants == {"acme"}, "whose thing was changed can see it"


class NoTransactions:
    """A store that cannot be written, its audit log neither."""

    def transaction(self, **_: object) -> object:
        raise Unavailable("the record cannot be written", retry_after=1.0)


async def test_what_cannot_be_put_on_record_is_not_done(settings: Settings, store: PostgresStore) -> None:
    def without_record(store: StoreParts) -> StoreParts:
        return replace(store, transactions=cast("Transactions", NoTransactions()))

    path = f"/v2/series/{NYC}/observations"
    async with serving(settings, changed(open_live_store, without_record)) as served:
        await served.client.get(path)
        for key, (path_of_action, body) in ACTIONS.items():
            if "jobs" in path_of_action or "HELD" in path_of_action:
                answer = await do(served, store, key[0], path_of_action, body, "refused")
                assert answer.status_code == 503, key
        forget = await served.client.post("/v2/admin/cache/forget", json={"tags": ["source:nyiso"]})
        again = await served.client.get(path)
        jobs = (await served.client.get("/v2/jobs")).json()["data"]
    assert (forget.status_code, again.headers["x-cache"]) == (503, "hit")
    # ``parked_job`` starts the job that could not be cancelled.
    assert sorted(one["state"] for one in jobs) == ["parked"] * 4 + ["running"]
    assert {one["cancel_requested_at"] for one in jobs} == {None}
