"""Alerts and webhooks over HTTP: what tenants see of each other's, and what a receiver is sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import httpx
import pytest

from aurum.api.testing import InMemory, MovableClock, Served, on_clock, serving
from aurum.common.settings import AccessSettings, Settings
from aurum.core.access import Role
from aurum.core.alerts.alert import Alert, AlertKind, AlertState, Finding, Subject
from aurum.services.access import NewKey, create_key, create_tenant
from aurum.services.alerts.recording import record_findings
from aurum.services.jobs.definitions import DELIVERY
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import JobFilter

OPERATOR = Actor("operator")
NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)
URL = "https://receiver.example/aurum"


@dataclass
class World:
    """A service that needs keys, over a store in memory, with two tenants."""

    store: MemoryStore
    served: Served
    headers: dict[str, dict[str, str]]

    async def call(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        return await self.served.client.request(method, path, json=body, headers=self.headers[who])

    async def create(self, who: str, events: list[str] | None = None) -> str:
        response = await self.call(who, "POST", "/v2/webhooks", {"url": URL, "events": events or []})
        assert response.status_code == 201, response.text
        return response.json()["data"]["webhook_id"]

    async def open_alert(self) -> Alert:
        subject = Subject("nyiso", "damlbmp_zone", AlertKind.LATE, date(2025, 11, 3))
        changes = await record_findings(self.store.transactions, [Finding(subject, "it is late")], now=NOW)
        return changes.opened[0]

    async def jobs(self) -> list[str]:
        """Return the deliveries that jobs will send, the last first."""
        jobs = await self.store.jobs.page(JobFilter(name=DELIVERY.name), limit=100)
        return [str(job.payload["delivery_id"]) for job in jobs]


@asynccontextmanager
async def world() -> AsyncGenerator[World]:
    clock = MovableClock(NOW)
    store = MemoryStore(clock)
    settings = Settings(access=AccessSettings(mode="required"))
    headers: dict[str, dict[str, str]] = {}
    for tenant in ("acme", "bolt"):
        await create_tenant(store.transactions, tenant, tenant, "premium", by=OPERATOR)
    for name, tenant, role in (
        ("acme", "acme", Role.TRADER),
        ("bolt", "bolt", Role.TRADER),
        ("reader", "acme", Role.USER),
        ("operator", "local", Role.SUPER_ADMIN),
    ):
        issued = await create_key(store.transactions, NewKey(tenant, "k", (role,)), by=OPERATOR, now=NOW)
        headers[name] = {"authorization": f"Bearer {issued.text}"}
    async with serving(settings, on_clock(InMemory(store), clock)) as served:
        yield World(store, served, headers)


async def test_the_secret_of_a_webhook_is_shown_once() -> None:
    async with world() as service:
        created = (await service.call("acme", "POST", "/v2/webhooks", {"url": URL})).json()["data"]
        assert created["secret"].startswith("whsec_")
        path = f"/v2/webhooks/{created['webhook_id']}"
        shown = (await service.call("acme", "GET", path)).json()["data"]
        assert shown == {name: value for name, value in created.items() if name != "secret"}
        rotated = (await service.call("acme", "POST", f"{path}/secret")).json()["data"]
        assert rotated["secret"] != created["secret"]
        audit = (await service.call("operator", "GET", "/v2/admin/audit?limit=1000")).text
        assert created["secret"] not in audit
        assert rotated["secret"] not in audit


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://receiver.example/"}, "url"),
        ({"url": "https://user:secret@receiver.example/"}, "url"),
        ({"url": "receiver.example"}, "url"),
        ({"url": URL, "events": ["alert.opend"]}, "events.0"),
        ({"url": URL, "events": "alert"}, "events"),
    ],
)
async def test_an_address_or_an_event_that_cannot_be_is_refused(body: object, field: str) -> None:
    async with world() as service:
        response = await service.call("acme", "POST", "/v2/webhooks", body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == field


async def test_another_tenants_webhooks_and_deliveries_do_not_exist() -> None:
    async with world() as service:
        webhook = await service.create("acme")
        delivery = (await service.call("acme", "POST", f"/v2/webhooks/{webhook}/ping")).json()["data"]["delivery_id"]
        for method, path in (
            ("GET", f"/v2/webhooks/{webhook}"),
            ("DELETE", f"/v2/webhooks/{webhook}"),
            ("POST", f"/v2/webhooks/{webhook}/ping"),
            ("POST", f"/v2/webhooks/{webhook}/secret"),
            ("GET", f"/v2/webhooks/{webhook}/deliveries"),
            ("GET", f"/v2/webhooks/deliveries/{delivery}/attempts"),
            ("POST", f"/v2/webhooks/deliveries/{delivery}/retry"),
        ):
            assert (await service.call("bolt", method, path)).status_code == 404, path
        assert (await service.call("bolt", "GET", "/v2/webhooks")).json() == {"data": []}


async def test_a_reader_sees_webhooks_and_cannot_change_them() -> None:
    async with world() as service:
        webhook = await service.create("acme")
        assert (await service.call("reader", "GET", f"/v2/webhooks/{webhook}")).status_code == 200
        assert (await service.call("reader", "DELETE", f"/v2/webhooks/{webhook}")).status_code == 403


async def test_an_alert_is_sent_to_every_webhook_that_wants_it() -> None:
    async with world() as service:
        wanted, other = await service.create("acme", ["alert.opened"]), await service.create("bolt", ["alert.resolved"])
        alert = await service.open_alert()
        (delivery,) = (await service.call("acme", "GET", f"/v2/webhooks/{wanted}/deliveries")).json()["data"]
        assert delivery["event"] == "alert.opened"
        assert delivery["state"] == "pending"
        assert delivery["body"]["data"]["alert"]["alert_id"] == alert.alert_id
        assert await service.jobs() == [delivery["delivery_id"]]
        assert (await service.call("bolt", "GET", f"/v2/webhooks/{other}/deliveries")).json()["data"] == []


async def test_a_webhook_that_is_off_is_sent_nothing() -> None:
    async with world() as service:
        webhook = await service.create("acme")
        turned_off = await service.call("acme", "PATCH", f"/v2/webhooks/{webhook}", {"is_on": False})
        assert turned_off.json()["data"]["is_on"] is False
        await service.open_alert()
        assert (await service.call("acme", "GET", f"/v2/webhooks/{webhook}/deliveries")).json()["data"] == []


async def test_alerts_are_listed_acknowledged_and_resolved() -> None:
    async with world() as service:
        alert = await service.open_alert()
        path = f"/v2/alerts/{alert.alert_id}"
        listed = (await service.call("reader", "GET", "/v2/alerts?state=open&kind=late")).json()["data"]
        assert [one["alert_id"] for one in listed] == [alert.alert_id]
        assert (await service.call("acme", "POST", f"{path}/acknowledge")).status_code == 403
        seen = (await service.call("operator", "POST", f"{path}/acknowledge")).json()["data"]
        assert (seen["state"], seen["acknowledged_by"] != "") == (AlertState.ACKNOWLEDGED, True)
        settled = (await service.call("operator", "POST", f"{path}/resolve")).json()["data"]
        assert settled["state"] == AlertState.RESOLVED
        assert (await service.call("reader", "GET", "/v2/alerts?state=open")).json()["data"] == []
        assert (await service.call("reader", "GET", "/v2/alerts/unknown")).status_code == 404


async def test_the_same_finding_opens_one_alert_a_day() -> None:
    async with world() as service:
        await service.open_alert()
        subject = Subject("nyiso", "damlbmp_zone", AlertKind.LATE, date(2025, 11, 3))
        again = await record_findings(service.store.transactions, [Finding(subject, "it is late")], now=NOW)
        assert again.opened == ()
        for _ in range(2):
            gone = await record_findings(service.store.transactions, [], now=NOW)
        assert [alert.state for alert in gone.resolved] == [AlertState.RESOLVED]
        back = await record_findings(service.store.transactions, [Finding(subject, "it is late")], now=NOW)
        assert (back.opened, back.resolved) == ((), ())
