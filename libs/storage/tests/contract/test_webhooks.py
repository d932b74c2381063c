"""Webhooks belong to a tenant; deliveries keep their id and body over all attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aurum.storage.ports.access import Actor, OtherTenant
from aurum.storage.ports.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    Webhook,
)
from aurum.storage.testing.stores import Store

NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)
OPERATOR = Actor("key:operator")


def webhook(name: str, tenant: str = "acme", *, events: tuple[str, ...] = (), minutes: int = 0) -> Webhook:
    at = NOW + timedelta(minutes=minutes)
    return Webhook(name, tenant, f"https://{name}.example/hook", events, at, "key:a1")


def delivery(name: str, hook: Webhook, *, minutes: int = 0) -> Delivery:
    body = {"event": "alert.opened", "number": 1.5}
    at = NOW + timedelta(minutes=minutes)
    return Delivery(name, hook.webhook_id, hook.tenant, "alert.opened", body, DeliveryState.PENDING, at)


async def with_tenants(store: Store, *hooks: Webhook) -> Store:
    for tenant in ("acme", "bolt"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.tenants.insert(tenant, tenant.title(), "basic")
    for hook in hooks:
        async with store.transactions.transaction(by=OPERATOR, tenant=hook.tenant) as tx:
            await tx.webhooks.insert(hook, f"secret of {hook.webhook_id}", most=9)
    return store


async def test_a_tenant_sees_its_own_webhooks_only(store: Store) -> None:
    mine, other = webhook("mine"), webhook("other", "bolt")
    await with_tenants(store, mine, other)

    assert await store.webhooks.webhooks("acme") == [mine]
    assert await store.webhooks.webhook("acme", "mine") == mine
    with pytest.raises(UnknownWebhook):
        await store.webhooks.webhook("acme", "other")
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        with pytest.raises(UnknownWebhook):
            await tx.webhooks.delete("other")
        with pytest.raises(UnknownWebhook):
            await tx.webhooks.rotate("other", "stolen")
        with pytest.raises(UnknownWebhook):
            await tx.webhooks.send(delivery("1", other))
        with pytest.raises(OtherTenant):
            await tx.webhooks.insert(webhook("x", "bolt"), "secret", most=9)


async def test_a_tenant_has_a_limited_number_of_webhooks(store: Store) -> None:
    await with_tenants(store, webhook("mine"), webhook("other", "bolt"))

    with pytest.raises(TooManyWebhooks):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.webhooks.insert(webhook("second"), "secret", most=1)


async def test_webhooks_that_are_on_and_want_an_event_listen_to_it(store: Store) -> None:
    every, opened = webhook("every"), webhook("opened", "bolt", events=("alert.opened",), minutes=1)
    alerts, other = webhook("alerts", events=("alert",), minutes=2), webhook("other", events=("curve",), minutes=3)
    off = webhook("off", minutes=4)
    await with_tenants(store, every, opened, alerts, other, off)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.webhooks.switch("off", off_reason="the receiver answers 410")

    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert await tx.deliveries.listening(["alert.opened"]) == [every, opened, alerts]
        assert await tx.deliveries.listening(["alert.resolved"]) == [every, alerts]
        await tx.tenants.change("bolt", disabled=True)
        assert await tx.deliveries.listening(["alert.opened"]) == [every, alerts]


async def test_a_delivery_is_sent_with_the_present_and_the_earlier_secret(store: Store) -> None:
    hook = webhook("mine")
    await with_tenants(store, hook)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.webhooks.rotate("mine", "new secret")
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.deliveries.send([delivery("1", hook)])

    sending = await store.webhooks.sending("1")

    assert sending.delivery == delivery("1", hook)
    assert sending.webhook == hook
    assert sending.secrets == ("new secret", "secret of mine")
    with pytest.raises(UnknownDelivery):
        await store.webhooks.sending("2")


async def test_attempts_of_a_delivery_are_on_record_and_it_can_be_sent_again(store: Store) -> None:
    hook = webhook("mine")
    await with_tenants(store, hook)
    failed = DeliveryAttempt(NOW, 500, 12.5, "status 500")
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.webhooks.send(delivery("1", hook))
        await tx.webhooks.send(delivery("2", hook, minutes=1))
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.deliveries.record("1", failed, DeliveryState.FAILED)

    second, first = await store.webhooks.deliveries("acme", "mine", limit=9)
    assert (first.delivery_id, first.state, first.attempts, first.status) == ("1", DeliveryState.FAILED, 1, 500)
    assert await store.webhooks.deliveries("acme", "mine", before=(second.created_at, "2"), limit=9) == [first]
    assert await store.webhooks.deliveries("bolt", "mine", limit=9) == []
    assert list(await store.webhooks.attempts("acme", "1")) == [failed]
    with pytest.raises(UnknownDelivery):
        await store.webhooks.attempts("bolt", "1")

    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        again = await tx.webhooks.send_again("1")
    assert (again.state, again.attempts, again.body) == (DeliveryState.PENDING, 1, first.body)


async def test_a_deleted_webhook_takes_its_deliveries_along_and_old_ones_are_deleted(store: Store) -> None:
    hook, other = webhook("mine"), webhook("other", "bolt")
    await with_tenants(store, hook, other)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.deliveries.send([delivery("1", hook), delivery("2", other), delivery("3", other)])
        await tx.deliveries.record("2", DeliveryAttempt(NOW, 200, 3.0), DeliveryState.DELIVERED)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        assert await tx.webhooks.delete("mine") == hook
    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert await tx.deliveries.delete_old(before=NOW + timedelta(seconds=1), limit=9) == 1

    with pytest.raises(UnknownDelivery):
        await store.webhooks.sending("1")
    assert [one.delivery_id for one in await store.webhooks.deliveries("bolt", "other", limit=9)] == ["3"]
