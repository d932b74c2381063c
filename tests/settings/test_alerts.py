"""Settings of alerts on datasets, and of webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from aurum.api.testing import file_of, hourly
from aurum.assembly.light_jobs import light_functions
from aurum.assembly.memory import memory_store
from aurum.assembly.pipelines import Pipelines
from aurum.assembly.store import StoreParts
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.core.alerts.alert import AlertKind
from aurum.core.errors import AurumError
from aurum.services.jobs.definitions import DELIVERY, DeliverWebhook
from aurum.services.jobs.running import JobTransaction, Result
from aurum.services.webhooks.events import Event, delivery_of
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.access import Actor
from aurum.storage.ports.webhooks import DeliveryAttempt, DeliveryState, UnknownDelivery, Webhook

OPERATOR = Actor("operator")
shows, needs = pytest.mark.shows, pytest.mark.given


def parts_of(settings: Settings, store: MemoryStore) -> StoreParts:
    return memory_store(settings, SystemClock(), store, MemoryChangeFeed())


@shows(AURUM_ALERTS__GRACE_MINUTES="100000")
async def test_data_are_late_after_the_grace(settings: Settings) -> None:
    store, start = MemoryStore(SystemClock()), SystemClock().now().replace(minute=0, second=0, microsecond=0)
    # The prices of the next hour were published yesterday at eleven.
    prices = hourly("nyiso:damlbmp_zone:61761:lmp", start - timedelta(hours=24), [30.0] * 24)
    pipelines = Pipelines(parts_of(settings, store))
    await pipelines.declare_catalog()
    await store.loader.load(file_of(prices))
    with_grace = await pipelines.check_alerts()
    strict = settings.model_copy(update={"alerts": settings.alerts.model_copy(update={"grace_minutes": 0.0})})
    without = await Pipelines(parts_of(strict, store)).check_alerts()
    kinds = [{alert.subject.kind for alert in changes.opened} for changes in (with_grace, without)]
    assert AlertKind.LATE not in kinds[0]
    assert AlertKind.LATE in kinds[1]


@dataclass
class Attempt:
    """A ``RunningJob`` without a worker."""

    attempt: int = 1
    attempts: int = 1
    job_id: str = "job"
    tenant: str | None = "local"
    subject: str = "operator"

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None: ...

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None: ...


async def sent(settings: Settings, url: str) -> str:
    """Send an event to an address, and return the reason of the failure."""
    store = MemoryStore(SystemClock())
    at = SystemClock().now()
    webhook = Webhook("hook", "local", url, (), at, "operator")
    delivery = delivery_of(Event("ping", at, {}), webhook)
    async with store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
        await tx.webhooks.insert(webhook, "whsec_c2VjcmV0", most=9)
        await tx.webhooks.send(delivery)
    deliver = light_functions(parts_of(settings, store))[DELIVERY.name]
    with pytest.raises(AurumError):
        await deliver(DeliverWebhook(delivery_id=delivery.delivery_id), Attempt())
    (attempt,) = await store.webhooks.attempts("local", delivery.delivery_id)
    return attempt.reason


@pytest.fixture
async def silent_receiver() -> AsyncIterator[str]:
    """The address of a receiver on this machine that reads and never answers."""
    ended = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        ended.set()


@shows(AURUM_WEBHOOKS__ALLOW='["127.0.0.0/8"]', AURUM_WEBHOOKS__ANSWER_WITHIN_S="0.2")
async def test_webhooks_reach_allowed_networks_and_wait_so_long(settings: Settings, silent_receiver: str) -> None:
    assert await sent(settings, silent_receiver) == "no complete answer within 0.2 s"
    public = settings.model_copy(
        update={"webhooks": settings.webhooks.model_copy(update={"allow": (), "answer_within_s": 60.0})}
    )
    assert "not a public address" in await sent(public, silent_receiver)


@shows(AURUM_WEBHOOKS__LOG_DAYS="3")
async def test_the_log_of_deliveries_ends_after_days(settings: Settings) -> None:
    store = MemoryStore(SystemClock())
    now = SystemClock().now()
    webhook = Webhook("hook", "local", "https://receiver.example/", (), now, "operator")
    old, recent = (delivery_of(Event("ping", now - timedelta(days=days), {}), webhook) for days in (4, 2))
    async with store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
        await tx.webhooks.insert(webhook, "whsec_c2VjcmV0", most=9)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.deliveries.send([old, recent])
        for delivery in (old, recent):
            await tx.deliveries.record(delivery.delivery_id, DeliveryAttempt(now, 200, 1.0), DeliveryState.DELIVERED)
    await Pipelines(parts_of(settings, store)).check_alerts()
    assert (await store.webhooks.sending(recent.delivery_id)).delivery.event == "ping"
    with pytest.raises(UnknownDelivery):
        await store.webhooks.sending(old.delivery_id)
