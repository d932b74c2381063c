"""Webhooks and their deliveries in dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aurum.core.errors import UnknownName
from aurum.storage.memory.state import MemoryState, StoredWebhook
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Sending,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of webhooks as one tenant sees them; with None as the operator does."""

    state: MemoryState
    tenant: str | None

    def webhook(self, webhook_id: str) -> StoredWebhook:
        stored = self.state.webhooks.get(webhook_id)
        if stored is None or self.tenant not in (None, stored.webhook.tenant):
            raise UnknownWebhook(webhook_id)
        return stored

    def delivery(self, delivery_id: str) -> Delivery:
        delivery = self.state.deliveries.get(delivery_id)
        if delivery is None or self.tenant not in (None, delivery.tenant):
            raise UnknownDelivery(delivery_id)
        return delivery


class MemoryWebhookStore:
    """``WebhookStore`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def webhooks(self, tenant: str) -> Sequence[Webhook]:
        webhooks = [stored.webhook for stored in self._state.webhooks.values() if stored.webhook.tenant == tenant]
        return sorted(webhooks, key=lambda webhook: (webhook.created_at, webhook.webhook_id))

    async def webhook(self, tenant: str, webhook_id: str) -> Webhook:
        return _Tables(self._state, tenant).webhook(webhook_id).webhook

    async def deliveries(
        self, tenant: str, webhook_id: str, *, before: tuple[datetime, str] | None = None, limit: int
    ) -> Sequence[Delivery]:
        deliveries = [
            one
            for one in self._state.deliveries.values()
            if (one.tenant, one.webhook_id) == (tenant, webhook_id)
            and (before is None or (one.created_at, one.delivery_id) < before)
        ]
        return sorted(deliveries, key=lambda one: (one.created_at, one.delivery_id), reverse=True)[:limit]

    async def attempts(self, tenant: str, delivery_id: str) -> Sequence[DeliveryAttempt]:
        _Tables(self._state, tenant).delivery(delivery_id)
        return self._state.delivery_attempts.get(delivery_id, ())

    async def sending(self, delivery_id: str) -> Sending:
        tables = _Tables(self._state, None)
        delivery = tables.delivery(delivery_id)
        stored = tables.webhook(delivery.webhook_id)
        return Sending(delivery, stored.webhook, stored.secrets)


class MemoryWebhookWriter:
    """``WebhookWriter`` in memory."""

    def __init__(self, state: MemoryState, tenant: str) -> None:
        self._state = state
        self._tenant = tenant
        self._tables = _Tables(state, tenant)

    async def insert(self, webhook: Webhook, secret: str, *, most: int) -> None:
        if webhook.tenant != self._tenant:
            raise OtherTenant(self._tenant, webhook.tenant)
        if webhook.tenant not in self._state.tenants:
            raise UnknownName("tenant", webhook.tenant)
        if sum(stored.webhook.tenant == self._tenant for stored in self._state.webhooks.values()) >= most:
            raise TooManyWebhooks(most)
        self._state.webhooks[webhook.webhook_id] = StoredWebhook(webhook, (secret,))

    async def delete(self, webhook_id: str) -> Webhook:
        webhook = self._tables.webhook(webhook_id).webhook
        del self._state.webhooks[webhook_id]
        for delivery_id in [one.delivery_id for one in self._state.deliveries.values() if one.webhook_id == webhook_id]:
            del self._state.deliveries[delivery_id]
            self._state.delivery_attempts.pop(delivery_id, None)
        return webhook

    async def switch(self, webhook_id: str, *, off_reason: str) -> Webhook:
        stored = self._tables.webhook(webhook_id)
        webhook = replace(stored.webhook, off_reason=off_reason)
        self._state.webhooks[webhook_id] = replace(stored, webhook=webhook)
        return webhook

    async def rotate(self, webhook_id: str, secret: str) -> Webhook:
        stored = self._tables.webhook(webhook_id)
        self._state.webhooks[webhook_id] = replace(stored, secrets=(secret, stored.secrets[0]))
        return stored.webhook

    async def send(self, delivery: Delivery) -> None:
        self._tables.webhook(delivery.webhook_id)
        self._state.deliveries[delivery.delivery_id] = delivery

    async def send_again(self, delivery_id: str) -> Delivery:
        delivery = replace(self._tables.delivery(delivery_id), state=DeliveryState.PENDING)
        self._state.deliveries[delivery_id] = delivery
        return delivery


class MemoryDeliveryWriter:
    """``DeliveryWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._tables = _Tables(state, None)

    async def listening(self, events: Sequence[str]) -> Sequence[Webhook]:
        webhooks = [
            stored.webhook
            for stored in self._state.webhooks.values()
            if self._state.tenants[stored.webhook.tenant].disabled_at is None
            and any(stored.webhook.wants(event) for event in events)
        ]
        return sorted(webhooks, key=lambda webhook: (webhook.created_at, webhook.webhook_id))

    async def send(self, deliveries: Sequence[Delivery]) -> None:
        self._state.deliveries.update({delivery.delivery_id: delivery for delivery in deliveries})

    async def record(self, delivery_id: str, attempt: DeliveryAttempt, state: DeliveryState) -> None:
        delivery = self._tables.delivery(delivery_id)
        self._state.deliveries[delivery_id] = replace(
            delivery,
            attempts=delivery.attempts + 1,
            state=state,
            status=attempt.status,
            reason=attempt.reason,
            last_at=attempt.at,
        )
        earlier = self._state.delivery_attempts.get(delivery_id, ())
        self._state.delivery_attempts[delivery_id] = (*earlier, attempt)

    async def turn_off(self, webhook_id: str, reason: str) -> None:
        stored = self._tables.webhook(webhook_id)
        self._state.webhooks[webhook_id] = replace(stored, webhook=replace(stored.webhook, off_reason=reason))

    async def delete_old(self, *, before: datetime, limit: int) -> int:
        old = [
            one for one in self._state.deliveries.values() if one.created_at < before and one.state is not DeliveryState.PENDING
        ]
        for one in sorted(old, key=lambda one: one.created_at)[:limit]:
            del self._state.deliveries[one.delivery_id]
            self._state.delivery_attempts.pop(one.delivery_id, None)
        return min(len(old), limit)
