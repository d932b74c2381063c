"""Webhooks: addresses of tenants to which events are sent, and the log of deliveries. All methods raise ``Unavailable``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from aurum.core.errors import Conflict, NotFound


class UnknownWebhook(NotFound):
    """The tenant has no webhook of this id. Facts: ``webhook_id``."""

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"no webhook {webhook_id!r}", webhook_id=webhook_id)


class UnknownDelivery(NotFound):
    """The tenant has no delivery of this id. Facts: ``delivery_id``."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"no delivery {delivery_id!r}", delivery_id=delivery_id)


class TooManyWebhooks(Conflict):
    """A tenant has as many webhooks as it may have. Facts: ``limit``."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the tenant has {most:,} webhooks, the most it may have: delete one first", limit=most)


class DeliveryState(StrEnum):
    """The state of a delivery. A failed one is sent again only when its owner asks."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook without its secret.

    ``events``: names of the events that it is sent, or their beginnings up to a dot, such as ``alert``; empty: all.
    ``off_reason``: why it is off; empty while it is on.
    """

    webhook_id: str
    tenant: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    created_by: str
    off_reason: str = ""

    def wants(self, event: str) -> bool:
        """Return whether it is on and is sent an event."""
        is_named = any(event == name or event.startswith(f"{name}.") for name in self.events)
        return not self.off_reason and (is_named or not self.events)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. ``delivery_id`` and ``body`` are the same in every attempt. ``status``: of the last answer."""

    delivery_id: str
    webhook_id: str
    tenant: str
    event: str
    body: Mapping[str, object]
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    status: int | None = None
    reason: str = ""
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt of a delivery. ``status``, ``milliseconds``: of the answer; None without one. ``reason``: of a failure."""

    at: datetime
    status: int | None
    milliseconds: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """The facts that a worker needs to send a delivery. ``secrets``: the present one first."""

    delivery: Delivery
    webhook: Webhook
    secrets: tuple[str, ...]


class WebhookStore(Protocol):
    """Reads of webhooks and deliveries."""

    async def webhooks(self, tenant: str) -> Sequence[Webhook]:
        """Return the webhooks of a tenant, by creation."""
        ...

    async def webhook(self, tenant: str, webhook_id: str) -> Webhook:
        """Return a webhook. Raises ``UnknownWebhook``."""
        ...

    async def deliveries(
        self, tenant: str, webhook_id: str, *, before: tuple[datetime, str] | None = None, limit: int
    ) -> Sequence[Delivery]:
        """Return deliveries of a webhook, the newest first. ``before``: creation and id of the last one already seen."""
        ...

    async def attempts(self, tenant: str, delivery_id: str) -> Sequence[DeliveryAttempt]:
        """Return the attempts of a delivery, the first one first. Raises ``UnknownDelivery``."""
        ...

    async def sending(self, delivery_id: str) -> Sending:
        """Return a delivery with its webhook and secrets, for a worker. Raises ``UnknownDelivery``."""
        ...


class WebhookWriter(Protocol):
    """Writes of webhooks, for the tenant of a transaction."""

    async def insert(self, webhook: Webhook, secret: str, *, most: int) -> None:
        """Store a new webhook. Raises ``TooManyWebhooks``, ``OtherTenant``."""
        ...

    async def delete(self, webhook_id: str) -> Webhook:
        """Delete a webhook with its deliveries and return it. Raises ``UnknownWebhook``."""
        ...

    async def switch(self, webhook_id: str, *, off_reason: str) -> Webhook:
        """Turn a webhook off for a reason, or on with an empty one, and return it. Raises ``UnknownWebhook``."""
        ...

    async def rotate(self, webhook_id: str, secret: str) -> Webhook:
        """Set a new secret; the one before it signs beside it until the next rotation. Raises ``UnknownWebhook``."""
        ...

    async def send(self, delivery: Delivery) -> None:
        """Store a new delivery of one of the webhooks of the tenant. Raises ``UnknownWebhook``."""
        ...

    async def send_again(self, delivery_id: str) -> Delivery:
        """Make a delivery pending again and return it. Raises ``UnknownDelivery``."""
        ...


class DeliveryWriter(Protocol):
    """Writes of deliveries for the webhooks of all tenants."""

    async def listening(self, events: Sequence[str]) -> Sequence[Webhook]:
        """Return the webhooks of tenants that are not disabled which want one of the events."""
        ...

    async def send(self, deliveries: Sequence[Delivery]) -> None:
        """Store new deliveries."""
        ...

    async def record(self, delivery_id: str, attempt: DeliveryAttempt, state: DeliveryState) -> None:
        """Record an attempt. Raises ``UnknownDelivery``."""
        ...

    async def turn_off(self, webhook_id: str, reason: str) -> None:
        """Turn a webhook off."""
        ...

    async def delete_old(self, *, before: datetime, limit: int) -> int:
        """Delete deliveries that ended before a time, at most ``limit``, and return their number."""
        ...
